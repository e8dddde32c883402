"""Somebody's log -> a monitor that is watched: look, draft, write, take the rows, keep a reference, judge the past."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.config.load import load_monitor
from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.window import night_window
from vigil.core.words import Task
from vigil.intake.decimals import decimal_of, pointed
from vigil.intake.naming import absent
from vigil.intake.normalise import normalise_reference, text
from vigil.intake.types import Source, Time
from vigil.onboarding.columns import Look, look
from vigil.onboarding.document import Answers, Facts, document
from vigil.onboarding.draft import Asked, Draft, draft
from vigil.onboarding.movement import Movement, drift_rules, movements
from vigil.onboarding.roles import Word
from vigil.onboarding.suite import suite
from vigil.ports import Ports
from vigil.usecases.ingest import Ingested, ingest, wanted
from vigil.usecases.reference import set_reference
from vigil.verdicts.types import State

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 50_000  # rows that are looked at
REFERENCE_NIGHTS = 14
SCHEMA = "../.vigil/monitor.schema.json"


class Looked(Spec):
    """A draft, and the rows that it was made of."""

    draft: Draft
    looks: dict[str, Look]
    frame: Any
    files: int


class Written(Spec):
    """What was written. dropped: expectations that would have failed on the reference itself."""

    monitor: Any
    yaml: Path
    suite: Path
    reference_rows: int
    reference: str
    ingested: Ingested
    first: date
    last: date
    dropped: tuple[str, ...] = ()


def look_at(ports: Ports, asked: Asked) -> Looked:
    """Reads a sample and drafts the monitor. Writes nothing. Raises DataError with what to do."""
    frame, files = _sample(ports, asked.name, asked.log)
    for column, value in asked.only.items():
        if column in frame:
            frame = frame[text(frame[column]) == value].reset_index(drop=True)
    truth = _sample(ports, asked.name, asked.outcomes)[0] if asked.outcomes else None
    decimal = decimal_of(frame)
    frame, truth = pointed(frame, decimal), pointed(truth, decimal) if truth is not None else None
    looks = look(frame)
    made = draft(asked, frame, looks, truth).model_copy(update={"decimal": decimal})
    return Looked(draft=made, looks=looks, frame=frame, files=files)


def _sample(ports: Ports, model: str, where: str) -> tuple[pd.DataFrame, int]:
    """At most SAMPLE rows spread over all files, and how many files there are."""
    import pandas as pd

    source = Source(predictions=where, served_at=Time(column=""))
    pieces, origins = [], set()
    for piece in ports.intake.pieces(model, source, where, None, again=True, look=True):
        pieces.append(piece.rows)
        origins.add(piece.origin)
    frame = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()
    if len(frame) > SAMPLE:  # every k-th row: a log is in order of time
        frame = frame.iloc[:: -(-len(frame) // SAMPLE)].reset_index(drop=True)
    return frame, len(origins)


def write(
    ports: Ports,
    looked: Looked,
    answers: Answers,
    *,
    home: Path,
    reference: str | None,
    actor: str,
    force: bool = False,
) -> Written:
    """Writes the YAML and the suite, takes the log's rows, keeps the reference. Nothing is half-written: the YAML comes
    last, and a monitor that is there already is only replaced with `force`."""
    d = looked.draft
    yaml, expectations = home / "monitors" / f"{d.asked.name}.yaml", home / "expectations" / f"{d.asked.name}.json"
    for path in (yaml, expectations):
        if path.exists() and not force:
            raise DataError(f"{path} is there already; choose another name, or replace it with --force")
        path.parent.mkdir(parents=True, exist_ok=True)
    body = document(d, answers, facts(looked), schema=SCHEMA)
    trial, trial_suite = yaml.with_suffix(".draft"), expectations.with_suffix(".draft")
    try:
        trial.write_text(body, encoding="utf-8")
        monitor = load_monitor(trial)
        first, last = _nights(looked)
        ports.log.set_aside(monitor.model, at=ports.clock.now())  # of an attempt before, which read the log otherwise
        taken = ingest(ports, monitor, first, last, again=True)
        rows, said = reference_rows(ports, monitor, reference, first=first, last=last)
        kept, dropped = _fitted(ports, monitor, rows, d)
        done = set_reference(ports, monitor, rows, origin=said, actor=actor, refit=True)
        trial_suite.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        trial_suite.replace(expectations)
        trial.replace(yaml)
    finally:
        trial.unlink(missing_ok=True)
        trial_suite.unlink(missing_ok=True)
    return Written(
        monitor=monitor, yaml=yaml, suite=expectations, reference_rows=done.rows, reference=said, ingested=taken,
        first=first, last=last, dropped=dropped,
    )  # fmt: skip


def facts(looked: Looked) -> Facts:
    """What the rules' numbers are made of."""
    import pandas as pd

    d, frame = looked.draft, looked.frame
    there = [d.columns.get(f, f) for f in d.features]
    missing = max((looked.looks[c].missing for c in there if c in looked.looks), default=0.0)
    slow = 0.0
    if Word.LATENCY in d.roles:
        slow = float(pd.to_numeric(frame[d.roles[Word.LATENCY].column], errors="coerce").quantile(0.99) or 0)
    moved = _movements(looked)
    rules, no_drift = drift_rules(moved)
    spread = 0.0
    if d.task is Task.REGRESSION and d.label and d.label in frame:
        spread = float(pd.to_numeric(frame[d.label], errors="coerce").std() or 0)
    nightly = tuple(name for name, m in moved.items() if m.nightly)
    return Facts(missing=missing, slow_ms=slow, spread=spread, drift=tuple(rules), no_drift=no_drift, nightly=nightly)


