"""Spool files: a magic line, then frames of (length, CRC-32, payload). One frame holds the rows of one request.

A file that was being written when the process died ends in a torn frame: nobody was told that it was stored, so
it does not count. A broken frame with good ones behind it is damage to stored rows; the good ones still count.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"VIGIL-SPOOL-1\n"
SUFFIX = ".spool"
HEAD = struct.Struct("<II")
MODEL = b"vigil.model"


class Contents(NamedTuple):
    """What a segment holds. torn: bytes behind the last good frame. damaged: bad frames before it."""

    payloads: tuple[bytes, ...]
    torn: int
    damaged: int

    @property
    def understood(self) -> bool:
        """Whether every byte is accounted for; a segment that is not is kept for people."""
        return not self.torn and not self.damaged


def frame(payload: bytes) -> bytes:
    """The bytes that go into the file for one payload."""
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read_segment(path: Path) -> Contents:
    """All good payloads of a segment, in the order they were written."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        return Contents((), 0 if MAGIC.startswith(data) else len(data), 0)  # a newborn has nothing to lose
    payloads, at, good_until, bad, damaged = [], len(MAGIC), len(MAGIC), 0, 0
    while at + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, at)
        end = at + HEAD.size + length
        if end > len(data):
            break
        payload = data[at + HEAD.size : end]
        if length and zlib.crc32(payload) == crc:
            payloads.append(payload)
            good_until, damaged = end, bad
        else:
            bad += 1
        at = end
    return Contents(tuple(payloads), len(data) - good_until, damaged)


def encode(model: str, rows: "pa.Table") -> bytes:
    """Rows of one model as an Arrow stream that knows its model."""
    import pyarrow as pa

    marked = rows.replace_schema_metadata({MODEL: model.encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, marked.schema) as writer:
        writer.write_table(marked)
    return bytes(sink.getvalue())


def decode(payload: bytes) -> tuple[str, "pa.Table"]:
    """The model, and its rows."""
    import pyarrow as pa

    with pa.ipc.open_stream(payload) as reader:
        table = reader.read_all()
    return table.schema.metadata[MODEL].decode(), table.replace_schema_metadata(None)


def rows_of(path: Path) -> int:
    """How many rows the good frames of a segment hold."""
    return sum(decode(payload)[1].num_rows for payload in read_segment(path).payloads)


def sync_folder(folder: Path) -> None:
    """Makes names that were added to, or removed from, a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
