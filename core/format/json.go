package format

import (
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds the recursion over values of unknown keys.
const maxJSONDepth = 32

// jsonText reads JSON (RFC 8259) strictly. The package encoding/json is no
// help here: it replaces invalid UTF-8 and lone surrogates, takes the last of two
// equal keys and matches keys in any case, all of which would let one file mean
// different things to different readers.
type jsonText struct {
	b     []byte
	i     int
	field string // what is being read, for errors
	check checker
	steps int // members and elements read
	kept  int // bytes of the tables that were made of them
}

// step asks from time to time whether to go on.
func (p *jsonText) step() error {
	if p.steps++; p.steps%checkSteps == 0 {
		return p.check(p.kept)
	}
	return nil
}

func (p *jsonText) fail(format string, args ...any) error {
	e := bad(p.field, format, args...)
	e.Detail += " (byte " + strconv.Itoa(p.i) + " of the header)"
	return e
}

func (p *jsonText) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\t' || p.b[p.i] == '\r') {
		p.i++
	}
}

func (p *jsonText) peek() byte {
	if p.space(); p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

func (p *jsonText) accept(c byte) bool {
	if p.space(); p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *jsonText) expect(c byte) error {
	if !p.accept(c) {
		return p.fail("expected %q, found %s", c, p.next())
	}
	return nil
}

func (p *jsonText) next() string {
	p.space()
	if p.i == len(p.b) {
		return "the end"
	}
	return quote(string(p.b[p.i:min(p.i+12, len(p.b))]))
}

// object calls member for every key; member reads the value.
func (p *jsonText) object(member func(key string) error) error {
	if err := p.expect('{'); err != nil {
		return err
	}
	if p.accept('}') {
		return nil
	}
	for {
		if err := p.step(); err != nil {
			return err
		}
		key, err := p.text()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if p.accept('}') {
			return nil
		}
		if !p.accept(',') {
			return p.fail("expected ',' or '}', found %s", p.next())
		}
	}
}

// array calls element once for every element; element reads it.
func (p *jsonText) array(element func() error) error {
	if err := p.expect('['); err != nil {
		return err
	}
	if p.accept(']') {
		return nil
	}
	for {
		if err := p.step(); err != nil {
			return err
		}
		if err := element(); err != nil {
			return err
		}
		if p.accept(']') {
			return nil
		}
		if !p.accept(',') {
			return p.fail("expected ',' or ']', found %s", p.next())
		}
	}
}

// text reads a string.
func (p *jsonText) text() (string, error) {
	if !p.accept('"') {
		return "", p.fail("expected a string, found %s", p.next())
	}
	start := p.i
	var out []byte // stays nil as long as there are no escapes
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			if out == nil {
				return string(p.b[start : p.i-1]), nil
			}
			return string(out), nil
		case c == '\\':
			if out == nil {
				out = append(make([]byte, 0, 2*(p.i-start)+8), p.b[start:p.i]...)
			}
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		case c < 0x20:
			return "", p.fail("has the control character %#02x in a string", c)
		default:
			r, n := utf8.DecodeRune(p.b[p.i:])
			if r == utf8.RuneError && n == 1 {
				return "", p.fail("has a string that is not UTF-8")
			}
			if out != nil {
				out = append(out, p.b[p.i:p.i+n]...)
			}
			p.i += n
		}
	}
	return "", p.fail("has a string without an end")
}

func (p *jsonText) escape() (rune, error) {
	if p.i+1 >= len(p.b) {
		return 0, p.fail("has a string without an end")
	}
	c := p.b[p.i+1]
	p.i += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := p.hex4()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if p.i+1 < len(p.b) && p.b[p.i] == '\\' && p.b[p.i+1] == 'u' {
			p.i += 2
			low, err := p.hex4()
			if err != nil {
				return 0, err
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, nil
			}
		}
		return 0, p.fail("has half a surrogate pair in a string")
	}
	return 0, p.fail("has the unknown escape \\%c in a string", c)
}

func (p *jsonText) hex4() (rune, error) {
	var r rune
	for range 4 {
		if p.i == len(p.b) {
			return 0, p.fail("has a string without an end")
		}
		switch c := p.b[p.i]; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, p.fail("has a \\u escape without four hexadecimal digits")
		}
		p.i++
	}
	return r, nil
}

// number takes the characters of a JSON number and says whether it is an
// integer that is not negative.
func (p *jsonText) number() (text string, natural bool, err error) {
	p.space()
	start := p.i
	digits := func() int {
		from := p.i
		for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
			p.i++
		}
		return p.i - from
	}
	at := func(set string) bool {
		for k := range len(set) {
			if p.i < len(p.b) && p.b[p.i] == set[k] {
				p.i++
				return true
			}
		}
		return false
	}
	natural = !at("-")
	first := p.i
	switch n := digits(); {
	case n == 0:
		p.i = start
		return "", false, p.fail("expected a number, found %s", p.next())
	case n > 1 && p.b[first] == '0':
		return "", false, p.fail("number %s starts with 0", quote(string(p.b[start:p.i])))
	}
	if at(".") {
		if natural = false; digits() == 0 {
			return "", false, p.fail("has a number without digits after its point")
		}
	}
	if at("eE") {
		natural = false
		if at("+-"); digits() == 0 {
			return "", false, p.fail("has a number without digits in its exponent")
		}
	}
	return string(p.b[start:p.i]), natural, nil
}

// natural reads an integer from 0 to 2^63-1.
func (p *jsonText) natural() (int64, error) {
	s, natural, err := p.number()
	if err != nil {
		return 0, err
	}
	if !natural {
		return 0, p.fail("%s is not an integer of 0 or more", quote(s))
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, p.fail("%s is more than %d", quote(s), int64(math.MaxInt64))
	}
	return n, nil
}

// skip passes over any value.
func (p *jsonText) skip(depth int) error {
	if depth > maxJSONDepth {
		return p.fail("nests deeper than %d", maxJSONDepth)
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(func(string) error { return p.skip(depth + 1) })
	case c == '[':
		return p.array(func() error { return p.skip(depth + 1) })
	case c == '"':
		_, err := p.text()
		return err
	case c == 't':
		return p.word("true")
	case c == 'f':
		return p.word("false")
	case c == 'n':
		return p.word("null")
	}
	_, _, err := p.number()
	return err
}

func (p *jsonText) word(w string) error {
	p.space()
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return p.fail("expected %s, found %s", w, p.next())
	}
	p.i += len(w)
	return nil
}

// appendJSON writes a string as serde_json does, so that files are equal byte by
// byte to those of the safetensors package: only what must be escaped is.
func appendJSON(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		}
	}
	return append(b, '"')
}
