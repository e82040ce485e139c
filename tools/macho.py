"""Reads what dyld will read in a 64-bit Mach-O library: load commands, imports, exports, code signature.

Written from the file format as <mach-o/loader.h> and <Kernel/kern/cs_blobs.h> document it, so that a library linked on
Linux can be judged without a Mac.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

MH_MAGIC_64, CPU_ARM64, MH_DYLIB = 0xFEEDFACF, 0x0100000C, 6
LC_SYMTAB, LC_LOAD_DYLIB, LC_ID_DYLIB, LC_CODE_SIGNATURE, LC_BUILD_VERSION = 0x2, 0xC, 0xD, 0x1D, 0x32
LC_DYLD_INFO_ONLY = 0x80000022
CS_SUPER, CS_DIRECTORY, CS_ADHOC = 0xFADE0CC0, 0xFADE0C02, 0x2
DYNAMIC_LOOKUP = -2  # library ordinal of "search everything that is loaded"


@dataclass
class Library:
    cpu: int
    file_type: int
    minos: tuple[int, int] = (0, 0)
    name: str = ""
    loads: list[str] = field(default_factory=list)
    imports: dict[str, int] = field(default_factory=dict)  # symbol -> 1-based index into loads, or DYNAMIC_LOOKUP
    exports: list[str] = field(default_factory=list)
    signed: str = "no code signature"  # "" when every page's hash is right


def read(data: bytes) -> Library:
    magic, cpu, _, file_type, count, _, _, _ = struct.unpack_from("<8I", data)
    if magic != MH_MAGIC_64:
        raise ValueError(f"not a 64-bit little-endian Mach-O file: magic {magic:#x}")
    lib, at = Library(cpu, file_type), 32
    for _ in range(count):
        command, size = struct.unpack_from("<2I", data, at)
        body = data[at : at + size]
        if command in (LC_LOAD_DYLIB, LC_ID_DYLIB):
            (offset,) = struct.unpack_from("<I", body, 8)
            name = body[offset:].split(b"\0")[0].decode()
            if command == LC_ID_DYLIB:
                lib.name = name
            else:
                lib.loads.append(name)
        elif command == LC_BUILD_VERSION:
            (version,) = struct.unpack_from("<I", body, 12)
            lib.minos = version >> 16, version >> 8 & 0xFF
        elif command == LC_SYMTAB:
            lib.exports = defined_symbols(data, *struct.unpack_from("<4I", body, 8))
        elif command == LC_DYLD_INFO_ONLY:
            binds, binds_size, _, _, lazy, lazy_size = struct.unpack_from("<6I", body, 16)
            for opcodes in (data[binds : binds + binds_size], data[lazy : lazy + lazy_size]):
                lib.imports.update(bound_symbols(opcodes))
        elif command == LC_CODE_SIGNATURE:
            start, length = struct.unpack_from("<2I", body, 8)
            lib.signed = check_signature(data, start, length)
        at += size
    return lib


def defined_symbols(data: bytes, symbols: int, count: int, strings: int, strings_size: int) -> list[str]:
    text, found = data[strings : strings + strings_size], []
    for i in range(count):
        offset, kind, _, _, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * i)
        external, defined, debug = kind & 0x01, kind & 0x0E, kind & 0xE0
        if external and defined and not debug:
            found.append(text[offset : text.index(b"\0", offset)].decode())
    return found


def bound_symbols(opcodes: bytes) -> dict[str, int]:
    """Symbols with their library ordinals, from dyld's bind program, the one thing that dyld goes by."""
    found: dict[str, int] = {}
    at = ordinal = 0
    name = ""

    def leb128() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = opcodes[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(opcodes):
        opcode, immediate = opcodes[at] & 0xF0, opcodes[at] & 0x0F
        at += 1
        if opcode == 0x10:
            ordinal = immediate
        elif opcode == 0x20:
            ordinal = leb128()
        elif opcode == 0x30:  # a special ordinal: 0, or a small negative number in four bits
            ordinal = immediate - 16 if immediate else 0
        elif opcode == 0x40:
            end = opcodes.index(b"\0", at)
            name, at = opcodes[at:end].decode(), end + 1
        elif opcode in (0x60, 0x70, 0x80):  # addend; segment and offset; add to address
            leb128()
        elif opcode in (0x90, 0xA0, 0xB0, 0xC0):  # bind, then move on
            found[name] = ordinal
            if opcode == 0xA0:
                leb128()
            elif opcode == 0xC0:
                leb128()
                leb128()
        elif opcode not in (0x00, 0x50):  # done (ends each lazy entry); type
            raise ValueError(f"unknown bind opcode {opcode:#x} at {at - 1}")
    return found


def check_signature(data: bytes, start: int, length: int) -> str:
    """Why the kernel would refuse the signature, or ""."""
    blob = data[start : start + length]
    magic, _, count = struct.unpack_from(">3I", blob)
    if magic != CS_SUPER:
        return f"signature blob has magic {magic:#x}"
    for i in range(count):
        _, offset = struct.unpack_from(">2I", blob, 12 + 8 * i)
        if struct.unpack_from(">I", blob, offset)[0] == CS_DIRECTORY:
            return check_directory(data, blob[offset:], start)
    return "no code directory"


def check_directory(data: bytes, directory: bytes, signature_start: int) -> str:
    _, _, _, flags, hashes, _, _, pages, limit = struct.unpack_from(">9I", directory)
    hash_size, hash_type, _, page_shift = struct.unpack_from(">4B", directory, 36)
    if not flags & CS_ADHOC or hash_type != 2:
        return f"flags {flags:#x}, hash type {hash_type}; want ad hoc and SHA-256"
    if limit != signature_start:
        return f"signature covers {limit} of {signature_start} bytes"
    page = 1 << page_shift
    for i in range(pages):
        digest = hashlib.sha256(data[i * page : min((i + 1) * page, limit)]).digest()[:hash_size]
        if digest != directory[hashes + i * hash_size : hashes + (i + 1) * hash_size]:
            return f"wrong hash of page {i}"
    return ""
