"""Reading logs that others write: files on any file system that fsspec knows, and SELECTs on a database.

A file that was read to its end is remembered with its fingerprint, so that a folder of old files costs a listing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.adapters.duckdb_rows import connect
from vigil.adapters.source_files import SUFFIXES, File, find_files, suffix_of
from vigil.adapters.table_folders import open_table
from vigil.config.as_before import as_before
from vigil.core.errors import DataError
from vigil.core.ids import digest, slug
from vigil.intake.types import Kind, Source
from vigil.ports import Piece, Unread

if TYPE_CHECKING:
    from vigil.core.window import Window

ROWS = 200_000  # of a piece
SEPARATORS = ",;\t|"
SAID = ("Expected Number", "Invalid unicode", "Value with")  # what DuckDB says of a line, beside the line itself


class SourceReader:
    """Implements the Intake port.

    home: where relative paths start. done: the folder that remembers files. environment: where database URLs are.
    """

    def __init__(self, home: Path, done: Path, environment: Mapping[str, str]) -> None:
        self._home, self._done, self._environment = Path(home), Path(done), environment

    def pieces(
        self,
        model: str,
        source: Source,
        where: str,
        window: Window | None,
        *,
        again: bool = False,
        look: bool = False,
        unfinished: Collection[str] = (),
    ) -> Iterator[Piece | Unread]:
        """The pieces of a log that were not taken yet (`again`: all of them), in order. `look`: none counts as taken.

        window: asked of a database; None is everything a file has. unfinished: names of files that do not count as
        taken, looked at when each file ends. Raises DataError that says what to do where nothing can be read.
        """
        if source.database:
            yield from self._asked(source.database, where, window)
            return
        known = {} if again else self._remembered(model, where)
        for file in find_files(self._home, where):
            if known.get(file.address) == file.fingerprint:
                continue
            try:
                yield from _of_table(file) if file.table else _read(file, _kind(source.format, file.address))
            except DataError as error:
                yield Unread(origin=file.name, why=str(error))
                continue
            if not look and file.name not in unfinished:
                self._remember(model, where, file)

    def replacing(self, model: str) -> AbstractContextManager[None]:
        """Remembers as before which files of the model were read, where the block raises."""
        return as_before(self._note(model, "").parent, "*.json")

    def _note(self, model: str, where: str) -> Path:
        return self._done / slug(model, most=100) / f"{digest(where, length=12)}.json"

    def _remembered(self, model: str, where: str) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._note(model, where).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _remember(self, model: str, where: str, file: File) -> None:
        """Called when every piece of the file was taken: a crash before reads it again, which is harmless."""
        path = self._note(model, where)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        try:
            draft.write_text(json.dumps({**self._remembered(model, where), file.address: file.fingerprint}, indent=0))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _asked(self, variable: str, select: str, window: Window | None) -> Iterator[Piece]:
        import pandas as pd
        from sqlalchemy import create_engine, text
        from sqlalchemy.exc import ArgumentError, SQLAlchemyError

        url = self._environment.get(variable)
        if not url:
            raise DataError(f"the environment variable {variable} is not set: it must hold the URL of the database")
        if window is None:
            raise DataError("a database is asked for a span of nights: say --from and --to")
        try:
            engine = create_engine(url.replace("postgres://", "postgresql://", 1), pool_pre_ping=True)
        except (ArgumentError, ValueError, ImportError) as error:
            raise DataError(f"the URL in {variable} names no database that can be asked: {_said(error, url)}") from None
        try:
            with engine.connect().execution_options(stream_results=True) as db:
                given = {"start": window.start, "end": window.end}
                first = 1
                for frame in pd.read_sql(text(select), db, params=given, chunksize=ROWS):
                    twice = sorted(map(str, frame.columns[frame.columns.duplicated()]))
                    if twice:
                        raise DataError(f"the SELECT gives two columns the name {twice[0]!r}; rename one with AS")
                    # SQL NULL among numbers becomes NaN and makes them floats: `normalise` undoes it
                    batch = digest(frame.to_json(), length=24)
                    yield Piece(origin=variable, batch=batch, first=first, rows=frame, numbered=False)
                    first += len(frame)
        except SQLAlchemyError as error:
            why = _said(getattr(error, "orig", None) or error, url)
            raise DataError(f"the database of {variable} could not be asked: {why}. {_remedy(error, why)}") from None
        finally:
            engine.dispose()


def _said(error: BaseException, url: str) -> str:
    """The first line of what a driver says; never the URL, which may hold a password."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].replace(url, "(the URL)").rstrip(".")


