package format

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	npyExtension = ".npy"
	// Deflate spends at least two bits on a match, and a match is at most 258
	// bytes long (RFC 1951).
	maxDeflateRatio = 1032
	zipEncrypted    = 1 << 0
)

// Entry is one array of an npz file. Stored members have an Offset and can be
// read or mapped like any Tensor; compressed ones have Offset -1.
type Entry struct {
	Tensor
	member *zip.File
	header int64 // bytes of the npy header, in front of the data
	source io.ReaderAt
}

// ReadNPZ reads the directory of an npz file of size bytes and the npy headers
// of its members, in the order of the directory.
func ReadNPZ(r io.ReaderAt, size int64) ([]Entry, error) {
	entries, err := readNPZ(r, size)
	if err != nil {
		return nil, named(r, err)
	}
	return entries, nil
}

func readNPZ(r io.ReaderAt, size int64) ([]Entry, error) {
	// The section keeps the offsets of a hostile directory inside of the file.
	check := checkOf(r)
	directory := &counted{ReaderAt: r, check: check}
	z, err := zip.NewReader(io.NewSectionReader(directory, 0, size), size)
	directory.check = nil
	// Names are keys and never paths here, so ".." in one is no danger.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, zipError("zip directory", err)
	}
	var entries []Entry
	var spans []span
	seen := map[string]bool{}
	for i, f := range z.File {
		if i%checkSteps == 0 {
			if err := check(i * entryBytes); err != nil {
				return nil, err
			}
		}
		if strings.HasSuffix(f.Name, "/") && f.UncompressedSize64 == 0 {
			continue // a folder, as archivers add it
		}
		name := strings.TrimSuffix(f.Name, npyExtension)
		switch {
		case !utf8.ValidString(f.Name):
			err = bad("name", "is not UTF-8")
		case strings.ContainsRune(f.Name, 0):
			err = bad("name", "has a null character")
		case seen[name]:
			err = bad("name", "is there twice")
		default:
			var e Entry
			var s span
			if e, s, err = readMember(r, size, f); err == nil {
				e.Name = name
				entries, spans = append(entries, e), append(spans, s)
			}
		}
		if err != nil {
			return nil, within("member", f.Name, err)
		}
		seen[name] = true
	}
	return entries, checkOverlap(spans)
}

// counted checks for room for the tables that are made of what is read.
type counted struct {
	io.ReaderAt
	check checker // nil when the data is read
	bytes int
}

func (c *counted) ReadAt(b []byte, offset int64) (int, error) {
	if c.check != nil {
		if c.bytes += len(b); c.bytes > 1<<16 {
			if err := c.check(c.bytes * entryBytes / 128); err != nil {
				return 0, err
			}
		}
	}
	return c.ReaderAt.ReadAt(b, offset)
}

// span is the range of compressed bytes of a member.
type span struct {
	begin, end int64
	name       string
}

// checkOverlap keeps members from sharing bytes: an archive of n bytes would
// otherwise unpack to n*n (D. Fifield, A better zip bomb, WOOT 2019).
func checkOverlap(spans []span) error {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	for i := 1; i < len(spans); i++ {
		if a, b := spans[i-1], spans[i]; a.end > b.begin {
			return within("member", b.name, bad("offset", "shares bytes with member %s", quote(a.name)))
		}
	}
	return nil
}

func readMember(r io.ReaderAt, size int64, f *zip.File) (Entry, span, error) {
	var s span
	if f.Flags&zipEncrypted != 0 {
		return Entry{}, s, bad("flags", "the member is encrypted")
	}
	if f.Method != zip.Store && f.Method != zip.Deflate {
		return Entry{}, s, bad("compression method", "%d is neither 0 (stored) nor 8 (deflated)", f.Method)
	}
	offset, err := f.DataOffset()
	if err != nil {
		return Entry{}, s, zipError("local header", err)
	}
	// DataOffset adds what the local header says without looking at size.
	if offset < 0 || offset > size || f.CompressedSize64 > uint64(size-offset) {
		return Entry{}, s,
			bad("compressed size", "%d bytes at offset %d go beyond the %d bytes of the file", f.CompressedSize64,
				offset, size)
	}
	switch {
	case f.UncompressedSize64 > math.MaxInt64:
		return Entry{}, s, bad("uncompressed size", "%d is more than 2^63", f.UncompressedSize64)
	case f.Method == zip.Store && f.UncompressedSize64 != f.CompressedSize64:
		return Entry{}, s,
			bad("uncompressed size", "%d bytes of a stored member of %d", f.UncompressedSize64, f.CompressedSize64)
	case f.UncompressedSize64/maxDeflateRatio > f.CompressedSize64:
		return Entry{}, s,
			bad("uncompressed size", "%d compressed bytes cannot hold %d", f.CompressedSize64, f.UncompressedSize64)
	}
	s = span{offset, offset + int64(f.CompressedSize64), f.Name}

	e := Entry{member: f, source: r}
	unpacked := int64(f.UncompressedSize64)
	body, err := f.Open()
	if err != nil {
		return Entry{}, s, zipError("local header", err)
	}
	defer body.Close()
	if e.Tensor, err = readNPYHeader(body, unpacked); err != nil {
		return Entry{}, s, zipError("data", err)
	}
	e.header = e.Offset
	if have := unpacked - e.header; e.Size != have {
		return Entry{}, s,
			bad("data", "shape %v of %v takes %d bytes, the member has %d after its header", e.Shape, e.Dtype, e.Size,
				have)
	}
	if f.Method == zip.Store {
		e.Offset = offset + e.header
	} else {
		e.Offset = -1
	}
	return e, s, nil
}

// zipError tells what is wrong with the archive from what went wrong in the
// system: only the former is a FormatError.
func zipError(field string, err error) error {
	var corrupt flate.CorruptInputError
	var f *FormatError
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, zip.ErrFormat):
		return bad(field, "is not that of a zip archive, or damaged")
	case errors.Is(err, zip.ErrChecksum):
		return bad(field, "the checksum does not match: the member is damaged")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return bad(field, "the archive ends too early")
	case errors.As(err, &corrupt):
		return bad(field, "the deflated bytes are damaged")
	}
	return err
}

// Open returns the bytes of the array as they lie in the file. The end is
// reported after the checksum of the member was found to be right. Members can be
// open at the same time.
func (e *Entry) Open() (io.ReadCloser, error) {
	body, err := e.member.Open()
	if err == nil {
		if _, err = io.CopyN(io.Discard, body, e.header); err == nil {
			return body, nil
		}
		body.Close()
	}
	return nil, named(e.source, within("member", e.member.Name, zipError("data", err)))
}

// ReadInto unpacks the array into dst, as the function ReadInto does, and checks
// the checksum of the member.
func (e *Entry) ReadInto(dst []byte) error {
	body, err := e.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	err = readInto(dst, body, e.Tensor)
	if err == nil {
		var more [1]byte
		var n int
		if n, err = body.Read(more[:]); err == io.EOF {
			return nil
		}
		if n > 0 {
			err = bad("data", "goes on after the %d bytes of its array", e.Size)
		}
	}
	if err != nil {
		err = zipError("data", err)
	}
	return named(e.source, within("member", e.member.Name, err))
}
