package format

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// malformed is a file that must be refused with an error of the field.
type malformed struct {
	what, field string
	file        []byte
}

// npyFile makes a file of version 1.0 with the header as it is.
func npyFile(header string, data int) []byte {
	b := append([]byte(npyMagic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func npyDict(descr, order, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape)
}

func malformedNPY() []malformed {
	f4 := func(shape string, data int) []byte { return npyFile(npyDict("'<f4'", "False", shape), data) }
	descr := func(d string) []byte { return npyFile(npyDict(d, "False", "(2,)"), 64) }
	header := func(h string) []byte { return npyFile(h, 64) }
	good := f4("(2,)", 8)
	edit := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	v2 := func(length uint32, rest string) []byte {
		b := binary.LittleEndian.AppendUint32(append([]byte(npyMagic), 2, 0), length)
		return append(b, rest...)
	}
	return []malformed{
		{"empty file", "magic", nil},
		{"half a magic", "magic", []byte("\x93NUM")},
		{"another file", "magic", []byte("PK\x03\x04 and so on")},
		{"no version", "magic", []byte(npyMagic)},
		{"version 0.0", "version", edit(6, 0)},
		{"version 4.0", "version", edit(6, 4)},
		{"version 1.1", "version", edit(7, 1)},
		{"no header length", "header length", good[:9]},
		{"header beyond the file", "header length", edit(8, 0xff, 0xff)},
		{"header of 4 GB", "header length", v2(1<<32-1, "{}")},
		{"header of 2 MB", "header length", v2(2<<20, strings.Repeat(" ", 2<<20))},
		{"version 3 not UTF-8", "header", append(append([]byte(npyMagic), 3, 0, 2, 0, 0, 0), "{\xff"...)},
		{"empty header", "header", header("")},
		{"list instead of a dictionary", "header", header("['<f4']")},
		{"no end", "header", header("{'descr': '<f4', ")},
		{"two commas", "header", header("{'descr': '<f4',, 'fortran_order': False, 'shape': ()}")},
		{"no comma", "header", header("{'descr': '<f4' 'fortran_order': False, 'shape': ()}")},
		{"only a comma", "header", header("{,}")},
		{"no colon", "header", header("{'descr' '<f4'}")},
		{"key without quotes", "header", header("{descr: '<f4'}")},
		{"key without end", "header", header("{'descr: 1}")},
		{"code", "header", header("{'descr': '<f4', 'fortran_order': False, 'shape': (),} or exit()")},
		{"null bytes after it", "header", header("{'descr': '<f4', 'fortran_order': False, 'shape': ()}\x00")},
		{"unknown key", "header", header("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}")},
		{"nested junk", "header", header("{'x': " + strings.Repeat("[", 9999))},
		{"comment", "header", header("# {}\n{}")},
		{"no descr", "descr", header("{'fortran_order': False, 'shape': ()}")},
		{"no fortran_order", "fortran_order", header("{'descr': '<f4', 'shape': ()}")},
		{"no shape", "shape", header("{'descr': '<f4', 'fortran_order': False}")},
		{"two shapes", "shape", header("{'descr': '<f4', 'shape': (), 'fortran_order': False, 'shape': ()}")},
		{"two descrs", "descr", header("{'descr': '<f4', 'descr': '<f4'}")},
		{"empty descr", "descr", descr("''")},
		{"only an order", "descr", descr("'<'")},
		{"two orders", "descr", descr("'<>f4'")},
		{"number as descr", "descr", descr("4")},
		{"structured", "descr", descr("[('a', '<f4')]")},
		{"subarray", "descr", descr("('<f4', (2,))")},
		{"escape in descr", "descr", descr(`'\x3cf4'`)},
		{"objects", "descr", descr("'|O'")},
		{"strings", "descr", descr("'<U5'")},
		{"bytes", "descr", descr("'|S5'")},
		{"dates", "descr", descr("'<M8[s]'")},
		{"void", "descr", descr("'|V3'")},
		{"complex128", "descr", descr("'<c16'")},
		{"long double", "descr", descr("'<f16'")},
		{"3-byte integers", "descr", descr("'<i3'")},
		{"2-byte bool", "descr", descr("'<b2'")},
		{"Latin-1 descr", "descr", descr("'\xff'")},
		{"fortran_order 1", "fortran_order", npyFile(npyDict("'<f4'", "1", "()"), 64)},
		{"fortran_order true", "fortran_order", npyFile(npyDict("'<f4'", "true", "()"), 64)},
		{"fortran_order Trueish", "header", npyFile(npyDict("'<f4'", "Trueish", "()"), 64)},
		{"shape without commas", "shape", f4("(3)", 12)},
		{"list as shape", "shape", f4("[3]", 12)},
		{"number as shape", "shape", f4("3", 12)},
		{"tuple of a comma", "shape", f4("(,)", 12)},
		{"two commas in shape", "shape", f4("(3,,)", 12)},
		{"no comma in shape", "shape", f4("(1 3)", 12)},
		{"shape without end", "shape", f4("(3,", 12)},
		{"negative dimension", "shape", f4("(-3,)", 12)},
		{"two negative dimensions", "shape", f4("(-3, -1)", 12)},
		{"fraction", "shape", f4("(3.0,)", 12)},
		{"True as dimension", "shape", f4("(True,)", 12)},
		{"leading zero", "shape", f4("(03,)", 12)},
		{"hexadecimal", "shape", f4("(0x3,)", 12)},
		{"underscore", "shape", f4("(1_0,)", 12)},
		{"nested tuple", "shape", f4("((3,),)", 12)},
		{"dimension of 2^63", "shape", f4("(9223372036854775808,)", 12)},
		{"dimension of 10^40", "shape", f4("(1"+strings.Repeat("0", 40)+",)", 12)},
		{"product of 2^64", "shape", f4("(4294967296, 4294967296)", 12)},
		{"product that wraps to 4 bytes", "shape", f4("(4294967297, 4294967297)", 12)},
		{"overflow hidden by 0", "shape", f4("(4611686018427387904, 4611686018427387904, 0)", 12)},
		{"65 dimensions", "shape", f4("("+strings.Repeat("1,", 65)+")", 12)},
		{"10000 dimensions", "shape", f4("("+strings.Repeat("1,", 10000)+")", 12)},
		{"more data than the file", "data", f4("(1000000000000,)", 12)},
		{"one byte short", "data", f4("(2, 3)", 23)},
		{"no data", "data", f4("()", 0)},
	}
}

func safetensorsFile(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func malformedSafetensors() []malformed {
	one := func(dtype, shape, offsets string, data int) []byte {
		return safetensorsFile(fmt.Sprintf(`{"x":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets),
			data)
	}
	f4 := func(shape, offsets string, data int) []byte { return one(`"F32"`, shape, offsets, data) }
	at := func(name string, begin, end int) string {
		return fmt.Sprintf(`%q:{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]}`, name, end-begin, begin, end)
	}
	several := func(data int, tensors ...string) []byte {
		return safetensorsFile("{"+strings.Join(tensors, ",")+"}", data)
	}
	return []malformed{
		{"empty file", "header length", nil},
		{"7 bytes", "header length", make([]byte, 7)},
		{"header beyond the file", "header length", binary.LittleEndian.AppendUint64(nil, 1)},
		{"header of 2^63", "header length", binary.LittleEndian.AppendUint64(nil, 1<<63)},
		{"header of 2^64-1", "header length", append(binary.LittleEndian.AppendUint64(nil, 1<<64-1), "{}"...)},
		{"empty header", "header", safetensorsFile("", 0)},
		{"leading space", "header", safetensorsFile(" {}", 0)},
		{"list", "header", safetensorsFile("[]", 0)},
		{"no end", "header", safetensorsFile("{", 0)},
		{"null padding", "header", safetensorsFile("{}\x00", 0)},
		{"two objects", "header", safetensorsFile("{}{}", 0)},
		{"trailing comma", "header", safetensorsFile("{"+at("x", 0, 1)+",}", 1)},
		{"no comma", "header", safetensorsFile("{"+at("x", 0, 1)+at("y", 1, 2)+"}", 2)},
		{"no colon", "header", safetensorsFile(`{"x"{}}`, 0)},
		{"key without quotes", "header", safetensorsFile(`{x:{}}`, 0)},
		{"single quotes", "header", safetensorsFile(`{'x':{}}`, 0)},
		{"key without end", "header", safetensorsFile(`{"x`, 0)},
		{"key not UTF-8", "header", safetensorsFile("{\"\xff\":{}}", 0)},
		{"overlong UTF-8", "header", safetensorsFile("{\"\xc0\x80\":{}}", 0)},
		{"control character", "header", safetensorsFile("{\"\n\":{}}", 0)},
		{"unknown escape", "header", safetensorsFile(`{"\x41":{}}`, 0)},
		{"short escape", "header", safetensorsFile(`{"\u00g0":{}}`, 0)},
		{"escape at the end", "header", safetensorsFile(`{"\`, 0)},
		{"escape that ends", "header", safetensorsFile(`{"\u00`, 0)},
		{"high surrogate", "header", safetensorsFile(`{"\ud800":{}}`, 0)},
		{"two high surrogates", "header", safetensorsFile(`{"\ud800\ud800":{}}`, 0)},
		{"low surrogate", "header", safetensorsFile(`{"\udc00":{}}`, 0)},
		{"name twice", "header", several(2, at("x", 0, 1), at("x", 1, 2))},
		{"name twice with an escape", "header", safetensorsFile("{"+at("x", 0, 1)+`,"\u0078":{}}`, 1)},
		{"metadata twice", "header", safetensorsFile(`{"__metadata__":{},"__metadata__":{}}`, 0)},
		{"metadata a list", "__metadata__", safetensorsFile(`{"__metadata__":[]}`, 0)},
		{"metadata nul", "__metadata__", safetensorsFile(`{"__metadata__":nul}`, 0)},
		{"metadata a number", "__metadata__", safetensorsFile(`{"__metadata__":{"a":1}}`, 0)},
		{"metadata nested", "__metadata__", safetensorsFile(`{"__metadata__":{"a":{}}}`, 0)},
		{"metadata key twice", "__metadata__", safetensorsFile(`{"__metadata__":{"a":"1","a":"1"}}`, 0)},
		{"metadata not UTF-8", "__metadata__", safetensorsFile("{\"__metadata__\":{\"a\":\"\xed\xa0\x80\"}}", 0)},
		{"tensor a list", `tensor "x"`, safetensorsFile(`{"x":[]}`, 0)},
		{"tensor null", `tensor "x"`, safetensorsFile(`{"x":null}`, 0)},
		{"no dtype", "dtype", safetensorsFile(`{"x":{"shape":[],"data_offsets":[0,0]}}`, 0)},
		{"no shape", "shape", safetensorsFile(`{"x":{"dtype":"F32","data_offsets":[0,0]}}`, 0)},
		{"no offsets", "data_offsets", safetensorsFile(`{"x":{"dtype":"F32","shape":[]}}`, 0)},
		{"Dtype", "dtype", safetensorsFile(`{"x":{"Dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4)},
		{"dtype twice", "dtype", safetensorsFile(`{"x":{"dtype":"F32","dtype":"F32"}}`, 0)},
		{"shape twice", "shape", safetensorsFile(`{"x":{"shape":[],"shape":[]}}`, 0)},
		{"offsets twice", "data_offsets", safetensorsFile(`{"x":{"data_offsets":[0,0],"data_offsets":[0,0]}}`, 0)},
		{"unknown dtype", "dtype", one(`"F31"`, "[1]", "[0,4]", 4)},
		{"dtype f32", "dtype", one(`"f32"`, "[1]", "[0,4]", 4)},
		{"dtype a number", "dtype", one("32", "[1]", "[0,4]", 4)},
		{"F6_E2M3", "dtype", one(`"F6_E2M3"`, "[4]", "[0,3]", 3)},
		{"F6_E3M2", "dtype", one(`"F6_E3M2"`, "[4]", "[0,3]", 3)},
		{"F4", "dtype", one(`"F4"`, "[2]", "[0,1]", 1)},
		{"shape a number", "shape", f4("1", "[0,4]", 4)},
		{"shape of a string", "shape", f4(`["1"]`, "[0,4]", 4)},
		{"negative dimension", "shape", f4("[-1]", "[0,4]", 4)},
		{"minus zero", "shape", f4("[-0]", "[0,0]", 0)},
		{"fraction", "shape", f4("[1.0]", "[0,4]", 4)},
		{"exponent", "shape", f4("[1e0]", "[0,4]", 4)},
		{"leading zero", "shape", f4("[01]", "[0,4]", 4)},
		{"trailing comma in shape", "shape", f4("[1,]", "[0,4]", 4)},
		{"no comma in shape", "shape", f4("[1 1]", "[0,4]", 4)},
		{"dimension of 2^63", "shape", f4("[9223372036854775808]", "[0,4]", 4)},
		{"product of 2^64", "shape", f4("[4294967296,4294967296]", "[0,0]", 0)},
		{"overflow hidden by 0", "shape", f4("[4611686018427387904,4611686018427387904,0]", "[0,0]", 0)},
		{"65 dimensions", "shape", f4("[1"+strings.Repeat(",1", 64)+"]", "[0,4]", 4)},
		{"offsets a number", "data_offsets", f4("[1]", "0", 4)},
		{"one offset", "data_offsets", f4("[1]", "[4]", 4)},
		{"three offsets", "data_offsets", f4("[1]", "[0,4,8]", 4)},
		{"offsets turned round", "data_offsets", f4("[1]", "[4,0]", 4)},
		{"negative offset", "data_offsets", f4("[1]", "[-4,0]", 4)},
		{"offset of 2^64", "data_offsets", f4("[1]", "[0,18446744073709551616]", 4)},
		{"too few bytes", "data_offsets", f4("[2]", "[0,4]", 4)},
		{"too many bytes", "data_offsets", f4("[1]", "[0,8]", 8)},
		{"beyond the file", "data_offsets", f4("[2]", "[0,8]", 7)},
		{"far beyond the file", "data_offsets", f4("[0]", "[9223372036854775807,9223372036854775807]", 0)},
		{"gap in front", "data_offsets", several(2, at("x", 1, 2))},
		{"gap between", "data_offsets", several(3, at("x", 0, 1), at("y", 2, 3))},
		{"overlap", "data_offsets", several(3, at("x", 0, 2), at("y", 1, 3))},
		{"the same bytes", "data_offsets", several(2, at("x", 0, 2), at("y", 0, 2))},
		{"empty tensor inside of another", "data_offsets", several(2, at("x", 0, 2), at("y", 1, 1))},
		{"bytes left over", "data", several(3, at("x", 0, 2))},
		{"bytes without tensors", "data", safetensorsFile("{}", 1)},
		{"deep junk", `tensor "x"`, safetensorsFile(`{"x":{"y":`+strings.Repeat("[", 1e6), 0)},
		{"deep objects", `tensor "x"`, safetensorsFile(`{"x":{"y":`+strings.Repeat(`{"a":`, 1e5), 0)},
		{"bad number in junk", `tensor "x"`, safetensorsFile(`{"x":{"y":1.}}`, 0)},
		{"bad exponent in junk", `tensor "x"`, safetensorsFile(`{"x":{"y":1e}}`, 0)},
		{"bad word in junk", `tensor "x"`, safetensorsFile(`{"x":{"y":[true,falsE]}}`, 0)},
	}
}

// zipFile makes an archive in which change may lie about the one member a.npy.
func zipFile(content []byte, method uint16, change func(h *zip.FileHeader)) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	addRaw(z, content, method, change)
	z.Close()
	return out.Bytes()
}

func addRaw(z *zip.Writer, content []byte, method uint16, change func(h *zip.FileHeader)) {
	h := &zip.FileHeader{Name: "a.npy", Method: method, CRC32: crc32.ChecksumIEEE(content),
		UncompressedSize64: uint64(len(content)), CompressedSize64: uint64(len(content))}
	if method == zip.Deflate {
		// Let archive/zip deflate, then take the raw bytes.
		var packed bytes.Buffer
		d := zip.NewWriter(&packed)
		w, _ := d.CreateHeader(&zip.FileHeader{Name: "a", Method: zip.Deflate})
		w.Write(content)
		d.Close()
		r, _ := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
		raw, _ := r.File[0].OpenRaw()
		h.CompressedSize64 = r.File[0].CompressedSize64
		content, _ = io.ReadAll(raw)
	}
	if change != nil {
		change(h)
	}
	w, _ := z.CreateRaw(h)
	w.Write(content)
}

func malformedNPZ() []malformed {
	array := npyFile(npyDict("'<f4'", "False", "(2, 3)"), 24)
	stored := zipFile(array, zip.Store, nil)
	change := func(method uint16, f func(h *zip.FileHeader)) []byte { return zipFile(array, method, f) }
	two := func(a, b string) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		addRaw(z, array, zip.Store, func(h *zip.FileHeader) { h.Name = a })
		addRaw(z, array, zip.Store, func(h *zip.FileHeader) { h.Name = b })
		z.Close()
		return out.Bytes()
	}
	// The directory entry of b is pointed at the local header of a.
	overlap := two("a.npy", "b.npy")
	last := bytes.LastIndex(overlap, []byte("PK\x01\x02"))
	copy(overlap[last+42:last+46], make([]byte, 4))
	offset := bytes.Clone(stored)
	binary.LittleEndian.PutUint32(offset[bytes.LastIndex(stored, []byte("PK\x01\x02"))+42:], 1<<31)
	corrupt := change(zip.Deflate, nil)
	copy(corrupt[30+len("a.npy"):], "\xff\xff\xff\xff\xff\xff")

	files := []malformed{
		{"empty file", "zip directory", nil},
		{"another file", "zip directory", array},
		{"cut off", "zip directory", stored[:len(stored)-1]},
		{"local header elsewhere", "local header", offset},
		{"encrypted", "flags", change(zip.Store, func(h *zip.FileHeader) { h.Flags |= 1 })},
		{"bzip2", "compression method", change(zip.Store, func(h *zip.FileHeader) { h.Method = 12 })},
		{"method 99", "compression method", change(zip.Store, func(h *zip.FileHeader) { h.Method = 99 })},
		{"compressed beyond the file", "compressed size",
			change(zip.Store, func(h *zip.FileHeader) { h.CompressedSize64 = 1 << 30 })},
		{"compressed 2^64-1", "compressed size",
			change(zip.Store, func(h *zip.FileHeader) { h.CompressedSize64 = 1<<64 - 1 })},
		{"stored, two sizes", "uncompressed size",
			change(zip.Store, func(h *zip.FileHeader) { h.UncompressedSize64++ })},
		{"bomb", "uncompressed size", change(zip.Deflate, func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 40 })},
		{"bomb of 2^64-1", "uncompressed size",
			change(zip.Deflate, func(h *zip.FileHeader) { h.UncompressedSize64 = 1<<64 - 1 })},
		{"name not UTF-8", "name", change(zip.Store, func(h *zip.FileHeader) { h.Name = "\xff.npy" })},
		{"name with a null", "name", change(zip.Store, func(h *zip.FileHeader) { h.Name = "a\x00.npy" })},
		{"name twice", "name", two("a.npy", "a.npy")},
		{"name twice without extension", "name", two("a.npy", "a")},
		{"members share bytes", "offset", overlap},
		{"text", "magic", zipFile([]byte("read me first"), zip.Store, nil)},
		{"empty member", "magic", zipFile(nil, zip.Store, nil)},
		{"data too short", "data", zipFile(array[:len(array)-1], zip.Store, nil)},
		{"data too long", "data", zipFile(append(bytes.Clone(array), 0), zip.Deflate, nil)},
		{"array larger than the member", "data",
			zipFile(npyFile(npyDict("'<f4'", "False", "(1000000000000,)"), 24), zip.Deflate, nil)},
		{"deflated junk", "data", corrupt},
	}
	for _, m := range malformedNPY() {
		// What is wrong with an npy file is wrong with it as a member.
		files = append(files, malformed{"member: " + m.what, m.field, zipFile(m.file, zip.Deflate, nil)})
	}
	return files
}

func TestMalformedNPY(t *testing.T) {
	for _, m := range malformedNPY() {
		t.Run(m.what, func(t *testing.T) {
			wantField(t, m.field, second(ReadNPY(bytes.NewReader(m.file), int64(len(m.file)))))
		})
	}
}

func TestMalformedNPZ(t *testing.T) {
	for _, m := range malformedNPZ() {
		t.Run(m.what, func(t *testing.T) {
			wantField(t, m.field, second(ReadNPZ(bytes.NewReader(m.file), int64(len(m.file)))))
		})
	}
}

func TestMalformedSafetensors(t *testing.T) {
	for _, m := range malformedSafetensors() {
		t.Run(m.what, func(t *testing.T) {
			wantField(t, m.field, third(ReadSafetensors(bytes.NewReader(m.file), int64(len(m.file)))))
		})
	}
}

// The limit of the header holds in a file that is long enough for it, before
// anything is allocated.
func TestLongSafetensorsHeader(t *testing.T) {
	length := binary.LittleEndian.AppendUint64(nil, maxSafetensorsHeader+1)
	wantField(t, "header length", third(ReadSafetensors(bytes.NewReader(length), 1<<40)))
	length = binary.LittleEndian.AppendUint64(nil, 1<<20)
	wantField(t, "header", third(ReadSafetensors(bytes.NewReader(length), 1<<40))) // the file shrank
}

// Damage that only shows in the data itself.
func TestDamagedMember(t *testing.T) {
	array := npyFile(npyDict("'<f4'", "False", "(2, 3)"), 24)
	for what, file := range map[string][]byte{
		"stored":   zipFile(array, zip.Store, func(h *zip.FileHeader) { h.CRC32++ }),
		"deflated": zipFile(array, zip.Deflate, func(h *zip.FileHeader) { h.CRC32++ }),
		"longer": zipFile(append(bytes.Clone(array), 0), zip.Deflate,
			func(h *zip.FileHeader) { h.UncompressedSize64-- }),
		"shorter": zipFile(array[:len(array)-1], zip.Deflate, func(h *zip.FileHeader) { h.UncompressedSize64++ }),
	} {
		entries := must(ReadNPZ(bytes.NewReader(file), int64(len(file))))(t)
		if err := entries[0].ReadInto(make([]byte, 24)); err == nil {
			t.Errorf("%s: no error", what)
		} else {
			wantField(t, "data", err)
		}
	}
}

// Unusual files that are right all the same.
func TestUnusual(t *testing.T) {
	for what, file := range map[string][]byte{
		"bytes after the array": npyFile(npyDict("'<f4'", "False", "(2,)"), 9),
		"double quotes":         npyFile(`{"descr":"<f4","fortran_order":False,"shape":(2,)}`, 8),
		"other order of keys":   npyFile("{'shape': (2L,), 'fortran_order': True, 'descr': '<f4',}  \t\r\n", 8),
		"native":                npyFile(npyDict("'=f4'", "False", "( 2 , )"), 8),
		"no order":              npyFile(npyDict("'f4'", "False", "(2,)"), 8),
	} {
		x, err := ReadNPY(bytes.NewReader(file), int64(len(file)))
		if err != nil || x.FortranOrder || x.BigEndian {
			t.Errorf("%s: %+v, %v", what, x, err)
			continue
		}
		check(t, x, dtype.Float32, []int{2})
	}
	if x := readNPYFile(t, npyFile(npyDict("'>V2'", "False", "(1, 2)"), 4)); x.Dtype != dtype.BFloat16 || !x.BigEndian {
		t.Errorf("%+v", x)
	}

	tensor := `"x":{"extra":[{"a":[-1.5e+3,null,true,"\ud83d\ude00"]},{},[]],` +
		`"dtype":"U8","shape":[2],"data_offsets":[0,2]}`
	for what, header := range map[string]string{
		"unknown keys":   "{" + tensor + "}",
		"spaces":         "{ \n" + tensor + "\t\r}\n  ",
		"metadata null":  `{"__metadata__":null,` + tensor + "}",
		"metadata last":  "{" + tensor + `,"__metadata__":{}}`,
		"empty at 0":     "{" + tensor + `,"y":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`,
		"empty at end":   "{" + tensor + `,"y":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}`,
		"empty name":     `{"":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`,
		"escaped dtype":  `{"x":{"d\u0074ype":"U\u0038","shape":[2],"data_offsets":[0,2]}}`,
		"every escape":   `{"\"\\\/\b\f\n\r\t\u00E9":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`,
		"offsets spaced": `{"x":{"dtype":"U8","shape":[ 2 ],"data_offsets":[ 0 , 2 ]}}`,
	} {
		file := safetensorsFile(header, 2)
		tensors, _, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
		if err != nil || len(tensors) == 0 {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if what == "every escape" && tensors[0].Name != "\"\\/\b\f\n\r\té" {
			t.Errorf("%s: %q", what, tensors[0].Name)
		}
	}

	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.Create("layer/")
	for _, name := range []string{"../layer/a.npy", "no extension", ".npy"} {
		addRaw(z, npyFile(npyDict("'<f4'", "False", "(2, 3)"), 24), zip.Deflate,
			func(h *zip.FileHeader) { h.Name = name })
	}
	z.Close()
	entries := must(ReadNPZ(bytes.NewReader(out.Bytes()), int64(out.Len())))(t)
	if len(entries) != 3 || entries[0].Name != "../layer/a" || entries[1].Name != "no extension" ||
		entries[2].Name != "" {
		t.Errorf("%+v", entries)
	}
	selfExtracting := append([]byte("#!/bin/sh"), out.Bytes()...)
	if _, err := ReadNPZ(bytes.NewReader(selfExtracting), int64(len(selfExtracting))); err != nil {
		t.Error(err)
	}
}
