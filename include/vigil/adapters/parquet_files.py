"""Parquet files that appear whole or not at all, and footers that are read before a file is trusted.

A batch of one date is one file, which appears by one rename. A batch of several dates is written as `.part.parquet`
files that nobody counts until the marker `_batches/<batch>` exists: the marker is the commit of the batch.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_files import is_dated, unclaimed_of
from vigil.adapters.duckdb_rows import require
from vigil.core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from vigil.core.window import Window

    Footers = dict[str, pq.FileMetaData]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOSECONDS = {"milliseconds": 1_000_000, "microseconds": 1000, "nanoseconds": 1}  # of a unit of stored time
SINGLE, PART, MARKERS = ".parquet", ".part.parquet", "_batches"
Broken = tuple[tuple[str, str], ...]  # (file, reason)
LARGEST_FOOTER = 64 << 20  # bytes: some 50,000 row groups of ten columns, each of which costs every query
TAIL = 65536  # bytes at the end of a file that its fingerprint covers: the footer, with the statistics of all columns


def committed(folder: Path, batch: str) -> tuple[str, ...]:
    """The files of a batch that was committed before; empty when it was not."""
    parts = (folder / MARKERS / batch).exists()
    return tuple(str(p) for p in sorted(folder.glob(f"date=*/{batch}{PART if parts else SINGLE}")))


def commit(folder: Path, batch: str, days: Sequence[tuple[date, pa.Table]]) -> tuple[str, ...]:
    """Writes one file a date, visible together. What a crashed writer left of the same batch is replaced."""
    suffix = PART if len(days) > 1 else SINGLE
    written = [folder / f"date={day}" / f"{batch}{suffix}" for day, _ in days]
    for path, (_, rows) in zip(written, days, strict=True):
        _publish(path, partial(_write, rows))
    if len(days) > 1:
        listed = "\n".join(str(path.relative_to(folder)) for path in written)
        _publish(folder / MARKERS / batch, partial(_note, listed))
    return tuple(str(path) for path in written)


def keep_reference(path: Path, rows: pa.Table) -> str:
    """One file that is replaced as a whole. Returns the SHA-256 of what was written."""
    _publish(path, partial(_write, rows))
    return sha256(path.read_bytes()).hexdigest()


def visible(folder: Path, wanted: Callable[[date], bool]) -> list[str]:
    """Committed files of the wanted dates, in order.

    Markers are read once and before the folders: parts precede their marker, so a batch that is committed while we
    look is seen whole or not at all.
    """
    markers = {path.name for path in (folder / MARKERS).glob("*")}
    found = []
    for day in sorted(folder.glob("date=*")):
        with suppress(ValueError):
            if not wanted(date.fromisoformat(day.name.removeprefix("date="))):
                continue
            for path in sorted(day.glob(f"*{SINGLE}")):
                part = path.name.endswith(PART)
                if not path.name.startswith((".", "_")) and (not part or path.name.removesuffix(PART) in markers):
                    found.append(str(path))
    return found


def dates(folder: Path) -> list[date]:
    """The dates of a model's log, in order."""
    found = []
    for day in sorted(folder.glob("date=*")):
        with suppress(ValueError):
            found.append(date.fromisoformat(day.name.removeprefix("date=")))
    return found


