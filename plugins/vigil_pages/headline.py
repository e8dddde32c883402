"""How a model is tonight: one state and one sentence, and what to do where nobody looked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.verdicts.coverage import blind_to
from vigil.verdicts.types import State

from .views import WAITING, night_state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vigil.verdicts.coverage import CoverageGoal
    from vigil.verdicts.types import NightResult, Verdict


@dataclass(frozen=True)
class Headline:
    """`late` says that a night is missing which must have been judged by now; `blind`, what is hardly judged at all."""

    state: str
    sentence: str
    late: str = ""
    blind: tuple[str, ...] = ()


def headline(result: NightResult, *, due: date, dag_id: str) -> Headline:
    """Of the newest judged night. due: the newest night that must have been judged by now."""
    state = night_state(result)
    waiting = [v for v in result.verdicts if v.cause and v.cause.value in WAITING and not v.overdue]
    waits = f"; {_checks(len(waiting))} {'waits' if len(waiting) == 1 else 'wait'} for labels" if waiting else ""
    if state == "rest":
        return Headline(state, _rests(result), late(result.night, due=due, dag_id=dag_id))
    sentence = f"{_said(state, result.verdicts, len(waiting))}{waits}."
    return Headline(state, sentence, late(result.night, due=due, dag_id=dag_id))


def blind(goal: CoverageGoal, results: Sequence[NightResult]) -> tuple[str, ...]:
    """A sentence for each family that was mostly unknown for so many nights that the monitor is blind to it."""
    return tuple(f"Blind to {b.family.value} since {b.since}: {b}." for b in blind_to(goal, results))


def _rests(result: NightResult) -> str:
    """Why a day without rows is no night."""
    why = next(map(str, result.notes), "no service")
    return f"A day of rest, on which nothing is judged: {why}."


def late(newest: date, *, due: date, dag_id: str) -> str:
    """That a night is missing which must have been judged by now, or ""."""
    if newest >= due:
        return ""
    return (
        f"The night of {due} should have been judged by now; the newest one is {newest}. "
        f"Is the DAG {dag_id} paused, or did its run fail?"
    )


def _said(state: str, verdicts: Sequence[Verdict], waiting: int) -> str:
    mine = [v for v in verdicts if v.state.value == state]
    match state:
        case "ok":
            answered = len(verdicts) - waiting
            if answered == 1:
                return "The one check that can be answered is ok"
            return f"All {_checks(answered)} that can be answered are ok"
        case "breach":
            verb = "breaches" if len(mine) == 1 else "breach"
            return f"{len(mine):,} of {_checks(len(verdicts))} {verb}: {_families(mine)}"
        case "warn":
            verb = "warns" if len(mine) == 1 else "warn"
            return f"{len(mine):,} of {_checks(len(verdicts))} {verb}, none breaches: {_families(mine)}"
        case _:
            return _unanswered(verdicts)


def _unanswered(verdicts: Sequence[Verdict]) -> str:
    """Which checks have no answer and why; labels that are not due yet only where nothing else is there."""
    mine = [v for v in verdicts if v.state is State.UNKNOWN]
    due = [v for v in mine if v.overdue or not (v.cause and v.cause.value in WAITING)]
    if not due:
        return "Nothing could be answered yet"
    why = Counter(v.cause.value if v.cause else "unknown" for v in due)
    causes = ", ".join(f"{cause} {n:,}×" if len(why) > 1 else cause for cause, n in why.most_common())
    rest = "; nothing else is wrong" if len(verdicts) > len(mine) else ""
    return f"{len(due):,} of {_checks(len(verdicts))} could not be answered: {causes}{rest}"


def _families(verdicts: Sequence[Verdict]) -> str:
    """`fairness, drift 2×`, most first."""
    told = Counter(v.family.value for v in verdicts)
    return ", ".join(f"{family} {n:,}×" if n > 1 else family for family, n in told.most_common())


def _checks(count: int) -> str:
    return f"{count:,} {'check' if count == 1 else 'checks'}"
