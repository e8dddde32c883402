"""What stands for a model tonight, and what a person accepts."""

from collections.abc import Mapping, Sequence
from datetime import date

from vigil.config.schema import Monitor
from vigil.core.errors import DataError, LedgerError
from vigil.incidents.events import FindingAccepted
from vigil.incidents.lifecycle import fold
from vigil.incidents.standing import register
from vigil.incidents.types import Basis, Incident, Standing
from vigil.ports import Ports
from vigil.usecases.baseline import rebaselinings
from vigil.usecases.record import append
from vigil.verdicts.types import NightResult, State

LONGEST_REVIEW = 400  # days


def standing(
    ports: Ports, monitor: Monitor, known: Sequence[Incident], past: Sequence[NightResult]
) -> Mapping[str, Standing]:
    """Question -> the bad answer that stands, whether its review is due or not.

    What lasted stands while the world is as it was then: not after a re-baselining, nor once it was usual again.
    """
    entries = register(known)
    lasting = {q: s for q, s in entries.items() if s.basis is Basis.LASTING}
    if not lasting:
        return entries
    moved = [e.at.date() for e in rebaselinings(ports, monitor)[-1:]]
    for question, stands in lasting.items():
        states = {r.night: v.state for r in past if r.night > stands.night for v in r.verdicts if v.id == question}
        usual = sum(state is State.OK for state in states.values())
        if usual >= monitor.response.recovery_nights or any(day > stands.night for day in moved):
            del entries[question]
    return entries


def accept(ports: Ports, incident: str, question: str, *, review: date, by: str, reason: str) -> Standing:
    """A person says that a question of an open incident may stay bad until a date. The next judged night acts on it."""
    found = fold(ports.ledger.read(f"incident/{incident}"))
    if found is None:
        raise LedgerError(f"there is no incident {incident!r}; `vigil incidents list` names them")
    if not found.is_open:
        raise DataError(f"{incident} is over ({found.status.value}); only questions of an open incident are accepted")
    asked = found.questions.get(question)
    if asked is None:
        raise DataError(f"{incident} does not ask {question!r}; its questions: {', '.join(sorted(found.questions))}")
    days = (review - ports.clock.now().date()).days
    if not 0 < days <= LONGEST_REVIEW:
        raise DataError(f"--review {review}: name a day after today, {LONGEST_REVIEW} days ahead at most")
    if not by.strip() or not reason.strip():
        raise DataError("say who accepts it (--by) and why (--reason); both are kept in the ledger")
    fault, signal = next((f, s) for f in found.findings for s in f.signals if s.verdict.id == question)
    if signal.verdict.state is State.UNKNOWN:
        raise DataError(f"{question} is unknown, not bad: nobody can accept what nobody knows; make it answer again")
    stands = Standing(
        question=question,
        fingerprint=asked.fingerprint,
        basis=Basis.ACCEPTED,
        night=asked.last_bad,
        first_night=fault.first_night,
        review=review,
        verdict=signal.verdict,
        by=by.strip(),
        reason=reason.strip(),
    )
    append(
        ports,
        f"incident/{incident}",
        key=f"accepted/{question}/{asked.last_bad}/{review}",
        body=FindingAccepted(by=stands.by, why=stands.reason, standing=(stands,)),
    )
    return stands
