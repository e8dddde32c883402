"""A log that others write becomes Vigil's own: each row once, however often its file is read, each accounted for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from vigil.config.schema import Monitor
from vigil.core.errors import DataError, NoFiles
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.window import Window, night_window
from vigil.core.words import Task
from vigil.intake.column_values import Wanted
from vigil.intake.naming import absent
from vigil.intake.normalise import Outcomes, Rejected, normalise, normalise_outcomes
from vigil.intake.odd_times import OddTime, odd_times
from vigil.intake.types import Source
from vigil.ports import INTAKE, Piece, Ports, Sifted, Unread
from vigil.profiles.layout import Decision, FeatureType

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SHOWN = 3  # rejected rows that are named
KEYS = ("prediction_id", "served_at", "label", "observed_at")  # what makes a row of the log another one
NO_ORDER = "Rows of a table come in no order that stays, so they need an id: name its column under `columns:`"


class Held(Spec):
    """New rows of a file that were not taken, because their times can hardly be right. They are read again next time.

    first, last: their UTC dates. others: the dates between which the other rows of the file lie, if there are any.
    """

    origin: str
    why: OddTime
    rows: int
    first: date
    last: date
    others: tuple[date, date] | None = None
    outcomes: bool = False  # of outcomes, whose times say when a label was known


class LabelRows(Spec):
    """Rows with outcomes: each is in one of the others."""

    rows: int = 0
    new: int = 0
    known: int = 0  # id, label and time are there already
    unlabelled: int = 0  # no label yet
    unnamed: int = 0  # no id
    undated: int = 0  # no time at which the label was known
    held: int = 0


class Ingested(Spec):
    """What was taken. Each row that was read is in one of: new, known, conflicting, excluded, rejected, held.

    Rows of a file that is in `unread` may be in none, because nobody could count them.
    """

    rows: int = 0
    new: int = 0  # taken
    known: int = 0  # there already, with the same content
    conflicting: int = 0  # there already, with other content: what is there stays
    excluded: int = 0  # of another model (`only:`)
    rejected: int = 0  # without a time
    held: tuple[Held, ...] = ()
    unread: tuple[Unread, ...] = ()
    labels: LabelRows = LabelRows()
    outcomes: int = 0  # labels that are new
    examples: tuple[str, ...] = ()  # of rejected rows
    earlier: int = 0  # of the new rows, those of nights before the span that was asked for
    first: date | None = None  # UTC dates of the new rows
    last: date | None = None

    @property
    def rows_held(self) -> int:
        """Rows of predictions whose times can hardly be right."""
        return sum(one.rows for one in self.held if not one.outcomes)


Accept = Callable[[Held], bool]


def ingest(
    ports: Ports, monitor: Monitor, first: date, last: date, *, again: bool = False, accept: Accept = lambda _: False
) -> Ingested:
    """Takes what is new in the monitor's source. Nothing to do for a monitor that has none.

    first, last: the nights that a database is asked for; files are read as far as they are new.
    again: also files that were read before. accept: asked whether rows are taken whose times can hardly be right.
    A file that cannot be taken is in `unread`, and keeps no other from being taken. Raises DataError that says what to
    correct where nothing can be read at all; what was taken stays.
    """
    source = monitor.source
    if source is None:
        return Ingested()
    span = Window(night_window(first, monitor.timezone).start, night_window(last, monitor.timezone).end)
    door = Door(ports, monitor, source, span, accept)
    told = _walk(door, source.predictions, Ingested(), again=again, take=_take)
    if source.apart:
        with suppress(NoFiles):  # no label is known yet: they are pending, and overdue in time
            told = _walk(door, source.apart, told, again=again, take=_take_outcomes)
    return told


class Door(NamedTuple):
    """What taking rows needs to know."""

    ports: Ports
    monitor: Monitor
    source: Source
    span: Window
    accept: Accept


def _walk(
    door: Door, where: str, told: Ingested, *, again: bool, take: Callable[[Door, Piece, Ingested], Ingested]
) -> Ingested:
    """Takes a log piece by piece. A file of which something was not taken is not remembered as read."""
    model, source, unfinished, refused = door.monitor.model, door.source, set[str](), dict[str, Unread]()
    for piece in door.ports.intake.pieces(model, source, where, door.span, again=again, unfinished=unfinished):
        if piece.origin in refused:
            continue
        if isinstance(piece, Unread):
            refused[piece.origin] = piece
            continue
        try:
            after = take(door, piece, told)
        except DataError as error:
            if source.database:
                raise
            refused[piece.origin] = Unread(origin=piece.origin, why=str(error))
            unfinished.add(piece.origin)
            continue
        if len(after.held) > len(told.held):
            unfinished.add(piece.origin)
        told = after
    return told.model_copy(update={"unread": (*told.unread, *refused.values())})


def wanted(monitor: Monitor) -> Wanted:
    """What a monitor reads of a log."""
    d, decision = monitor.data, monitor.decision
    inputs = [name for name, kind in monitor.features.items() if kind is FeatureType.NUMERIC]
    answer = [d.prediction] if monitor.task is Task.REGRESSION else []
    scores = [d.score] if d.score else []
    columns = [*monitor.features, *(p.attribute for p in monitor.protected), *scores, d.prediction]
    sums = [*monitor.sums, *filter(None, [d.sampling_weight]), *map("contrib__{}".format, monitor.features)]
    flags = [name for listed in monitor.flags.values() for name in listed]
    further = [*sums, *flags, *filter(None, [d.ranking, monitor.strata])]
    return Wanted(
        environment=monitor.environment,
        columns=tuple(dict.fromkeys([*columns, *further])),
        further=frozenset(further) - frozenset(columns),
        score=d.score,
        prediction=d.prediction,
        numbers=frozenset({*inputs, *answer, *scores, *sums}),
        threshold=decision.threshold if decision else None,
        classes=frozenset({decision.positive, decision.favourable, decision.deserving} if decision else ()),
        open=monitor.task is Task.MULTICLASS,
        above=_decision(decision, positive=True),
        below=_decision(decision, positive=False),
    )


def _decision(decision: Decision | None, *, positive: bool) -> str:
    """The decision that goes with a predicted label: favourable where the favourable one is deserved."""
    if decision is None:
        return ""
    good = positive == (decision.positive == decision.deserving)
    return decision.favourable if good else f"not_{decision.favourable}"


def _take(door: Door, piece: Piece, told: Ingested) -> Ingested:
    ports, monitor, source = door.ports, door.monitor, door.source
    key = source.columns.get("prediction_id", "prediction_id")
    if not piece.numbered and key not in piece.rows:
        remedy = "Rows of a database need an id: SELECT one (AS prediction_id)" if source.database else NO_ORDER
        raise DataError(f"{absent(key, piece.rows.columns, piece.origin)}. {remedy}")
    rows = normalise(piece.rows, source, wanted(monitor), origin=piece.origin, first=piece.first)
    table = _table(rows.predictions)
    unknown, known, differing = _sifted(ports.log.sift_predictions, monitor, table)
    fresh, held = _plausible(door, piece, table, unknown, "served_at")
    if fresh.num_rows:
        ports.log.write_predictions(monitor.model, fresh, batch_id=_batch(piece, fresh))
    days = fresh.column("served_at").to_pylist() if fresh.num_rows else []
    bounds = [d for d in (told.first, told.last) if d] + ([min(days).date(), max(days).date()] if days else [])
    told = told.model_copy(
        update={
            "rows": told.rows + len(piece.rows),
            "new": told.new + fresh.num_rows,
            "known": told.known + known,
            "conflicting": told.conflicting + differing,
            "excluded": told.excluded + rows.excluded,
            "rejected": told.rejected + len(rows.rejected),
            "held": (*told.held, *held),
            "examples": (*told.examples, *(_named(piece, r) for r in rows.rejected))[:SHOWN],
            "earlier": told.earlier + sum(day < door.span.start for day in days),
            "first": min(bounds, default=None),
            "last": max(bounds, default=None),
        }
    )
    return _label(door, piece, rows.outcomes, told) if rows.outcomes is not None else told


def _take_outcomes(door: Door, piece: Piece, told: Ingested) -> Ingested:
    return _label(
        door, piece, normalise_outcomes(piece.rows, door.source, wanted(door.monitor), origin=piece.origin), told
    )


def _sifted(sift: Callable[[str, pa.Table], Sifted], monitor: Monitor, table: pa.Table) -> Sifted:
    return sift(monitor.model, table) if table.num_rows else Sifted(table, 0, 0)


def _plausible(
    door: Door, piece: Piece, table: pa.Table, unknown: pa.Table, at: str, *, outcomes: bool = False
) -> tuple[pa.Table, list[Held]]:
    """Of the unknown rows those that are taken, and what is told of the others. table: all rows of the piece."""
    import pyarrow as pa

    if not unknown.num_rows:
        return unknown, []
    times = table.column(at).to_pandas()
    odd = odd_times(times, now=door.ports.clock.now(), span=door.span)
    if odd.isna().all():
        return unknown, []
    others = times[odd.isna()]
    around = (others.min().date(), others.max().date()) if len(others) else None
    reason = dict(zip(times, odd, strict=True))
    given = unknown.column(at).to_pandas()
    why, held, kept = given.map(reason), [], given.notna()
    for one in OddTime:
        mine = given[why == one]
        if mine.empty or (outcomes and one is OddTime.FAR):  # a label may come long after the others
            continue
        some = Held(
            origin=piece.origin, why=one, rows=len(mine), first=mine.min().date(), last=mine.max().date(),
            others=around, outcomes=outcomes,
        )  # fmt: skip
        if not door.accept(some):
            held.append(some)
            kept &= why != one
    return unknown.filter(pa.array(kept)) if held else unknown, held


def _named(piece: Piece, rejected: Rejected) -> str:
    return f"{piece.origin}, row {rejected.row}: {rejected.why}"


def _label(door: Door, piece: Piece, labels: Outcomes, told: Ingested) -> Ingested:
    ports, monitor, truth = door.ports, door.monitor, door.source.outcomes
    table = _table(labels.rows)
    unknown, known, _ = _sifted(ports.log.sift_outcomes, monitor, table)
    fresh, held = unknown, list[Held]()
    if truth is not None and truth.observed_at is not None:  # else it is reckoned from the prediction's own time
        fresh, held = _plausible(door, piece, table, unknown, "observed_at", outcomes=True)
    if fresh.num_rows:
        ports.log.write_outcomes(monitor.model, fresh, batch_id=_batch(piece, fresh))
    lacking = (labels.unlabelled, labels.unnamed, labels.undated)
    counts = (table.num_rows + sum(lacking), fresh.num_rows, known, *lacking, sum(one.rows for one in held))
    before = told.labels.model_dump()
    after = LabelRows(**{name: before[name] + n for name, n in zip(LabelRows.model_fields, counts, strict=True)})
    return told.model_copy(
        update={"labels": after, "outcomes": told.outcomes + fresh.num_rows, "held": (*told.held, *held)}
    )


def _batch(piece: Piece, fresh: pa.Table) -> str:
    """Names the rows, not the piece alone: a corrected `source:` may find more in a piece that was read before."""
    named = [[str(v) for v in fresh.column(name).to_pylist()] for name in KEYS if name in fresh.column_names]
    return f"{INTAKE}-{piece.batch}-{digest(named, length=12)}"


def _table(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"rows of the source cannot be stored: {error}") from error
