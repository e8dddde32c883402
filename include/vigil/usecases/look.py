"""Somebody's log before anything is written: what it holds, and the rows of a file in a monitor's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.intake.column_values import text
from vigil.intake.decimals import decimal_of, pointed
from vigil.intake.missing import cleaned
from vigil.intake.naming import absent
from vigil.intake.normalise import normalise_reference
from vigil.intake.types import Source, Time
from vigil.onboarding.columns import Look, look
from vigil.onboarding.draft import Draft, draft
from vigil.onboarding.request import Asked
from vigil.ports import Piece, Ports, Unread
from vigil.usecases.ingest import wanted

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 50_000  # rows that are looked at


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A draft, and the rows that it was made of. pieces, truth: the log and its outcomes apart, whole."""

    draft: Draft
    looks: dict[str, Look]
    frame: pd.DataFrame  # a sample
    files: int
    every: int = 1  # the sample holds every so manyth row of the log
    pieces: tuple[Piece, ...]
    truth: tuple[Piece, ...] = ()
    unread: tuple[Unread, ...] = ()  # files of the log that are left out


def look_at(ports: Ports, asked: Asked) -> Looked:
    """Reads the log and drafts the monitor. Writes nothing. Raises DataError with what to do."""
    pieces, unread = _read(ports, asked.name, asked.log)
    frame = sample_of(pieces)
    every = _every(sum(len(piece.rows) for piece in pieces))
    for column, value in asked.only.items():
        if column in frame:
            frame = frame[text(frame[column]) == value].reset_index(drop=True)
    apart, lost = _read(ports, asked.name, asked.outcomes) if asked.outcomes else ((), ())
    truth = sample_of(apart) if asked.outcomes else None
    decimal = decimal_of(frame)
    frame, truth = pointed(frame, decimal), pointed(truth, decimal) if truth is not None else None
    frame, words = cleaned(frame)
    if truth is not None:
        truth, more = cleaned(truth)
        words = tuple(sorted({*words, *more}))
    looks = look(frame)
    made = draft(asked, frame, looks, truth)
    made = made.model_copy(update={"decimal": decimal, "missing": words, "rows_a_night": made.rows_a_night * every})
    files = len({piece.origin for piece in pieces})
    return Looked(
        draft=made, looks=looks, frame=frame, files=files, every=every, pieces=pieces, truth=apart,
        unread=(*unread, *lost),
    )  # fmt: skip


def pieces_of(ports: Ports, model: str, where: str) -> tuple[Piece, ...]:
    """Rows to compare with, whole; none of them counts as taken. Raises DataError for a file that cannot be read."""
    pieces, unread = _read(ports, model, where)
    if unread:
        raise DataError(f"{unread[0].origin}: {unread[0].why}; rows to compare with must be whole")
    return pieces


def _read(ports: Ports, model: str, where: str) -> tuple[tuple[Piece, ...], tuple[Unread, ...]]:
    """The pieces of a log, and its files that cannot be read. Raises DataError where none can be."""
    source = Source(predictions=where, served_at=Time(column=""))
    every = list(ports.intake.pieces(model, source, where, None, again=True, look=True))
    unread = tuple(one for one in every if isinstance(one, Unread))
    pieces, foreign = _alike([one for one in every if isinstance(one, Piece)])
    if unread and not any(len(piece.rows) for piece in pieces):
        raise DataError(unread[0].why)
    torn = {one.origin for one in unread}
    return tuple(p for p in pieces if p.origin not in torn), (*unread, *foreign)


def _alike(pieces: list[Piece]) -> tuple[list[Piece], list[Unread]]:
    """The pieces of one log; and files that have less than half of the columns that most rows have."""
    sizes: Counter[frozenset[str]] = Counter()
    for piece in pieces:
        sizes[frozenset(map(str, piece.rows.columns))] += len(piece.rows)
    most = max(sizes, key=lambda columns: sizes[columns], default=frozenset())
    apart = {p.origin for p in pieces if 2 * len(most & set(map(str, p.rows.columns))) < len(most)}
    why = f"it has other columns than the rest of the log ({', '.join(sorted(most)[:8])})"
    return [p for p in pieces if p.origin not in apart], [Unread(origin=name, why=why) for name in sorted(apart)]


def sample_of(pieces: Sequence[Piece]) -> pd.DataFrame:
    """At most SAMPLE rows spread over all files."""
    import pandas as pd

    frame = pd.concat([p.rows for p in pieces], ignore_index=True) if pieces else pd.DataFrame()
    every = _every(len(frame))  # a log is in order of time
    return frame if every == 1 else frame.iloc[::every].reset_index(drop=True)


def _every(rows: int) -> int:
    """So that every k-th row of so many rows gives at most SAMPLE rows."""
    return max(1, -(-rows // SAMPLE))


def local_rows(looked: Looked) -> tuple[pd.DataFrame, pd.Series]:
    """The sample in the features' names, and the local day of each row."""
    d = looked.draft
    there = {column: word for word, column in d.columns.items() if word in d.features}
    return looked.frame.rename(columns=there), _local(looked).dt.date


def _local(looked: Looked) -> pd.Series:
    """The local time of each row."""
    from vigil.intake.times import instants
    from vigil.onboarding.truth import time_of

    d = looked.draft
    times: Any = instants(looked.frame, time_of(d.served_at, d.asked.timezone), d.asked.log)
    local: pd.Series[Any] = times.dt.tz_convert(d.asked.timezone)
    return local


def reference_from(ports: Ports, monitor: Monitor, path: str) -> Any:
    """The rows of a file in the monitor's words: names, values and bands are those of its `source:`."""
    import pyarrow as pa

    frame = sample_of(pieces_of(ports, monitor.model, path))
    source = monitor.source or Source(predictions=path, served_at=Time(column=""))
    rows = normalise_reference(frame, source, wanted(monitor), origin=Path(path).name)
    missing = [name for name in monitor.features if name not in rows]
    if missing:
        more = f" (and {len(missing) - 1} more of the features)" if len(missing) > 1 else ""
        raise DataError(f"{absent(missing[0], frame.columns, Path(path).name)}{more}. A reference has every feature")
    return pa.Table.from_pandas(rows, preserve_index=False)
