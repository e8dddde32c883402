"""The counterfactual: asked the incident's questions, what would another version have answered?"""

from collections.abc import Sequence
from datetime import date

from vigil.core.words import Family, Mitigation
from vigil.incidents.types import Incident, Replay, ReplayedVersion, ReplayRole
from vigil.metrics.catalog import CATALOG, Scope
from vigil.verdicts.types import State, Verdict

HARM = (Family.FAIRNESS, Family.PERFORMANCE, Family.SERVICE)


def questions(incident: Incident, night: date) -> tuple[str, ...]:
    """Verdict ids of the harm that the incident saw on `night`; empty when there is only drift or a blind monitor.

    Service failures are not asked: a replay in a sandbox says nothing about latency or errors of the service.
    """
    return tuple(
        s.verdict.id
        for f in incident.findings
        for s in f.signals
        if f.family in (Family.FAIRNESS, Family.PERFORMANCE) and s.night == night and s.verdict.state is State.BREACH
    )


def answer(
    role: ReplayRole, version: str, rows: int, asked: Sequence[str], verdicts: Sequence[Verdict]
) -> ReplayedVersion:
    """Whether that version would have helped: every question better than breach and known, and no new breach.

    A breach about the rows that were asked (a feature that is null or stuck) is the same for every version, and says
    nothing of this one.
    """
    by_id = {v.id: v for v in verdicts}
    relevant = tuple(by_id[q] for q in asked if q in by_id)
    still = [v for v in relevant if v.state is State.BREACH]
    unknown = [q for q in asked if q not in by_id or by_id[q].state is State.UNKNOWN]
    new = [v for v in verdicts if v.state is State.BREACH and v.id not in asked and not _about_inputs(v)]
    helps: bool | None = True
    if still:
        helps, why = False, f"the breach stays: {still[0].reason}"
    elif new:
        helps, why = False, f"it would breach elsewhere: {new[0].reason}"
    elif unknown:
        helps, why = None, f"cannot be told for {unknown[0]}"
    else:
        why = f"the breach would be gone: {relevant[0].reason}" if relevant else "nothing was asked"
    return ReplayedVersion(role=role, version=version, rows=rows, verdicts=(*relevant, *new), helps=helps, why=why)


def _about_inputs(verdict: Verdict) -> bool:
    entry = CATALOG.get(verdict.metric)
    return entry is not None and entry.family is Family.QUALITY and entry.scope is Scope.FEATURE


def could_not(role: ReplayRole, version: str, why: str) -> ReplayedVersion:
    """A version that could not be replayed is unknown, never a help."""
    return ReplayedVersion(role=role, version=version, rows=0, verdicts=(), helps=None, why=why)


def conclude(night: date, replayed: Sequence[ReplayedVersion]) -> Replay:
    """Previous version helps -> roll back; else the fallback helps -> fall back; else freeze and ask people."""
    by_role = {r.role: r for r in replayed}
    previous, fallback = by_role.get(ReplayRole.PREVIOUS), by_role.get(ReplayRole.FALLBACK)
    if previous is not None and previous.helps:
        why = f"version {previous.version} on the same inputs would not have breached: the new version is the cause"
        return _replay(night, replayed, Mitigation.ROLLBACK, previous.version, why)
    if fallback is not None and fallback.helps:
        first = "there is no previous version to compare" if previous is None else _unhelpful(previous)
        why = f"{first}; the fallback (version {fallback.version}) does not breach"
        return _replay(night, replayed, Mitigation.FALLBACK, fallback.version, why)
    why = "no version that could serve is known to be better; people decide, promotions are frozen"
    return _replay(night, replayed, Mitigation.FREEZE, None, why)


def _unhelpful(previous: ReplayedVersion) -> str:
    if previous.helps is None:
        return f"whether version {previous.version} would help could not be told ({previous.why})"
    return f"version {previous.version} breaches on the same inputs too, so a rollback would not help"


def _replay(
    night: date, replayed: Sequence[ReplayedVersion], mitigation: Mitigation, target: str | None, why: str
) -> Replay:
    return Replay(night=night, versions=tuple(replayed), mitigation=mitigation, target_version=target, why=why)
