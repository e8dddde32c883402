"""The nights of a log's reference, before anything is kept: read, counted and judged by the rules that are drafted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Role
from vigil.intake.normalise import Rows, normalise, normalise_outcomes
from vigil.intake.types import Source
from vigil.metrics.catalog import CATALOG
from vigil.metrics.evaluate import evaluate
from vigil.metrics.types import Measurement
from vigil.onboarding.evidence import Evidence
from vigil.onboarding.rules import Book
from vigil.ports import Piece, Scanner, VersionInfo
from vigil.usecases.ingest import wanted
from vigil.usecases.nights import view
from vigil.usecases.promote import as_logged
from vigil.usecases.reference import REFERENCE
from vigil.verdicts.judge import Facts, judge, ruled
from vigil.verdicts.limits import LimitKind
from vigil.verdicts.types import NightResult, State, Verdict

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_ROWS = 50_000  # of a night
ROUNDS = 12
OFTEN = 0.2  # of the nights, from which a warning is how the model is
HABIT = 2  # nights at least


class FirstNights(NamedTuple):
    """rows: night -> its rows in the log's words, with labels; counts: rows of every night of the log."""

    rows: dict[date, pd.DataFrame]
    counts: dict[date, int]


class Settled(Spec):
    """Rules that no night of the reference breaks. odd: what the rules that learn say of such a night."""

    book: Book
    odd: tuple[str, ...] = ()


