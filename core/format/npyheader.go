package format

import (
	"strconv"
	"strings"
)

// npyFields is the dictionary of an npy header.
type npyFields struct {
	descr        string
	fortranOrder bool
	shape        []int
}

// literal parses the one Python expression that an npy header may hold: a
// dictionary of exactly the keys descr, fortran_order and shape. It knows the
// three kinds of value that belong there and no others, so it cannot nest.
type literal struct {
	s     string
	i     int
	field string // what is being read, for errors
}

func (p *literal) fail(format string, args ...any) error {
	e := bad(p.field, format, args...)
	e.Detail += " (byte " + strconv.Itoa(p.i) + " of the header)"
	return e
}

func (p *literal) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// accept skips space and takes the token if it comes next.
func (p *literal) accept(token string) bool {
	p.space()
	if strings.HasPrefix(p.s[p.i:], token) {
		p.i += len(token)
		return true
	}
	return false
}

// next describes what comes next, for errors.
func (p *literal) next() string {
	p.space()
	if p.i == len(p.s) {
		return "the end"
	}
	return quote(p.s[p.i:min(p.i+12, len(p.s))])
}

func parseNPYHeader(s string) (npyFields, error) {
	p := &literal{s: s, field: "header"}
	var h npyFields
	seen := map[string]bool{}
	if !p.accept("{") {
		return h, p.fail("expected a dictionary, found %s", p.next())
	}
	for !p.accept("}") {
		if len(seen) > 0 {
			if !p.accept(",") {
				return h, p.fail("expected ',' or '}', found %s", p.next())
			}
			if p.accept("}") {
				break
			}
		}
		key, err := p.text()
		if err != nil {
			return h, err
		}
		if seen[key] {
			p.field = key
			return h, p.fail("is there twice")
		}
		seen[key] = true
		if !p.accept(":") {
			return h, p.fail("expected ':' after %s, found %s", quote(key), p.next())
		}
		p.field = key
		switch key {
		case "descr":
			h.descr, err = p.descr()
		case "fortran_order":
			h.fortranOrder, err = p.boolean()
		case "shape":
			h.shape, err = p.tuple()
		default:
			p.field = "header"
			err = p.fail("has the unknown key %s", quote(key))
		}
		if err != nil {
			return h, err
		}
		p.field = "header"
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return h, bad(key, "is missing from the header")
		}
	}
	if p.space(); p.i != len(s) {
		return h, p.fail("goes on after its dictionary with %s", p.next())
	}
	return h, nil
}

// text reads a string in single or double quotes. Escapes never occur in a
// header, so a backslash is an error rather than a second way to spell a key.
func (p *literal) text() (string, error) {
	p.space()
	if p.i == len(p.s) || (p.s[p.i] != '\'' && p.s[p.i] != '"') {
		return "", p.fail("expected a string, found %s", p.next())
	}
	end := strings.IndexByte(p.s[p.i+1:], p.s[p.i])
	if end < 0 {
		return "", p.fail("has a string without an end")
	}
	v := p.s[p.i+1 : p.i+1+end]
	if strings.ContainsAny(v, "\\\n\r\x00") {
		return "", p.fail("has escapes or control characters in the string %s", quote(v))
	}
	p.i += end + 2
	return v, nil
}

func (p *literal) descr() (string, error) {
	if p.space(); p.i < len(p.s) && (p.s[p.i] == '[' || p.s[p.i] == '(') {
		return "", p.fail("structured and subarray dtypes are not supported")
	}
	v, err := p.text()
	if err == nil && v == "" {
		err = p.fail("is empty")
	}
	return v, err
}

func (p *literal) boolean() (bool, error) {
	switch {
	case p.accept("True"):
		return true, nil
	case p.accept("False"):
		return false, nil
	}
	return false, p.fail("expected True or False, found %s", p.next())
}

// tuple reads a tuple of dimensions. As in Python, one element needs its comma.
func (p *literal) tuple() ([]int, error) {
	shape := []int{}
	if !p.accept("(") {
		return nil, p.fail("expected a tuple, found %s", p.next())
	}
	for comma := true; !p.accept(")"); {
		if !comma {
			return nil, p.fail("expected ',' or ')', found %s", p.next())
		}
		n, err := p.dimension()
		if err != nil {
			return nil, err
		}
		if shape = append(shape, n); len(shape) > MaxRank {
			return nil, p.fail("more than %d dimensions", MaxRank)
		}
		if comma = p.accept(","); !comma && len(shape) == 1 {
			return nil, p.fail("expected ',' after the only dimension of a tuple, found %s", p.next())
		}
	}
	return shape, nil
}

func (p *literal) dimension() (int, error) {
	p.space()
	start := p.i
	if p.accept("-") {
		return 0, p.fail("negative dimension")
	}
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	digits := p.s[start:p.i]
	if digits == "" {
		return 0, p.fail("expected a dimension, found %s", p.next())
	}
	if len(digits) > 1 && digits[0] == '0' {
		return 0, p.fail("dimension %s starts with 0", quote(digits))
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, p.fail("dimension %s is more than 2^63", quote(digits))
	}
	// Python 2 wrote its long integers with an L.
	if p.i < len(p.s) && p.s[p.i] == 'L' {
		p.i++
	}
	return n, nil
}
