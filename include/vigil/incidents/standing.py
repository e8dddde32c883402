"""Bad answers that stand: known, shown, and silent until they are worse or their date of review has come.

A fold over incidents: nothing else is stored.
"""

from collections.abc import Sequence
from datetime import date

from vigil.incidents.types import Basis, Incident, Standing, Status
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.types import Onset, State, Verdict

MUCH_WORSE = 0.5  # of its distance from the usual value: so much further is another fault


def is_bad(verdict: Verdict) -> bool:
    """A breach, or slow drift that somebody should look at."""
    return verdict.state is State.BREACH or verdict.ticket


def register(known: Sequence[Incident]) -> dict[str, Standing]:
    """Question -> the newest bad answer that stands, whatever its date of review; not where it was a signal since."""
    live = [i for i in known if i.status not in (Status.NEVER_WAS, Status.MERGED)]
    signalled: dict[str, date] = {}
    newest: dict[str, Standing] = {}
    for question in (q for i in live for q in i.questions.values()):
        signalled[question.id] = max(question.last_bad, signalled.get(question.id, question.last_bad))
        stands = question.standing
        if stands and (question.id not in newest or stands.night >= newest[question.id].night):
            newest[question.id] = stands
    return {q: s for q, s in newest.items() if signalled[q] <= s.night}


def standing_findings(known: Sequence[Incident], night: date) -> dict[str, Standing]:
    """Question -> the bad answer that stands on `night`: it is shown, and is no signal."""
    return {q: s for q, s in register(known).items() if s.review > night}


def is_worse(stands: Standing, verdict: Verdict) -> bool:
    """Whether a bad answer is worse than the one that stands.

    One that was known since the reference: when it is not that any more. Any other: when it is a hard one now, or has
    moved on by half its distance from the usual value, and the intervals do not meet.
    """
    if stands.basis is Basis.KNOWN:
        return verdict.onset is not Onset.KNOWN
    if verdict.hard and not stands.verdict.hard:
        return True
    was, now = stands.verdict.measurement, verdict.measurement
    if was is None or now is None or was.value is None or now.value is None:
        return False
    return _apart(was, now) and _further(was.value, now.value, was.baseline or 0.0, was.worse)


def _apart(was: Measurement, now: Measurement) -> bool:
    """Whether two measurements differ by more than their intervals allow; true where there are none."""
    if was.low is None or was.high is None or now.low is None or now.high is None:
        return True
    return now.low > was.high or now.high < was.low


def _further(was: float, now: float, usual: float, worse: Worse) -> bool:
    move = {Worse.LOWER: was - now, Worse.HIGHER: now - was, Worse.AWAY: abs(now - was)}[worse]
    return move > MUCH_WORSE * abs(was - usual)