def _movements(looked: Looked) -> dict[str, Movement]:
    d = looked.draft
    nights = _local(looked).dt.date
    frame = looked.frame.rename(columns={there: word for word, there in d.columns.items() if word in d.features})
    return movements(frame, nights, d.features, reference_nights=reference_nights(d.nights))


def reference_nights(nights: int) -> int:
    """How many of a log's first nights are its reference."""
    return max(1, min(REFERENCE_NIGHTS, nights // 3))


def _nights(looked: Looked) -> tuple[date, date]:
    """The first and the last local day of the sample."""
    local = _local(looked).dropna()
    return local.min().date(), local.max().date()


def _local(looked: Looked) -> pd.Series:
    """The local time of each row."""
    from vigil.intake.normalise import instants
    from vigil.onboarding.truth import time_of

    d = looked.draft
    times: Any = instants(looked.frame, time_of(d.served_at, d.asked.timezone), d.asked.log)
    local: pd.Series[Any] = times.dt.tz_convert(d.asked.timezone)
    return local


def reference_from(ports: Ports, monitor: Monitor, path: str) -> Any:
    """The rows of a file in the monitor's words: names, values and bands are those of its `source:`."""
    import pyarrow as pa

    frame, _ = _sample(ports, monitor.model, path)
    source = monitor.source or Source(predictions=path, served_at=Time(column=""))
    rows = normalise_reference(frame, source, wanted(monitor), origin=Path(path).name)
    missing = [name for name in monitor.features if name not in rows]
    if missing:
        more = f" (and {len(missing) - 1} more of the features)" if len(missing) > 1 else ""
        raise DataError(f"{absent(missing[0], frame.columns, Path(path).name)}{more}. A reference has every feature")
    return pa.Table.from_pandas(rows, preserve_index=False)


def reference_rows(ports: Ports, monitor: Monitor, path: str | None, *, first: date, last: date) -> tuple[Any, str]:
    """(rows in the log's words, what they are): the file that people named, else the log's first nights."""
    import pyarrow as pa

    if path is not None:
        return reference_from(ports, monitor, path), Path(path).name
    nights = reference_nights((last - first).days + 1)
    parts = []
    for n in range(nights):
        window = night_window(first + timedelta(days=n), monitor.timezone)
        found = ports.log.sample(monitor, ports.log.partition(monitor, window), rows=SAMPLE)
        if found.num_rows:
            parts.append(found)
    if not parts:
        raise DataError(f"{monitor.model}: no row of the log's first {nights} nights was taken; see `vigil ingest`")
    return pa.concat_tables(parts, promote_options="permissive"), f"the log's first {nights} nights"


def _fitted(ports: Ports, monitor: Monitor, rows: Any, d: Draft) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A suite that does not fire on the reference itself, and what had to be left out for that."""
    frame = rows.to_pandas()
    made = suite(monitor.model, frame, d.features, rows_a_night=d.rows_a_night)
    tried = ports.quality.check(monitor, made, _whole(rows, frame))
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for one, verdict in zip(made["expectations"], tried, strict=True):
        (dropped if verdict.state in (State.BREACH, State.WARN) else kept).append(one)
    names = tuple(f"{one['type']}({one['kwargs'].get('column', 'all')})" for one in dropped)
    return {**made, "expectations": kept}, names


def _whole(rows: Any, frame: Any) -> Any:
    """The reference with the log's own columns, so that the gates can be tried on it."""
    import pyarrow as pa

    own: Mapping[str, Any] = {
        "prediction_id": pa.array([f"r{n}" for n in range(len(frame))]),
        "served_at": pa.nulls(len(frame)),
        "prediction": pa.nulls(len(frame), pa.string()),
    }
    for name, column in own.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, column)
    return rows


def nights_of(first: date, last: date, *, most: int = 60) -> Sequence[date]:
    """The newest `most` nights of a span, oldest first."""
    days = (last - first).days
    return [last - timedelta(days=n) for n in range(min(days, most - 1), -1, -1)]
