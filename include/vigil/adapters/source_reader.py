"""Reading logs that others write: files on any file system that fsspec knows, and SELECTs on a database.

A file that was read to its end is remembered with its fingerprint, so that a folder of old files costs a listing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.adapters.duckdb_rows import connect
from vigil.config.as_before import as_before
from vigil.core.errors import DataError
from vigil.core.ids import digest, slug
from vigil.intake.types import Kind, Source
from vigil.ports import Piece

if TYPE_CHECKING:
    from vigil.core.window import Window

ROWS = 200_000  # of a piece
SUFFIXES: Mapping[str, Kind] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
PACKED = (".gz", ".zst")  # x.jsonl.gz is JSON lines; x.gz is taken for CSV
SEPARATORS = ",;\t|"
SAID = ("Expected Number", "Invalid unicode", "Value with")  # what DuckDB says of a line, beside the line itself


class File(NamedTuple):
    """A file of a log. name: below the folder that the address begins with; rows without ids are called after it."""

    address: str
    name: str
    fingerprint: str
    fs: Any


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
    ) -> Iterator[Piece]:
        """The pieces of a log that were not taken yet (`again`: all of them), in order. `look`: none counts as taken.

        window: asked of a database; None is everything a file has. Raises DataError that says what to do.
        """
        if source.database:
            yield from self._asked(source.database, where, window)
            return
        known = {} if again else self._remembered(model, where)
        for file in self._found(where):
            if known.get(file.address) == file.fingerprint:
                continue
            yield from _read(file, _kind(source.format, file.address))
            if not look:
                self._remember(model, where, file)

    def replacing(self, model: str) -> AbstractContextManager[None]:
        """Remembers as before which files of the model were read, where the block raises."""
        return as_before(self._note(model, "").parent, "*.json")

    def _found(self, where: str) -> list[File]:
        """The files of an address, in order. Raises DataError when there is none."""
        import fsspec  # type: ignore[import-untyped]

        shown = where
        if "://" not in where and not Path(where).is_absolute():
            where = str(self._home / where)
        try:
            fs, path = fsspec.core.url_to_fs(where)
            if fs.isdir(path):
                path = f"{path.rstrip('/')}/**/*"
            found = sorted(p for p in (fs.glob(path) if "*" in path else [path]) if fs.exists(p) and fs.isfile(p))
        except (ImportError, ValueError, OSError) as error:
            raise DataError(
                f"{shown} cannot be opened: {error}; is the address right, and its driver there?"
            ) from error
        found = [p for p in found if _suffix(p) in SUFFIXES] or found
        if not found:
            raise DataError(f"there is no file {shown}: correct `predictions:` (or `where:`) under `source:`")
        base = f"{path.partition('*')[0].rpartition('/')[0]}/"
        return [File(p, p.removeprefix(base), digest([str(fs.ukey(p))], length=24), fs) for p in found]

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
                    yield Piece(origin=variable, batch=digest(frame.to_json(), length=24), first=first, rows=frame)
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


def _suffix(address: str) -> str:
    """The ending that tells the format: `.jsonl` of x.jsonl.gz, `.csv` of x.gz."""
    path = Path(address)
    if path.suffix.lower() not in PACKED:
        return path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if inner in SUFFIXES else ".csv"


def _kind(given: Kind, address: str) -> Kind:
    return given if given != "auto" else SUFFIXES.get(_suffix(address), "parquet")


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
            batches = db.sql(select, params=[shown]).to_arrow_reader(ROWS) if select else ()
            first, name = 1, digest([address, file.fingerprint], length=20)
            for number, batch in enumerate(batches):
                rows = batch.to_pandas(integer_object_nulls=True)  # as floats, long ids would lose digits
                yield Piece(origin=file.name, batch=f"{name}-{number}", first=first, rows=rows)
                first += batch.num_rows
        except duckdb.Error as error:
            lines = str(error).splitlines()
            why = "; ".join([lines[0], *(line for line in lines[1:] if line.startswith(SAID))])
            raise DataError(f"{file.name} cannot be read as {kind}: {why[:300]}") from None


def _select(file: File, kind: Kind) -> str | None:
    """How DuckDB reads a file; None for a CSV without even a header."""
    if kind == "parquet":
        return "FROM read_parquet(?)"
    if kind == "jsonl":
        return "FROM read_json(?, format='newline_delimited', sample_size=-1)"
    separator, names = _header(file)
    if not names:
        return None
    # CSV has no types: all is text until the monitor says what is a number, so that an id keeps its leading zeros.
    # Nothing is detected: DuckDB's own guess skips the rows before a broken line, and says nothing
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    how = f"columns={{{columns}}}, delim={_literal(separator)}, quote='\"', escape='\"'"
    return f"FROM read_csv(?, auto_detect=false, header=true, {how})"


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
