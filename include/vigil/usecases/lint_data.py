"""A monitor against its rows: what the YAML says of the log, and what the log has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.config.schema import Monitor
from vigil.core.errors import DataError, RegistryError
from vigil.core.window import Window, night_window
from vigil.intake.column_values import text
from vigil.intake.naming import absent
from vigil.intake.normalise import normalise, normalise_outcomes
from vigil.intake.types import Source
from vigil.onboarding.columns import Holds, look
from vigil.onboarding.draft import MOST_LEVELS
from vigil.ports import Ports, Unread
from vigil.profiles.layout import FeatureType
from vigil.usecases.ingest import wanted
from vigil.usecases.nights import partition
from vigil.verdicts.types import Cause, State

if TYPE_CHECKING:
    import pandas as pd

Place = tuple[str | int, ...]
Finding = tuple[Place, str]
Files = tuple[tuple[str, str], ...]  # (file, why)
ROWS = 20_000
BACK = 60  # nights in which rows are looked for
WRONG = 0.02  # share of values of another type that is said


def findings(ports: Ports, monitor: Monitor, suite: Mapping[str, Any] | None, *, today: date) -> Iterator[Finding]:
    """Everything in the rows that contradicts the YAML, at the place of the YAML that says it.

    suite: the monitor's suite as JSON, or None. Nothing is written.
    """
    if monitor.source is not None:
        yield from _source(ports, monitor, monitor.source, today)
    frame, night, broken = _rows(ports, monitor, today)
    for name, why in broken:
        yield ("data",), f"{Path(name).name} cannot be used: {why}"
    if frame is None:
        fix = "`vigil ingest` takes what the source has" if monitor.source else "log some with `vigil.sdk`"
        yield ("model",), f"no row of the last {BACK} nights is in the log; {fix}"
        return
    yield from _columns(monitor, frame, night)
    yield from _decision(monitor, frame, night)
    yield from _groups(monitor, frame, night)
    yield from _reference(ports, monitor)
    if suite is not None:
        yield from _suite(ports, monitor, suite)


def _rows(ports: Ports, monitor: Monitor, today: date) -> tuple[pd.DataFrame | None, date, Files]:
    """Rows of the newest night that has any, and the files of that night, or of newer ones, that cannot be used."""
    broken: dict[str, str] = {}
    newest = ports.results.newest(monitor.model, monitor.environment)
    for night in [*(today - timedelta(days=n) for n in range(1, BACK + 1)), *([newest[0]] if newest else [])]:
        found = partition(ports, monitor, night)
        broken |= dict(found.broken)
        rows = ports.log.sample(monitor, found, rows=ROWS)
        if rows.num_rows:
            return rows.to_pandas(), night, tuple(broken.items())
    return None, today, tuple(broken.items())


def _source(ports: Ports, monitor: Monitor, source: Source, today: date) -> Iterator[Finding]:
    first, last = (night_window(today - timedelta(days=n), monitor.timezone) for n in (BACK, 1))
    span = Window(first.start, last.end)
    for place, where in ((("source", "predictions"), source.predictions), (("source", "outcomes"), source.apart)):
        if where is None:
            continue
        try:
            piece = next(iter(ports.intake.pieces(monitor.model, source, where, span, again=True)), None)
            if piece is None:
                continue
            if isinstance(piece, Unread):
                yield place, piece.why
                continue
            if place[1] == "predictions":
                rows = normalise(piece.rows, source, wanted(monitor), origin=piece.origin, first=piece.first)
                if rows.rejected:
                    share = len(rows.rejected) / len(piece.rows)
                    what = f"{share:.1%} of the rows have no time that can be read, such as row {rows.rejected[0].row}"
                    yield ("source", "served_at"), what
            else:
                normalise_outcomes(piece.rows, source, wanted(monitor), origin=piece.origin)
        except DataError as error:
            yield place, str(error)


def _columns(monitor: Monitor, frame: pd.DataFrame, night: date) -> Iterator[Finding]:
    import pandas as pd

    for name, kind in monitor.features.items():
        if name not in frame:
            yield ("features", name), absent(name, frame.columns, f"the log on {night}")
            continue
        one = look(frame[[name]])[name]
        if one.holds is Holds.EMPTY:
            yield ("features", name), f"all {len(frame):,} values are missing on {night}"
        elif kind is FeatureType.NUMERIC:
            bad = pd.to_numeric(text(frame[name]), errors="coerce").isna() & frame[name].notna()
            if bad.mean() > WRONG:
                example = str(frame.loc[bad, name].iloc[0])[:20]
                yield ("features", name), f"{bad.mean():.1%} of the values are no numbers, such as {example!r}"
        elif one.holds is Holds.ID or one.distinct > MOST_LEVELS:
            what = f"{one.distinct:,} different values in {len(frame):,} rows: an id or free text, new every night"
            yield ("features", name), f"{what}; leave it out, or group its values"


def _decision(monitor: Monitor, frame: pd.DataFrame, night: date) -> Iterator[Finding]:
    d, decision = monitor.data, monitor.decision
    if d.prediction not in frame:
        yield ("data", "prediction"), absent(d.prediction, frame.columns, f"the log on {night}")
        return
    if d.score and d.score not in frame:
        yield ("data", "score"), absent(d.score, frame.columns, f"the log on {night}")
    if decision is None:
        return
    answers = sorted(set(text(frame[d.prediction]).dropna()))
    labels = sorted(set(text(frame["label"]).dropna())) if "label" in frame else []
    for key, kind, there in (
        ("favourable", "answer", answers),
        ("positive", "label", labels),
        ("deserving", "label", labels),
    ):
        said = getattr(decision, key)
        if there and said not in there:
            yield ("decision", key), f"no {kind} on {night} is {said!r}; there are {_listed(there)}"


def _groups(monitor: Monitor, frame: pd.DataFrame, night: date) -> Iterator[Finding]:
    for index, one in enumerate(monitor.protected):
        place: Place = ("protected", index)
        if one.attribute not in frame:
            yield (*place, "attribute"), absent(one.attribute, frame.columns, f"the log on {night}")
            continue
        sizes = text(frame[one.attribute]).value_counts()
        if len(sizes) > MOST_LEVELS // 10:
            what = f"{one.attribute} has {len(sizes)} groups, so most are too small to judge; join its values"
            yield (*place, "attribute"), what
        there = _listed(list(sizes.index))
        for group in (one.reference, *one.groups):
            if group not in sizes.index:
                what = f"no row on {night} has {one.attribute} {group!r}; there are {there}"
                yield (*place, "reference"), what


def _reference(ports: Ports, monitor: Monitor) -> Iterator[Finding]:
    if ports.profiles.edges(monitor.model) is None:
        fix = f"`vigil promote {monitor.model} VERSION …`, or `vigil reference {monitor.model} PATH`"
        yield ("model",), f"there is no baseline yet, so nothing can be compared; {fix}"
        return
    kept = ports.log.reference(monitor.model)
    if kept is None:
        return  # registered versions bring their own
    for name in monitor.features:
        if name not in kept.column_names:
            yield ("features", name), absent(name, kept.column_names, "the reference")


def _suite(ports: Ports, monitor: Monitor, suite: Mapping[str, Any]) -> Iterator[Finding]:
    """Expectations about columns that fail, or cannot be checked, on the very rows that are called good."""
    rows = ports.log.reference(monitor.model)
    if rows is None:
        try:
            state = ports.registry.serving(monitor.model)
            rows = ports.registry.holdout(monitor.model, state.champion) if state.champion else None
        except RegistryError:
            rows = None
    if rows is None:
        return
    try:
        tried = ports.quality.check(monitor, suite, rows)
    except DataError as error:
        yield ("suite",), str(error)
        return
    for verdict in tried:
        if not set(verdict.columns) <= set(rows.column_names):
            continue  # the log has columns that a reference need not have
        if verdict.columns and verdict.state in (State.BREACH, State.WARN):
            yield ("suite",), f"it fails on the reference itself: {verdict.reason}"
        elif verdict.cause is Cause.CHECK_FAILED:
            yield ("suite",), f"it cannot be checked on the reference: {verdict.reason}"


def _listed(names: list[Any], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(str(n)) for n in names[:most]) + more if names else "none"