def _remedy(error: Exception, why: str) -> str:
    from sqlalchemy.exc import OperationalError

    if isinstance(error, OperationalError) and ("password" in why or "role" in why):
        return "Correct the user or the password in the URL"
    if isinstance(error, OperationalError) and ("connect" in why or "translate host" in why):
        return "Is the server running, and are the host, the port and the database in the URL right?"
    return "Correct the SELECT, or the rights of the user"


def _kind(given: Kind, address: str) -> Kind:
    return given if given != "auto" else SUFFIXES.get(suffix_of(address), "parquet")


def _of_table(file: File) -> Iterator[Piece]:
    """The rows of a table, which have no order that stays."""
    assert file.table is not None
    address = str(file.fs.unstrip_protocol(file.address))
    first, name = 1, digest([file.address, file.fingerprint], length=20)
    for number, batch in enumerate(open_table(file.table, address, file.fs).batches(ROWS)):
        rows = batch.to_pandas(integer_object_nulls=True)
        yield Piece(origin=file.name, batch=f"{name}-{number}", first=first, rows=rows, numbered=False)
        first += batch.num_rows


def _read(file: File, kind: Kind) -> Iterator[Piece]:
    import duckdb

    address, fs = file.address, file.fs
    local = "file" in (fs.protocol if isinstance(fs.protocol, tuple | list) else (fs.protocol,))
    with connect() as db:
        if not local:
            db.register_filesystem(fs)
        shown = address if local else str(fs.unstrip_protocol(address))
        try:
            select = _select(file, kind)
            batches = db.sql(select, params=[shown]).to_arrow_reader(ROWS)
            first, name = 1, digest([address, file.fingerprint], length=20)
            for number, batch in enumerate(batches):
                rows = batch.to_pandas(integer_object_nulls=True)  # as floats, long ids would lose digits
                rows = rows.assign(**{name: value for name, value in file.columns.items() if name not in rows})
                yield Piece(origin=file.name, batch=f"{name}-{number}", first=first, rows=rows)
                first += batch.num_rows
        except duckdb.Error as error:
            lines = str(error).splitlines()
            why = "; ".join([lines[0], *(line for line in lines[1:] if line.startswith(SAID))])
            raise DataError(f"{file.name} cannot be read as {kind}: {why[:300]}") from None


def _select(file: File, kind: Kind) -> str:
    """How DuckDB reads a file."""
    if kind == "parquet":
        return "FROM read_parquet(?, hive_partitioning=false)"
    if kind == "jsonl":
        return "FROM read_json(?, format='newline_delimited', sample_size=-1, hive_partitioning=false)"
    separator, names = _header(file)
    if not names:
        raise DataError(f"{file.name} cannot be read as csv: it is empty, without even a header")
    # CSV has no types: all is text until the monitor says what is a number, so that an id keeps its leading zeros.
    # Nothing is detected: DuckDB's own guess skips the rows before a broken line, and says nothing
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    how = f"columns={{{columns}}}, delim={_literal(separator)}, quote='\"', escape='\"'"
    return f"FROM read_csv(?, auto_detect=false, header=true, hive_partitioning=false, {how})"


def _header(file: File) -> tuple[str, list[str]]:
    """(separator, names of the columns) of a CSV, by its first line. Columns without a name, or with one that is
    there already, are told apart by their place."""
    try:
        with file.fs.open(file.address, "rb", compression="infer") as raw:
            lines = TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
            first = lines.readline()
            separator = max(SEPARATORS, key=first.count)
            found = next(csv.reader(chain([first], lines), delimiter=separator), [])
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise DataError(f"{file.name} cannot be read as csv: {error}") from None
    names: list[str] = []
    for place, name in enumerate(found):
        names.append(name if name and name not in names else f"{name or 'column'}_{place}")
    return separator, names


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