def readable(names: Iterable[str]) -> tuple[Footers, Broken]:
    """(file -> footer, (file, reason) of those without a whole one). A file cut in half has none.

    A file of a million row groups has more footer than rows; reading it would take the night and the memory of others.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    good, broken = {}, []
    for name in names:
        try:
            _check_footer(name)
            good[name] = pq.read_metadata(name)
        except (pa.ArrowException, OSError, ValueError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            broken.append((name, first[:200]))
    return good, tuple(broken)


def _check_footer(name: str) -> None:
    """Raises ValueError for a footer that is too large to be read, without reading it."""
    with Path(name).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        length, mark = int.from_bytes(file.read(4), "little"), file.read(4)
    if mark == b"PAR1" and LARGEST_FOOTER < length < size:
        raise ValueError(
            f"its footer alone has {length >> 20:,} MB (row groups of very few rows); write row groups of 10,000 rows "
            "or more and put the file in its place"
        )


def usable(footers: Footers, *, needed: Sequence[str], at: str) -> tuple[tuple[str, ...], Broken]:
    """(files, (file, reason) of those that lack a `needed` column, or whose column `at` is no time).

    No night can claim the rows of such a file: beside good files they would vanish without a word.
    """
    import pyarrow as pa

    good, broken = [], []
    for name, footer in footers.items():
        try:
            schema = footer.schema.to_arrow_schema()
            require(needed, schema.names, "the file")
        except (DataError, pa.ArrowException) as error:
            broken.append((name, str(error)[:200]))
            continue
        if pa.types.is_timestamp(schema.field(at).type):
            good.append(name)
        else:
            broken.append((name, f"column {at!r} is {schema.field(at).type}; it must be a timestamp"))
    return tuple(good), tuple(broken)


def unclaimed(footers: Footers, names: Iterable[str], *, at: str, window: Window, environment: str) -> Broken:
    """(file, reason) of those with rows that no night, or no environment, can claim: else they would just vanish.

    The other rows of such a file are as good as any. Files whose footers say that nothing is missing are not opened.
    """
    broken = []
    for name in names:
        dated = is_dated(footers[name].schema.to_arrow_schema(), at)
        if not dated or all(_is_whole(footers[name], column) for column in (at, "environment")):
            continue  # a file of another environment that has no times is nobody's here
        lost = unclaimed_of(name, at=at, window=window, environment=environment)
        told = [f"{n:,} without {column!r}" for n, column in zip(lost, (at, "environment"), strict=True) if n]
        if told:
            rows = footers[name].num_rows
            broken.append((name, f"of its {rows:,} rows {' and '.join(told)} are in no night; the others are counted"))
    return tuple(broken)


def _is_whole(footer: pq.FileMetaData, column: str) -> bool:
    """Whether the footer says that every row has a value."""
    return all(s is not None and s.has_null_count and not s.null_count for s in _statistics(footer, column))


def _statistics(footer: pq.FileMetaData, column: str) -> list[Any]:
    """What each row group of the file says of a column."""
    names = [footer.schema.column(i).path for i in range(len(footer.schema))]
    index = names.index(column)
    return [footer.row_group(g).column(index).statistics for g in range(footer.num_row_groups)]


def may_hold(footer: pq.FileMetaData, *, at: str, window: Window, environment: str) -> bool:
    """Whether a file may have rows of the window and environment, as far as its statistics tell."""
    places = _range(footer, "environment")
    return _may_date(footer, at, window) and (places is None or not (places[0] == places[1] != environment))


def may_count(footer: pq.FileMetaData, *, at: str, window: Window) -> bool:
    """Whether a file may have rows of the window, of any environment, or rows that have no time at all."""
    return _may_date(footer, at, window) or not _is_whole(footer, at)


def _may_date(footer: pq.FileMetaData, at: str, window: Window) -> bool:
    times = _range(footer, at)
    if times is None or not isinstance(times[0], datetime):
        return True
    low, high = (t if t.tzinfo else t.replace(tzinfo=UTC) for t in times)
    return bool(high >= window.start and low < window.end)


def _range(footer: pq.FileMetaData, column: str) -> tuple[Any, Any] | None:
    """The smallest and the largest value of a column; None where the footer does not say."""
    names = [footer.schema.column(i).path for i in range(len(footer.schema))]
    if column not in names or footer.num_row_groups == 0:
        return None
    found = _statistics(footer, column)
    if any(s is None or not s.has_min_max for s in found):
        return None
    kind = json.loads(footer.schema.column(names.index(column)).logical_type.to_json())
    if kind["Type"] != "Timestamp":
        return min(s.min for s in found), max(s.max for s in found)
    # as they are stored: to make a time of it, pyarrow would import pandas
    ends = min(s.min_raw for s in found), max(s.max_raw for s in found)
    return _moment(ends[0], kind["timeUnit"]), _moment(ends[1], kind["timeUnit"])


def _moment(stored: int, unit: str) -> datetime:
    """A stored time, to the microsecond as DuckDB reads it; what no calendar has is its first or last day."""
    try:
        return EPOCH + timedelta(microseconds=stored * NANOSECONDS[unit] // 1000)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if stored > 0 else datetime.min.replace(tzinfo=UTC)


def fingerprint(name: str) -> str:
    """Size and hash of the end of a file. Files are never changed in place, so this tells any two apart."""
    path = Path(name)
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL))
        return f"{size}:{sha256(file.read()).hexdigest()[:16]}"


def _write(rows: pa.Table, draft: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.write_table(rows, draft, compression="zstd")
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"the rows cannot be stored as Parquet: {error}; log plain numbers, text and times") from error


def _note(text: str, draft: Path) -> None:
    draft.write_text(text)


def _publish(path: Path, fill: Callable[[Path], None]) -> None:
    """Draft, fsync, rename, fsync of the folder: afterwards the file survives a power cut, before nobody sees it."""
    _folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        fill(draft)
        _sync(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _folder(path: Path) -> None:
    """Makes a folder and what is missing above it; each is synced into its parent."""
    if path.is_dir():
        return
    _folder(path.parent)
    path.mkdir(exist_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
