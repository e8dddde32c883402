"""Somebody's log -> a monitor that is watched: look, draft, write, take the rows, keep a reference, judge the past."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from vigil.config.load import load_monitor
from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.onboarding.document import Answers
from vigil.onboarding.rules import Book
from vigil.ports import Ports
from vigil.usecases.fit import Fitted, fit
from vigil.usecases.ingest import Ingested, ingest
from vigil.usecases.look import Looked
from vigil.usecases.reference import Referenced, set_reference


class Written(Spec):
    """What was written. dropped: expectations that would have failed on the reference itself.

    odd: what the rules that learn say of nights of the reference.
    """

    monitor: Any
    yaml: Path
    suite: Path
    reference_rows: int
    reference: str
    ingested: Ingested
    first: date
    last: date
    book: Book
    dropped: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


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
    """Writes the YAML and the suite, takes the log's rows, keeps the reference: after all of it was tried on the rows.

    Nothing is half-written: the YAML comes last, and a monitor that is there already is only replaced with `force`.
    """
    model = looked.draft.asked.name
    yaml, expectations = home / "monitors" / f"{model}.yaml", home / "expectations" / f"{model}.json"
    for path in (yaml, expectations):
        if path.exists() and not force:
            raise DataError(f"{path} is there already; choose another name, or replace it with --force")
        path.parent.mkdir(parents=True, exist_ok=True)
    fitted = fit(ports, looked, answers, reference)
    trial, trial_suite = yaml.with_suffix(".draft"), expectations.with_suffix(".draft")
    try:
        trial.write_text(fitted.body, encoding="utf-8")
        monitor = load_monitor(trial)
        trial_suite.write_text(json.dumps(fitted.suite, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        first, last = min(fitted.counts), max(fitted.counts)
        taken, done = _taken(ports, monitor, fitted, first, last, actor)
        trial_suite.replace(expectations)
        trial.replace(yaml)
    finally:
        trial.unlink(missing_ok=True)
        trial_suite.unlink(missing_ok=True)
    return Written(
        monitor=monitor, yaml=yaml, suite=expectations, reference_rows=done.rows, reference=fitted.reference,
        ingested=taken, first=first, last=last, book=fitted.rules.book, dropped=fitted.dropped, odd=fitted.rules.odd,
    )  # fmt: skip


def _taken(
    ports: Ports, monitor: Monitor, fitted: Fitted, first: date, last: date, actor: str
) -> tuple[Ingested, Referenced]:
    """Takes the rows and keeps the reference; takes the rows out again where that fails."""
    ports.log.set_aside(monitor.model, at=ports.clock.now())  # of an attempt before, which read the log otherwise
    try:
        taken = ingest(ports, monitor, first, last, again=True)
        return taken, set_reference(ports, monitor, fitted.rows, origin=fitted.reference, actor=actor, refit=True)
    except BaseException:
        ports.log.set_aside(monitor.model, at=ports.clock.now())
        raise


def nights_of(first: date, last: date, *, most: int = 60) -> Sequence[date]:
    """The newest `most` nights of a span, oldest first."""
    days = (last - first).days
    return [last - timedelta(days=n) for n in range(min(days, most - 1), -1, -1)]
