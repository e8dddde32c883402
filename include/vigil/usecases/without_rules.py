"""What a night says that no rule asks: why there are no numbers, and its notes."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.ports import Partition
from vigil.usecases.night.notes import NoBaseline, Problem, SchemaProblem
from vigil.usecases.nights import Night
from vigil.verdicts.notes import Note, NoteKind
from vigil.verdicts.service_days import ServiceDays, service_note
from vigil.verdicts.types import Cause, State, Verdict


def problems(
    monitor: Monitor,
    night: date,
    found: Partition,
    loaded: Night | None,
    problem: Problem | None,
) -> list[Verdict]:
    """Why there are no numbers: never silence, never ok."""
    match problem:
        case SchemaProblem(why=why):
            return [_failure("schema", State.BREACH, None, why, hard=True)]
        case NoBaseline(why=why):
            return [_failure("baseline", State.UNKNOWN, Cause.CHECK_FAILED, why)]
    if found.broken and loaded is None:
        name, why = found.broken[0]
        return [_failure("rows", State.UNKNOWN, Cause.CHECK_FAILED, f"{Path(name).name} could not be read: {why}")]
    if loaded is None:
        where = "no file for the night" if not found.files else "the files hold no row of the night"
        reason = f"{monitor.model} has no predictions for {night} ({monitor.environment}): {where}"
        return [_failure("rows", State.UNKNOWN, Cause.NO_DATA, reason)]
    return []


def _failure(metric: str, state: State, cause: Cause | None, reason: str, *, hard: bool = False) -> Verdict:
    return Verdict(
        metric=metric,
        subject="all",
        family=Family.QUALITY,
        state=state,
        cause=cause,
        reason=reason,
        hard=hard,
        overdue=state is State.UNKNOWN,
    )


def undecided(monitor: Monitor, night: date, service: ServiceDays) -> list[Verdict]:
    """What is said on a day of rest: nothing, but while it is not known whether it is one."""
    if not service.waits(night):
        return []
    said = _failure("rows", State.UNKNOWN, Cause.NO_DATA, f"{monitor.model}: {service_note(service, night, rows=0)}")
    return [said.model_copy(update={"overdue": False})]


def notes_of(
    found: Partition, failed_gates: Sequence[str], loaded: Night | None, remarks: Sequence[str]
) -> tuple[Note, ...]:
    """What a person should know beside the verdicts. remarks: of the weekday and the nights that teach; "" is none."""
    notes = [Note(words=remark) for remark in remarks if remark]
    notes += [
        Note(kind=NoteKind.UNREADABLE_FILE, words=f"{Path(name).name} could not be read: {why}")
        for name, why in found.broken
    ]
    notes += [Note(kind=NoteKind.GATE_FAILED, words=f"gate failed: {gate}") for gate in failed_gates]
    if loaded is not None and loaded.baseline is None:
        words = f"version {loaded.version} has no recorded baseline; promote it with `vigil promote`"
        notes.append(Note(words=words))
    return tuple(notes)
