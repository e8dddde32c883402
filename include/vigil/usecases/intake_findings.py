"""What a night says of the rows that its intake did not take, or not silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.intake.odd_times import OddTime
from vigil.ports import Ports, ReadPorts, Unread
from vigil.usecases.ingest import Held, Ingested, LabelRows
from vigil.usecases.night.notes import IntakeNote
from vigil.usecases.nights import lookback
from vigil.verdicts.types import Cause, State, Verdict

SUMS = ("rows", "new", "known", "conflicting", "excluded", "rejected", "outcomes", "earlier")
SHOWN = 5  # files that are named


def note_intake(ports: Ports, monitor: Monitor, night: date, told: Ingested) -> None:
    """Keeps what was taken with the night. Past nights no longer wait for a file that was read by now."""
    if (
        ports.results.newest(monitor.model, monitor.environment) is None
    ):  # a log that is taken for the first time is old
        told = told.model_copy(update={"earlier": 0})
    ports.notes.put(monitor.model, night, IntakeNote(content=_added(noted(ports, monitor, night), told)))
    still = {one.origin for one in told.unread}
    for past in lookback(monitor, night)[:-1]:
        before = noted(ports, monitor, past)
        left = tuple(one for one in before.unread if one.origin in still)
        if left != before.unread:
            ports.notes.put(monitor.model, past, IntakeNote(content=before.model_copy(update={"unread": left})))


def noted(ports: ReadPorts, monitor: Monitor, night: date) -> Ingested:
    """What was taken in a night; nothing where nothing was noted."""
    note: IntakeNote | None = ports.notes.get(monitor.model, night, IntakeNote)
    return note.content if note else Ingested()


def _added(before: Ingested, told: Ingested) -> Ingested:
    """A step may run twice: what the first run rejected is not read again. What was left unread or held, is, and is
    counted once."""
    days = [day for one in (before, told) for day in (one.first, one.last) if day]
    sums = {name: getattr(before, name) + getattr(told, name) for name in SUMS}
    labels = {name: getattr(before.labels, name) + getattr(told.labels, name) for name in LabelRows.model_fields}
    again = before.labels.held
    return told.model_copy(
        update={
            **sums,
            "rows": sums["rows"] - before.rows_held,
            "labels": LabelRows(**{**labels, "rows": labels["rows"] - again, "held": labels["held"] - again}),
            "examples": (*before.examples, *told.examples)[:3],
            "first": min(days, default=None),
            "last": max(days, default=None),
        }
    )


def newly_unread(ports: ReadPorts, monitor: Monitor, night: date) -> tuple[Unread, ...]:
    """Files whose rows may be missing from this night: those that could not be read, and were not known the night
    before. One that stays torn is a finding of each night, and no reason to doubt them all."""
    known = {one.origin for one in noted(ports, monitor, night - timedelta(days=1)).unread}
    return tuple(one for one in noted(ports, monitor, night).unread if one.origin not in known)


def intake_findings(told: Ingested) -> list[Verdict]:
    """One verdict on what was not taken, or too late: unknown where files could not be read, else a warning."""
    lines = list(account(told))
    if told.earlier:  # taken, and too late for a judgement
        oldest = f"the oldest to {told.first}"
        lines.append(
            f"{told.earlier:,} of the {told.new:,} new rows belong to nights that are not judged again, {oldest}"
        )
    if not lines:
        return []
    state = State.UNKNOWN if told.unread else State.WARN
    return [
        Verdict(
            metric="intake",
            subject="all",
            family=Family.QUALITY,
            state=state,
            cause=Cause.CHECK_FAILED if told.unread else None,
            reason="; ".join(lines),
            overdue=bool(told.unread),
        )
    ]


def account(told: Ingested) -> Iterator[str]:
    """In sentences: what was not taken, where it is, and what to do."""
    for one in told.unread[:SHOWN]:
        named = "" if one.why.startswith(one.origin) else f"{one.origin}: "
        yield f"{named}{one.why}. The file was not taken, and is tried again next time"
    if len(told.unread) > SHOWN:
        yield f"{len(told.unread) - SHOWN} more files were not taken"
    if told.rejected:
        yield f"{told.rejected:,} of {told.rows:,} rows of the source were not taken: {'; '.join(told.examples)}"
    if told.conflicting:
        yield f"{told.conflicting:,} rows have an id that is in the log with other values: what is there stays"
    for held in told.held[:SHOWN]:
        yield (
            f"{held_rows(held)}. They were not taken: correct the file or the `format:` of the time, or take them with "
            "`vigil ingest MODEL --yes`"
        )
    if len(told.held) > SHOWN:
        yield f"{sum(one.rows for one in told.held[SHOWN:]):,} more rows were not taken for their times"
    if lost := told.labels.unnamed + told.labels.undated:
        yield f"{lost:,} of {told.labels.rows:,} outcomes have a label but no id or no time, and were not taken"


def held_rows(held: Held) -> str:
    """Which rows have times that can hardly be right, and why."""
    what = "outcomes" if held.outcomes else "rows"
    when = f"{held.first}" if held.first == held.last else f"{held.first} to {held.last}"
    apart = f", {days} days from the others ({_others(held)})" if (days := _days(held)) else ""
    return f"{held.origin}: {held.rows:,} {what} are dated {when}{apart}, {_WHY[held.why]}"


_WHY = {
    OddTime.FUTURE: "which is in the future (are day and month swapped, or is it another time zone?)",
    OddTime.ANCIENT: "long before such a log began (are they milliseconds, or a year of two digits?)",
    OddTime.FAR: "far from the rest (are day and month swapped?)",
}


def _days(held: Held) -> int:
    """Days between the rows that are held and the others of their file."""
    if held.others is None:
        return 0
    return max((held.others[0] - held.last).days, (held.first - held.others[1]).days, 0)


def _others(held: Held) -> str:
    assert held.others is not None
    low, high = held.others
    return f"{low}" if low == high else f"{low} to {high}"
