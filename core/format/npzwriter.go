package format

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// NPZWriter writes an npz file as a stream, one array after the other.
type NPZWriter struct {
	out      *position
	zip      *zip.Writer
	compress bool
	check    checker
	seen     map[string]bool
	// The data descriptor of the last member, which archive/zip writes only when
	// the next one begins.
	pending int64
}

// position counts the bytes written, which archive/zip does not tell.
type position struct {
	w io.Writer
	n int64
}

// asking is a writer that asks check about as often as a MiB is written: archive/zip writes the directory of a million
// members in one call.
type asking struct {
	w     io.Writer
	check checker
	left  int // bytes until it asks again
}

func (a *asking) Write(b []byte) (int, error) {
	if a.left -= len(b); a.left <= 0 {
		a.left = 1 << 20
		if err := a.check(0); err != nil {
			return 0, err
		}
	}
	return a.w.Write(b)
}

func (p *position) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.n += int64(n)
	return n, err
}

// NewNPZWriter returns a writer of stored or, with compress, of deflated members. Check is asked now and then whether
// to go on, and whether there is room for tables of so many bytes.
func NewNPZWriter(w io.Writer, compress bool, check func(bytes int) error) *NPZWriter {
	out := &position{w: &asking{w: w, check: check}}
	return &NPZWriter{out: out, zip: zip.NewWriter(out), compress: compress, check: check, seen: map[string]bool{}}
}

// Add writes the array t under the key t.Name.
func (z *NPZWriter) Add(t Tensor, data Data) error {
	if n := len(z.seen); n%checkSteps == 0 {
		if err := z.check(n * entryBytes); err != nil {
			return err
		}
	}
	if err := z.add(t, data); err != nil {
		return within("member", t.Name+npyExtension, err)
	}
	return nil
}

func (z *NPZWriter) add(t Tensor, data Data) error {
	name := t.Name + npyExtension
	switch {
	case z.seen[t.Name]:
		return bad("name", "is there twice")
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return bad("name", "is not UTF-8 without null characters")
	case len(name) > math.MaxUint16:
		return bad("name", "%d bytes, the most is %d", len(name), math.MaxUint16)
	}
	size, err := checkWritable(t)
	if err != nil {
		return err
	}
	z.seen[t.Name] = true
	//lint:ignore SA1019 Modified would add a timestamp field that numpy.savez does not write; this is 1980-01-01
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, ModifiedDate: 1<<5 | 1}
	h.SetMode(0o600)
	if !z.compress {
		h.Method = zip.Store
		if err := z.zip.Flush(); err != nil {
			return err
		}
		h.Extra = alignment(z.out.n + z.pending + 30 + int64(len(name)))
	}
	w, err := z.zip.CreateHeader(h)
	if err != nil {
		return err
	}
	z.pending = 16
	if size+int64(len(npyHeader(t))) >= math.MaxUint32 {
		z.pending = 24 // zip64
	}
	return WriteNPY(w, t, data)
}

// alignment is an extra field that moves what follows it from offset to the
// next multiple of 64: the field 0xD935 of Android's zipalign, which holds the
// alignment and padding. npy headers are multiples of 64 themselves.
func alignment(offset int64) []byte {
	pad := int((npyAlign - offset%npyAlign) % npyAlign)
	if pad == 0 {
		return nil
	}
	if pad < 6 { // the least such a field takes
		pad += npyAlign
	}
	b := make([]byte, pad)
	binary.LittleEndian.PutUint16(b, 0xD935)
	binary.LittleEndian.PutUint16(b[2:], uint16(pad-4))
	binary.LittleEndian.PutUint16(b[4:], npyAlign)
	return b
}

// Close writes the directory. It does not close the underlying writer.
func (z *NPZWriter) Close() error { return z.zip.Close() }
