"""Reading logs that others write: files on any file system that fsspec knows, and SELECTs on a database.

A file that was read to its end is remembered with its fingerprint, so that a folder of old files costs a listing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import connect
from vigil.core.errors import DataError
from vigil.core.ids import digest, slug
from vigil.intake.types import Kind, Source
from vigil.ports import Piece

if TYPE_CHECKING:
    from vigil.core.window import Window

ROWS = 200_000  # of a piece
SUFFIXES: Mapping[str, Kind] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".gz": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip
# CSV has no types: all is text until the monitor says what is a number, so that an id keeps its leading zeros
READERS: Mapping[Kind, str] = {
    "parquet": "read_parquet(?)",
    "csv": "read_csv(?, all_varchar=true, sample_size=-1)",
    "jsonl": "read_json(?, format='newline_delimited', sample_size=-1)",
}


class SourceReader:
    """Implements the Intake port.

    home: where relative paths start. done: the folder that remembers files. environment: where database URLs are.
    """

    def __init__(self, home: Path, done: Path, environment: Mapping[str, str]) -> None:
        self._home, self._done, self._environment = Path(home), Path(done), environment

    def pieces(
        self, model: str, source: Source, where: str, window: Window | None, *, again: bool = False
    ) -> Iterator[Piece]:
        """The pieces of a log that were not taken yet (`again`: all of them), in order.

        window: asked of a database; None is everything a file has. Raises DataError that says what to do.
        """
        if source.database:
            yield from self._asked(source.database, where, window)
            return
        known = {} if again else self._remembered(model, where)
        for address, fingerprint, fs in self._found(where):
            if known.get(address) == fingerprint:
                continue
            yield from _read(fs, address, _kind(source.format, address), fingerprint)
            self._remember(model, where, address, fingerprint)

    def _found(self, where: str) -> list[tuple[str, str, Any]]:
        """(address, fingerprint, file system) of each file. Raises DataError when there is none."""
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
        found = [p for p in found if Path(p).suffix.lower() in SUFFIXES] or found
        if not found:
            raise DataError(f"there is no file {shown}: correct `predictions:` (or `where:`) under `source:`")
        return [(p, digest([str(fs.ukey(p))], length=24), fs) for p in found]

    def _note(self, model: str, where: str) -> Path:
        return self._done / slug(model, most=100) / f"{digest(where, length=12)}.json"

    def _remembered(self, model: str, where: str) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._note(model, where).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _remember(self, model: str, where: str, address: str, fingerprint: str) -> None:
        """Called when every piece of the file was taken: a crash before reads it again, which is harmless."""
        path = self._note(model, where)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({**self._remembered(model, where), address: fingerprint}, indent=0))
        draft.replace(path)

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
            with engine.connect().execution_options(stream_results=True) as db:
                given = {"start": window.start, "end": window.end}
                first = 1
                for frame in pd.read_sql(text(select), db, params=given, chunksize=ROWS):
                    # SQL NULL among numbers becomes NaN and makes them floats: `normalise` undoes it
                    yield Piece(origin=variable, batch=digest(frame.to_json(), length=24), first=first, rows=frame)
                    first += len(frame)
        except (ArgumentError, SQLAlchemyError) as error:
            why = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DataError(f"the database of {variable} could not be asked: {why}. {_remedy(why)}") from None


def _remedy(why: str) -> str:
    if "password" in why or "role" in why:
        return "Correct the user or the password in the URL"
    if "connect" in why or "translate host" in why:
        return "Is the server running, and the host and port in the URL right?"
    return "Correct the SELECT, or the rights of the user"


def _kind(given: Kind, address: str) -> Kind:
    return given if given != "auto" else SUFFIXES.get(Path(address).suffix.lower(), "parquet")


def _read(fs: Any, address: str, kind: Kind, fingerprint: str) -> Iterator[Piece]:
    import duckdb

    origin = Path(address).name
    local = "file" in (fs.protocol if isinstance(fs.protocol, tuple | list) else (fs.protocol,))
    with connect() as db:
        if not local:
            db.register_filesystem(fs)
        shown = address if local else str(fs.unstrip_protocol(address))
        try:
            batches = db.sql(f"FROM {READERS[kind]}", params=[shown]).to_arrow_reader(ROWS)
            first, name = 1, digest([address, fingerprint], length=20)
            for number, batch in enumerate(batches):
                yield Piece(origin=origin, batch=f"{name}-{number}", first=first, rows=batch.to_pandas())
                first += batch.num_rows
        except duckdb.Error as error:
            why = str(error).splitlines()[0][:300]
            raise DataError(f"{origin} cannot be read as {kind}: {why}") from None
