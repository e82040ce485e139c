package tests_go

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	clocks = regexp.MustCompile(`time\.(Now|Since|Until)\(|perf_counter|monotonic|process_time|` +
		`thread_time|time\.time\(`)
	limits = regexp.MustCompile(`(?:timeout(?:: float)?\s*=\s*|\.(?:join|wait)\()([0-9.]+)`)
)

// readsClock are tests that may read it: they hold that something did not end too early, which no load can break, or
// let a limit pass that fails nothing.
var readsClock = map[string]bool{
	"internal/park/park_test.go":            true, // a sleep is as long as was asked for
	"tests_py/core/test_transform_trees.py": true, // threads that do not meet go on alone
}

// TestNoTestWatchesTheClock holds that tests count work or wait for events, whatever the machine's speed and load. What
// may hang silently has a limit of many minutes.
func TestNoTestWatchesTheClock(t *testing.T) {
	const hang = 600
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(name, ".") && name != ".." || name == "build" || name == "tests_py/bench" {
				return filepath.SkipDir
			}
			return nil
		}
		python := strings.HasPrefix(name, "tests_py/") && strings.HasSuffix(name, ".py")
		if !python && !strings.HasSuffix(name, "_test.go") || readsClock[name] || name == "tests_go/clock_test.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if clocks.MatchString(line) {
				t.Errorf("%s:%d reads the clock: %s", name, i+1, strings.TrimSpace(line))
			}
			for _, m := range limits.FindAllStringSubmatch(line, -1) {
				if n, _ := strconv.ParseFloat(m[1], 64); python && n < hang {
					t.Errorf("%s:%d waits no more than %s s: %s", name, i+1, m[1], strings.TrimSpace(line))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
