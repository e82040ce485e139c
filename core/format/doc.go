// Package format reads and writes the files that arrays are kept in: npy, npz,
// safetensors and GGUF. It knows bytes, shapes and dtypes and no Array.
//
// Reading is in two steps. ReadNPY, ReadNPZ and ReadSafetensors read the
// headers only and return Tensors, which say where the bytes of each array
// lie. The caller then moves the bytes into memory of its own, once, with
// ReadInto (or Entry.ReadInto for a member of an npz, which may be compressed),
// or points at the pages of the file with File.Bytes. Nothing is read twice and
// nothing is held twice.
//
// Every length, offset, count and product of a header is checked against the
// size of the file before anything is allocated from it, so a hostile file of n
// bytes costs memory in proportion to n: compressed members are held to the
// 1032:1 that deflate can reach, and members of an archive may not share bytes.
// A malformed file gives a *FormatError that names the field; an error of the
// system (no such file, no permission) is passed on as it is. A
// source with a Name method, such as *os.File or *File, has its name in the
// error.
//
// A source with a Check method is asked, while its headers are read, whether to
// go on and whether there is room for the tables that are made of them. Extent
// tells how many bytes of a stream belong to a file, so that what follows stays in
// the stream. WriteFile puts a file in its place.
//
// # npy
//
// Versions 1, 2 and 3 of https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
// Big-endian descriptors are read and swapped. NumPy has no descriptor for
// bfloat16: '<V2' is what MLX writes and what NumPy writes for
// ml_dtypes.bfloat16, so two-byte void is read as bfloat16 and bfloat16 is
// written as '<V2'. Written headers equal those of numpy.save byte by byte,
// including the room that NumPy leaves for a growing first axis. Bytes after
// the array are allowed, as several arrays may follow each other in one file.
//
// # npz
//
// A zip archive of npy members, stored or deflated, with zip64 where needed.
// Members are written in the order of the calls, dated 1980-01-01 so that equal
// arrays give equal files; the data of stored members is aligned to 64
// bytes by an extra field (the one zipalign uses), so that it can be mapped.
//
// # safetensors
//
// https://huggingface.co/docs/safetensors. Files are written as the safetensors
// package writes them, byte by byte: tensors by falling width of the dtype and
// then by name, header padded with spaces to 8 bytes. The package leaves the
// order of __metadata__ to chance; here it is sorted. Reading holds to the
// specification: no duplicate keys, no gaps, no overlaps, every byte of the
// file accounted for. Floats of 8 bits are read as their bytes.
//
// # GGUF
//
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. Tensors in blocks of the
// types Q4_0, Q4_1 and Q8_0 are unpacked to integers, scales and biases (GGUFTensor.ReadBlocks); the other types of
// blocks are refused. Tensors may leave gaps, and do not share bytes. Version 3 is written, with plain elements.
//
// # Mapped files
//
// Streaming with ReadInto is the default because it is safe: a file that is cut
// short by another process in the meantime is an error. With
// OpenMapped the pages of the file are the array, and if another process
// truncates the file the next access to a lost page kills the process with
// SIGBUS. That cannot be caught, so mapping is a choice of the caller. Mapped
// pages are read-only: a kernel must never be given them to write its result
// into.
package format
