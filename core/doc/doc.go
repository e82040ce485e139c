// Package doc holds the docstrings of the functions of core's table. One Markdown file has those of a family, and
// each starts at a heading of its own: "## concatenate, concat" is what both functions are documented by.
// Rows of the op table say what they compute in the row.
package doc

import (
	"embed"
	"strings"
)

//go:embed *.md
var files embed.FS

// texts maps the functions in headings to what stands below them.
var texts = read()

// Of is the docstring of a function, or "" if no heading names it.
func Of(function string) string { return texts[function] }

// Names lists the functions that headings name, a name once for each time.
func Names() []string {
	var names []string
	for _, s := range sections() {
		names = append(names, strings.Split(s.heading, ", ")...)
	}
	return names
}

type section struct{ heading, text string }

func read() map[string]string {
	m := map[string]string{}
	for _, s := range sections() {
		for name := range strings.SplitSeq(s.heading, ", ") {
			m[name] = s.text
		}
	}
	return m
}

func sections() []section {
	var all []section
	list, _ := files.ReadDir(".")
	for _, f := range list {
		text, _ := files.ReadFile(f.Name())
		_, rest, _ := strings.Cut(string(text), "\n## ")
		for s := range strings.SplitSeq(rest, "\n## ") {
			heading, body, _ := strings.Cut(s, "\n")
			all = append(all, section{heading, strings.TrimSpace(body)})
		}
	}
	return all
}
