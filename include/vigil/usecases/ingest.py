"""A log that others write becomes Vigil's own: each row once, however often its file is read."""

from datetime import date
from typing import TYPE_CHECKING

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.window import Window, night_window
from vigil.core.words import Task
from vigil.intake.column_values import Wanted
from vigil.intake.naming import absent
from vigil.intake.normalise import Rejected, normalise, normalise_outcomes
from vigil.intake.types import Source
from vigil.ports import INTAKE, Piece, Ports
from vigil.profiles.layout import Decision, FeatureType

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SHOWN = 3  # rejected rows that are named
KEYS = ("prediction_id", "served_at", "label", "observed_at")  # what makes a row of the log another one


class Ingested(Spec):
    """What was taken. rows: those that were there; new: those that were not known; rejected: without a time."""

    rows: int = 0
    new: int = 0
    outcomes: int = 0
    rejected: int = 0
    examples: tuple[str, ...] = ()
    first: date | None = None  # UTC dates of the new rows
    last: date | None = None


def ingest(ports: Ports, monitor: Monitor, first: date, last: date, *, again: bool = False) -> Ingested:
    """Takes what is new in the monitor's source. Nothing to do for a monitor that has none.

    first, last: the nights that a database is asked for; files are read as far as they are new.
    again: also files that were read before. Raises DataError that says what to correct; what was taken stays.
    """
    source = monitor.source
    if source is None:
        return Ingested()
    span = Window(night_window(first, monitor.timezone).start, night_window(last, monitor.timezone).end)
    told = Ingested()
    for piece in ports.intake.pieces(monitor.model, source, source.predictions, span, again=again):
        told = _take(ports, monitor, source, piece, told)
    if source.apart:
        for piece in ports.intake.pieces(monitor.model, source, source.apart, span, again=again):
            labels = normalise_outcomes(piece.rows, source, wanted(monitor), origin=piece.origin)
            told = told.model_copy(update={"outcomes": told.outcomes + _label(ports, monitor, piece, labels)})
    return told


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


def _take(ports: Ports, monitor: Monitor, source: Source, piece: Piece, told: Ingested) -> Ingested:
    key = source.columns.get("prediction_id", "prediction_id")
    if source.database and key not in piece.rows:
        missing = absent(key, piece.rows.columns, piece.origin)
        raise DataError(f"{missing}. Rows of a database need an id: SELECT one (AS prediction_id)")
    rows = normalise(piece.rows, source, wanted(monitor), origin=piece.origin, first=piece.first)
    table = _table(rows.predictions)
    fresh = ports.log.unknown_predictions(monitor.model, table) if table.num_rows else table
    if fresh.num_rows:
        ports.log.write_predictions(monitor.model, fresh, batch_id=_batch(piece, fresh))
    labelled = _label(ports, monitor, piece, rows.outcomes) if rows.outcomes is not None else 0
    days = fresh.column("served_at").to_pylist() if fresh.num_rows else []
    bounds = [d for d in (told.first, told.last) if d] + ([min(days).date(), max(days).date()] if days else [])
    return Ingested(
        rows=told.rows + len(piece.rows),
        new=told.new + fresh.num_rows,
        outcomes=told.outcomes + labelled,
        rejected=told.rejected + len(rows.rejected),
        examples=(*told.examples, *(_named(piece, r) for r in rows.rejected))[:SHOWN],
        first=min(bounds, default=None),
        last=max(bounds, default=None),
    )


def _named(piece: Piece, rejected: Rejected) -> str:
    return f"{piece.origin}, row {rejected.row}: {rejected.why}"


def _label(ports: Ports, monitor: Monitor, piece: Piece, labels: "pd.DataFrame") -> int:
    table = _table(labels)
    fresh = ports.log.unknown_outcomes(monitor.model, table) if table.num_rows else table
    if fresh.num_rows:
        ports.log.write_outcomes(monitor.model, fresh, batch_id=_batch(piece, fresh))
    return int(fresh.num_rows)


def _batch(piece: Piece, fresh: "pa.Table") -> str:
    """Names the rows, not the piece alone: a corrected `source:` may find more in a piece that was read before."""
    named = [[str(v) for v in fresh.column(name).to_pylist()] for name in KEYS if name in fresh.column_names]
    return f"{INTAKE}-{piece.batch}-{digest(named, length=12)}"


def _table(frame: "pd.DataFrame") -> "pa.Table":
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"rows of the source cannot be stored: {error}") from error