def first_nights(monitor: Monitor, pieces: Sequence[Piece], truth: Sequence[Piece], *, most: int) -> FirstNights:
    """The first `most` nights that have rows. Raises DataError where the log cannot be read as the monitor says."""
    import pandas as pd

    source = monitor.source
    if source is None:
        raise DataError(f"{monitor.model}: only a log that a `source:` names has first nights")
    made, refused = _normalised(monitor, source, pieces)
    if not made and refused:
        raise refused[0]
    frame = pd.concat([r.predictions for r in made], ignore_index=True).drop_duplicates("prediction_id")
    days = frame["served_at"].dt.tz_convert(monitor.timezone).dt.date
    counts = {day: int(n) for day, n in sorted(days.value_counts().items())}
    if not counts:
        raise DataError(f"{monitor.model}: no row of {source.predictions} has a time, so no row belongs to a night")
    labels = [r.outcomes.rows for r in made if r.outcomes is not None]
    labels += [normalise_outcomes(p.rows, source, wanted(monitor), origin=p.origin).rows for p in truth]
    known = _latest(labels)
    rows = {}
    for day in list(counts)[:most]:
        night = frame[days == day]
        night = night.iloc[:: -(-len(night) // MOST_ROWS)].reset_index(drop=True)
        rows[day] = night.assign(label=night["prediction_id"].map(known)) if known is not None else night
    return FirstNights(rows, counts)


def _normalised(monitor: Monitor, source: Source, pieces: Sequence[Piece]) -> tuple[list[Rows], list[DataError]]:
    """The pieces in the monitor's words, and why others cannot be: one wrong file keeps no other from being read."""
    made: list[Rows] = []
    refused: list[DataError] = []
    for piece in pieces:
        if len(piece.rows):
            try:
                made.append(normalise(piece.rows, source, wanted(monitor), origin=piece.origin, first=piece.first))
            except DataError as error:
                refused.append(error)
    return made, refused


def _latest(labels: list[pd.DataFrame]) -> pd.Series | None:
    """Id -> the label that was observed last."""
    import pandas as pd

    if not labels:
        return None
    found = pd.concat(labels, ignore_index=True).sort_values("observed_at", kind="stable")
    latest: pd.Series = found.drop_duplicates("prediction_id", keep="last").set_index("prediction_id")["label"]
    return latest


def chunks(rows: pd.DataFrame, counts: Mapping[date, int], *, most: int) -> dict[date, pd.DataFrame]:
    """Rows that no night has, such as a holdout, cut to nights of the usual size; the last one has what is left."""
    size = max(1, Evidence(counts=counts).rows_a_night)
    days = list(counts)[: max(1, min(most, len(rows) // size))]
    ends = [size * (n + 1) for n in range(len(days) - 1)] + [len(rows)]
    return {
        day: rows.iloc[size * n : end].reset_index(drop=True)
        for n, (day, end) in enumerate(zip(days, ends, strict=True))
    }


def table(frame: pd.DataFrame) -> pa.Table:
    """Rows as the scan takes them."""
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"rows of the log cannot be stored: {error}") from error


def evidence(
    scanner: Scanner, monitor: Monitor, reference: pa.Table, nights: Mapping[date, pd.DataFrame],
    counts: Mapping[date, int],
) -> Evidence:  # fmt: skip
    """What is measured on each night against the whole reference."""
    info = VersionInfo(model=monitor.model, version=REFERENCE, created_at=datetime.combine(min(counts), time(), UTC))
    whole = as_logged(monitor, reference, info, Role.CHAMPION)
    edges = scanner.fit_edges(monitor, whole)
    of: dict[str, Any] = {"version": REFERENCE, "role": Role.CHAMPION}
    base = scanner.scan_table(monitor, whole, edges, night=min(counts), **of)
    asked = frozenset(CATALOG) & monitor.rules.metrics
    measured: list[tuple[Measurement, ...]] = []
    for day, rows in nights.items():
        made = scanner.scan_table(monitor, as_logged(monitor, table(rows), info, Role.CHAMPION), edges, night=day, **of)
        measured.append(evaluate(made, base, view(monitor), yardstick="reference", ruled=asked, edges=edges))
    return Evidence(nights=tuple(measured), counts=dict(counts))


def settled(
    shown: Evidence,
    days: Sequence[date],
    features: Sequence[str],
    drafted: Callable[[Mapping[str, int], Mapping[str, str]], tuple[Book, Monitor]],
    without: Mapping[str, str],
) -> Settled:
    """Moves the bounds that the reference's own nights break, until none does.

    drafted: the rules after so many steps of each bound, without those features; and the monitor that has them.
    """
    steps: dict[str, int] = {}
    apart = dict(without)
    for _ in range(ROUNDS):
        book, monitor = drafted(steps, apart)
        results = judged(monitor, shown, days)
        broken = _broken(book, results)
        moving = _moving(results, features)
        if not broken and not moving.keys() - apart.keys():
            break
        for question in broken:
            steps[question] = steps.get(question, 0) + 1
        apart |= {name: why for name, why in moving.items() if name not in apart}
    return Settled(book=book, odd=_odd(results))


def judged(monitor: Monitor, shown: Evidence, days: Sequence[date]) -> list[NightResult]:
    """The nights in order, each beside those before it, with their labels as they are by now."""
    results: list[NightResult] = []
    for day, measured in zip(days, shown.nights, strict=True):
        of = {m.id: m.value or 0.0 for m in measured}
        rows, labelled = int(of.get("volume/all", 0)), of.get("label_coverage/all", 0.0)
        facts = Facts(night=day, as_of=day, labels=monitor.labels, labelled_share=labelled, surprise=monitor.surprise)
        verdicts = judge(measured, monitor.rules, results, facts)
        results.append(NightResult(
            monitor=monitor.model, environment=monitor.environment, night=day, partition_digest="",
            config_digest="", edges_digest="", rows=rows, verdicts=verdicts, measurements=ruled(measured, verdicts),
        ))  # fmt: skip
    return results


def _learnt(v: Verdict) -> bool:
    return v.limited_by(LimitKind.SURPRISE)


def _broken(book: Book, results: Sequence[NightResult]) -> list[str]:
    """The questions whose drafted bound a night breaks, or that warn on many nights."""
    metrics = {line.rule["metric"] for line in book.lines}
    policy = {line.rule["metric"] for line in book.of("fairness")}
    warned: Counter[str] = Counter()
    found: dict[str, None] = {}
    for v in (
        v for r in results for v in r.verdicts if v.metric in metrics and not (_learnt(v) and v.metric != "volume")
    ):
        if v.state is State.BREACH and not v.limited_by(LimitKind.HARD_FAILURE):
            found[v.id] = None
        if v.state is State.WARN and v.metric not in policy:
            warned[v.id] += 1
    often = max(HABIT, OFTEN * len(results))
    return [*found, *(question for question, n in warned.items() if n >= often and question not in found)]


def _moving(results: Sequence[NightResult], features: Sequence[str]) -> dict[str, str]:
    """Feature (or metric of the answers) -> why the default drift rules cannot ask about it."""
    from vigil.verdicts.types import column_of

    alarms: Counter[str] = Counter()
    for r in results:
        bad = [v for v in r.verdicts if _learnt(v) and v.state is State.BREACH and v.metric != "volume"]
        alarms.update({c if (c := column_of(v.subject)) in features else v.metric for v in bad})
    often = max(HABIT, len(results) / 2)
    return {name: f"moved on {n} of the reference's {len(results)} nights" for name, n in alarms.items() if n >= often}


def _odd(results: Sequence[NightResult]) -> tuple[str, ...]:
    return tuple(f"{r.night}: {v.reason}" for r in results for v in r.verdicts if v.state is State.BREACH)
