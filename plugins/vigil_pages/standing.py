"""What stays bad and is known, in words: until when it is silent, and what to do if the world has changed for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.core.words import Family
from vigil.incidents.standing import standing_findings
from vigil.incidents.types import Basis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vigil.incidents.types import Incident, Standing

WHY = {
    Basis.KNOWN: "known: not worse than on the reference, or than on every night before",
    Basis.LASTING: "it stayed for many nights: the world seems to have changed",
    Basis.ACCEPTED: "accepted",
}


@dataclass(frozen=True)
class Shown:
    """One standing finding. command: what to run if what lasts is the new usual, or ""."""

    model: str
    environment: str
    question: str
    reason: str
    why: str
    since: date
    review: date
    command: str


def known_faults(incidents: Sequence[Incident], night: date) -> list[Shown]:
    """What stands on a night, by model, the soonest review first."""
    told = []
    for model, environment in sorted({(i.monitor, i.environment) for i in incidents}):
        mine = [i for i in incidents if (i.monitor, i.environment) == (model, environment)]
        standing = sorted(standing_findings(mine, night).values(), key=lambda s: (s.review, s.question))
        told += [_shown(model, environment, s) for s in standing]
    return told


def _shown(model: str, environment: str, s: Standing) -> Shown:
    why = f"accepted by {s.by}: {s.reason}" if s.basis is Basis.ACCEPTED else WHY[s.basis]
    lasting = s.basis is Basis.LASTING and s.verdict.family is Family.DRIFT
    command = f"vigil rebaseline {model} --since {s.first_night} --reason WHY --actor YOU" if lasting else ""
    return Shown(model, environment, s.question, s.verdict.reason, why, s.first_night, s.review, command)
