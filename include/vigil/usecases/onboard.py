"""Somebody's log -> a monitor that is watched: look, draft, write, take the rows, keep a reference, judge the past."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from vigil.config.as_before import as_before
from vigil.config.load import load_monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.onboarding.document import Answers
from vigil.onboarding.reference_window import WindowChoice
from vigil.onboarding.rules import Book
from vigil.ports import Ports
from vigil.usecases.fit import fit
from vigil.usecases.ingest import Ingested, ingest
from vigil.usecases.look import Looked
from vigil.usecases.reference import REFERENCE, set_reference


class Written(Spec):
    """What was written. dropped: expectations that would have failed on the reference itself.

    odd: what the rules that learn say of nights of the reference. window: which nights teach, where it was tried.
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
    window: WindowChoice | None = None


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

    All of it or nothing: where a step fails, or is interrupted, files, rows, reference and bin edges are as they were
    before. A monitor that is there already is only replaced with `force`.
    """
    model = looked.draft.asked.name
    yaml, suite = home / "monitors" / f"{model}.yaml", home / "expectations" / f"{model}.json"
    for path in (yaml, suite):
        if path.exists() and not force:
            raise DataError(f"{path} is there already; choose another name, or replace it with --force")
    fitted = fit(ports, looked, answers, reference)
    body, expectations = fitted.body, json.dumps(fitted.suite, indent=2, ensure_ascii=False) + "\n"
    with (
        as_before(yaml.parent, yaml.name),
        as_before(suite.parent, suite.name),
        _draft_of(yaml, body) as draft,
        _draft_of(suite, expectations) as suite_draft,
        ports.intake.replacing(model),
        ports.profiles.replacing(model, REFERENCE),
        ports.log.replacing(model, at=ports.clock.now()),
    ):
        monitor = load_monitor(draft)
        first, last = min(fitted.counts), max(fitted.counts)
        taken = ingest(ports, monitor, first, last, again=True)
        if taken.unread and not taken.new:
            raise DataError(taken.unread[0].why)
        suite_draft.replace(suite)
        draft.replace(yaml)
        # the last step, and its own last step is the ledger's event, which cannot be taken back
        done = set_reference(ports, monitor, fitted.rows, origin=fitted.reference, actor=actor, refit=True)
    return Written(
        monitor=monitor, yaml=yaml, suite=suite, reference_rows=done.rows, reference=fitted.reference,
        ingested=taken, first=first, last=last, book=fitted.rules.book, dropped=fitted.dropped, odd=fitted.rules.odd,
        window=fitted.window,
    )  # fmt: skip


@contextmanager
def _draft_of(path: Path, text: str) -> Iterator[Path]:
    """The text in a file beside the one that it is for: a rename puts it in place, whole."""
    draft = path.with_suffix(".draft")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.write_text(text, encoding="utf-8")
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def nights_of(first: date, last: date, *, most: int = 60) -> Sequence[date]:
    """The newest `most` nights of a span, oldest first."""
    days = (last - first).days
    return [last - timedelta(days=n) for n in range(min(days, most - 1), -1, -1)]
