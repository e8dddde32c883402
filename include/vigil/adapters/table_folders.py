"""Folders that are tables (Delta, Iceberg, Hudi): known by their own logs, and read by their own readers.

The files of such a folder also hold rows that were removed, replaced or never committed: only its log tells which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

EXTRAS = "pip install 'vigil[{0}]'"


class TableFormat(StrEnum):
    """Whose table a folder is."""

    DELTA = "delta"
    ICEBERG = "iceberg"
    HUDI = "hudi"


class Table(NamedTuple):
    """A table as it is now. version: another one whenever rows came or went. batches: its rows, so many at a time."""

    version: str
    batches: Callable[[int], Iterator[pa.RecordBatch]]


def table_at(fs: Any, folder: str) -> TableFormat | None:
    """Whether a folder is a table, and whose; what may not be looked at is none."""
    protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
    if protocol in ("http", "https"):  # no folders there
        return None
    with suppress(OSError, ValueError):
        if fs.isdir(f"{folder}/_delta_log"):
            return TableFormat.DELTA
        if fs.isdir(f"{folder}/.hoodie"):
            return TableFormat.HUDI
        if fs.isdir(f"{folder}/metadata") and fs.glob(f"{folder}/metadata/*.metadata.json"):
            return TableFormat.ICEBERG
    return None


def open_table(format_: TableFormat, address: str, fs: Any) -> Table:
    """The table in its newest version. Raises DataError with what to do."""
    if format_ is TableFormat.HUDI:
        raise DataError(
            f"{address} is a Hudi table: its files also hold rows that were replaced, so they are not read as they "
            "lie. Export it to Parquet files, or ask a database that knows it (`database:` under `source:`)"
        )
    return _OPEN[format_](address, fs)


def _delta(address: str, _fs: Any) -> Table:
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise _needs(TableFormat.DELTA, address) from None
    try:
        table = DeltaTable(address)
        data = table.to_pyarrow_dataset()
    except (DeltaError, ImportError, OSError, ValueError) as error:
        raise _unreadable(TableFormat.DELTA, address, error) from error
    return Table(str(table.version()), lambda rows: iter(data.to_batches(batch_size=rows)))


def _iceberg(address: str, fs: Any) -> Table:
    try:
        from pyiceberg.exceptions import ValidationError
        from pyiceberg.table import StaticTable
    except ImportError:
        raise _needs(TableFormat.ICEBERG, address) from None
    folder = fs._strip_protocol(address)
    newest = max(fs.glob(f"{folder}/metadata/*.metadata.json"), key=_sequence)
    try:
        scan = StaticTable.from_metadata(str(fs.unstrip_protocol(newest))).scan()
    except (ValidationError, ImportError, OSError, ValueError) as error:
        raise _unreadable(TableFormat.ICEBERG, address, error) from error
    return Table(newest.rpartition("/")[2], lambda _rows: iter(scan.to_arrow_batch_reader()))


def _sequence(path: str) -> tuple[int, str]:
    """The number of a metadata file: v3.metadata.json, or 00003-<uuid>.metadata.json."""
    name = path.rpartition("/")[2]
    number = re.match(r"v?(\d+)", name)
    return int(number[1]) if number else -1, name


def _needs(format_: TableFormat, address: str) -> DataError:
    return DataError(
        f"{address} is a table ({format_.value}): its files also hold rows that were removed, so it is only read by "
        f"its own reader, which is not installed: {EXTRAS.format(format_.value)}"
    )


def _unreadable(format_: TableFormat, address: str, error: Exception) -> DataError:
    why = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    return DataError(f"{address} is a table ({format_.value}) that cannot be read: {why}")


_OPEN = {TableFormat.DELTA: _delta, TableFormat.ICEBERG: _iceberg}
