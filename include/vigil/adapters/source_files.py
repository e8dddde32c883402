"""The files of a log that others write, at an address that fsspec knows.

What is not part of the log is left out: names that begin with `_` or `.` (files that a writer has not committed, its
markers and checksums), and the files inside a table, which only the table's own reader can tell from removed ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from vigil.adapters.table_folders import TableFormat, open_table, table_at
from vigil.core.errors import DataError, NoFiles
from vigil.core.ids import digest
from vigil.intake.types import Kind

SUFFIXES: Mapping[str, Kind] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
PACKED = (".gz", ".zst")  # x.jsonl.gz is JSON lines; x.gz is taken for CSV
PRIVATE = ("_", ".")  # how names begin that are a writer's own
PARTITION = re.compile(r"([A-Za-z_]\w*)=(.*)")  # of a folder: date=2026-01-01
WHOLE = ("", "*", "**", "*.parquet", "data")  # parts of an address that leave nothing of a table out
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class File(NamedTuple):
    """A file of a log, or a table. name: below the folder that the address begins with; rows without ids are called
    after it. columns: what the names of its folders say of all its rows (`date=2026-01-01/`)."""

    address: str
    name: str
    fingerprint: str
    fs: Any
    columns: Mapping[str, str | None]
    table: TableFormat | None = None


def find_files(home: Path, where: str) -> list[File]:
    """The files of an address, in order. Raises DataError when there is none."""
    import fsspec  # type: ignore[import-untyped]

    absolute = where if "://" in where or Path(where).is_absolute() else str(home / where)
    try:
        fs, path = fsspec.core.url_to_fs(absolute)
        if fs.isdir(path):
            path = f"{path.rstrip('/')}/**/*"
        base = path.partition("*")[0].rpartition("/")[0]
        tables = _Tables(fs, base)
        if tables.around:
            _whole(where, tables.around, path.removeprefix(tables.around))
            return [tables.file(tables.around)]
        listed = sorted(p for p in (fs.glob(path) if "*" in path else [path]) if fs.exists(p) and fs.isfile(p))
    except (ImportError, ValueError, OSError) as error:
        raise DataError(f"{where} cannot be opened: {error}; is the address right, and its driver there?") from error
    roots = {p: tables.root(p) for p in listed}
    plain = [p for p, root in roots.items() if root is None and not _private(p.removeprefix(f"{base}/"))]
    plain = [p for p in plain if suffix_of(p) in SUFFIXES] or plain
    inside = sorted({root for root in roots.values() if root is not None})
    if not plain and not inside:
        raise NoFiles(_nothing(where, listed))
    return [*(tables.file(root) for root in inside), *_plain(fs, base, plain)]


def _whole(where: str, root: str, within: str) -> None:
    """Raises DataError where an address asks for a part of a table."""
    if any(part not in WHOLE for part in within.split("/")):
        raise DataError(f"{where} is a part of the table {root}, which is only read as a whole: give its folder")


def _nothing(where: str, listed: list[str]) -> str:
    if listed:
        return (
            f"{where}: all {len(listed)} files there are a writer's own ({Path(listed[0]).name}): names that begin "
            "with '_' or '.' are not committed, or no rows. Has the job that writes them finished?"
        )
    return f"there is no file {where}: correct `predictions:` (or `where:`) under `source:`"


def _plain(fs: Any, base: str, paths: list[str]) -> Iterator[File]:
    for path in paths:
        with suppress(FileNotFoundError):  # removed since it was listed
            fingerprint = digest([str(fs.ukey(path))], length=24)
            yield File(path, path.removeprefix(f"{base}/"), fingerprint, fs, _columns(path))


def _private(name: str) -> bool:
    return any(part.startswith(PRIVATE) for part in name.split("/"))


def _columns(path: str) -> dict[str, str | None]:
    """Columns that the names of folders hold, as Spark and Hive write them.

    >>> _columns("log/date=2026-01-01/city=K%C3%B6ln/part-0.parquet")
    {'date': '2026-01-01', 'city': 'Köln'}
    """
    pairs = (PARTITION.fullmatch(part) for part in path.split("/")[:-1])
    return {m[1]: None if m[2] == NO_VALUE else unquote(m[2]) for m in pairs if m}


def suffix_of(address: str) -> str:
    """The ending that tells the format: `.jsonl` of x.jsonl.gz, `.csv` of x.gz."""
    path = Path(address)
    if path.suffix.lower() not in PACKED:
        return path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if inner in SUFFIXES else ".csv"


class _Tables:
    """The tables at an address. around: the one that holds all of it, if there is one."""

    def __init__(self, fs: Any, base: str) -> None:
        self._fs, self._base = fs, base
        self._known: dict[str, TableFormat | None] = {}
        self.around = next((folder for folder in _upwards(base) if self._format(folder)), None)

    def root(self, path: str) -> str | None:
        """The folder of the table that a file below the base is in."""
        below = (f for f in _upwards(path.rpartition("/")[0]) if f.startswith(f"{self._base}/"))
        return next((folder for folder in below if self._format(folder)), None)

    def file(self, root: str) -> File:
        """A table as one file, which is another one with each of its versions."""
        format_ = self._format(root)
        assert format_ is not None
        address = str(self._fs.unstrip_protocol(root)) if "://" not in root else root
        name = root.removeprefix(f"{self._base}/") if root.startswith(f"{self._base}/") else Path(root).name
        version = open_table(format_, address, self._fs).version
        return File(root, name, f"{format_.value} {version}", self._fs, {}, format_)

    def _format(self, folder: str) -> TableFormat | None:
        if folder not in self._known:
            within = PARTITION.fullmatch(folder.rpartition("/")[2])  # a table's partition is no table
            self._known[folder] = None if within else table_at(self._fs, folder)
        return self._known[folder]


def _upwards(folder: str) -> Iterator[str]:
    """A folder and those above it, the nearest first.

    >>> list(_upwards("/lake/loans"))
    ['/lake/loans', '/lake']
    """
    while folder.strip("/") and not folder.endswith(":"):
        yield folder
        folder = folder.rpartition("/")[0]
