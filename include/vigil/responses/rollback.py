"""May this mitigation be done, and with which version? Pure checks, each with its reason.

The protocol around them (lease, evidence, one write, verification) is in `usecases.rollback`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Mitigation
from vigil.responses.model_history import ModelHistory

RECENT = timedelta(days=14)  # a version that was rolled back so recently is no refuge
QUARANTINED = "vigil.quarantined"  # version tag; its value says why, an empty one lifts it

# signature type needed -> types that are it without loss
WIDENS: Mapping[str, frozenset[str]] = {
    "long": frozenset({"integer", "long"}),
    "float": frozenset({"integer", "float"}),
    "double": frozenset({"integer", "long", "float", "double"}),
}


class Weight(StrEnum):
    """What a failed check means."""

    BLOCKS = "blocks"  # not done, whoever asks
    ASKS = "asks"  # done only if a person approves


class Asker(StrEnum):
    """Who wants the mitigation."""

    VIGIL = "vigil"
    PERSON = "person"


class Check(Spec):
    """One question, its answer, and why."""

    name: str
    ok: bool
    why: str
    weight: Weight = Weight.BLOCKS


class Candidate(Spec):
    """A version as these checks need it. manifest: digest of its recorded files; problem: why they could
    not be verified (empty: every file is as it was registered)."""

    version: str
    status: str
    quarantined: str = ""
    inputs: dict[str, str] = Field(default_factory=dict)
    manifest: str = ""
    problem: str = ""


class Situation(Spec):
    """What is known when the question is asked.

    about: versions the incident is about (empty: nobody said, the present champion).
    available: columns of a request today -> type ("" where it is not known).
    open_incidents: id -> versions, of this model's other open incidents.
    cooldown: for so long after an automatic mitigation, the next one needs a person.
    """

    mitigation: Mitigation
    asker: Asker
    now: datetime
    champion: str | None
    fallback: str | None
    about: tuple[str, ...] = ()
    available: dict[str, str] = Field(default_factory=dict)
    history: ModelHistory = ModelHistory()
    open_incidents: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    cooldown: timedelta = timedelta(hours=24)


def candidates(versions: Sequence[Candidate], history: ModelHistory, *, champion: str | None) -> tuple[Candidate, ...]:
    """Earlier champions that can still be used, newest reign first: READY, not quarantined, not the present one.

    Never "the latest version": only what has proved itself, by our own ledger.
    """
    usable = {v.version: v for v in versions if v.status == "READY" and not v.quarantined}
    order = dict.fromkeys(reign.version for reign in reversed(history.champions))
    return tuple(usable[v] for v in order if v in usable and v != champion)


def check_candidate(candidate: Candidate, situation: Situation) -> tuple[Check, ...]:
    """All questions of the mitigation, in the order in which a person would ask them."""
    return (
        _champion_unchanged(situation),
        _proven(candidate, situation),
        _ready(candidate),
        _not_quarantined(candidate),
        _manifest(candidate, situation.history),
        _signature(candidate, situation.available),
        _no_open_incident(candidate, situation.open_incidents),
        _not_flapping(candidate, situation),
        _cooldown(situation),
    )


def blocked(checks: Sequence[Check]) -> bool:
    """Whether a failed check forbids it."""
    return any(not c.ok and c.weight is Weight.BLOCKS for c in checks)


def asks(checks: Sequence[Check]) -> bool:
    """Whether a failed check needs a person's word."""
    return any(not c.ok and c.weight is Weight.ASKS for c in checks)


def compatible(needed: Mapping[str, str], available: Mapping[str, str]) -> tuple[str, ...]:
    """Problems of serving today's requests with a model that needs these inputs (empty: it fits).

    >>> compatible({"age": "double"}, {"age": "long", "sex": "string"})
    ()
    >>> compatible({"age": "long", "zip": "string"}, {"age": "double"})
    ('age is double, not long', 'zip is missing')
    """
    problems = []
    for name, kind in needed.items():
        have = available.get(name)
        if have is None:
            problems.append(f"{name} is missing")
        elif have and have != kind and have not in WIDENS.get(kind, frozenset()):
            problems.append(f"{name} is {have}, not {kind}")
    return tuple(problems)


def _champion_unchanged(s: Situation) -> Check:
    ok = s.champion is not None and (not s.about or s.champion in s.about)
    if s.champion is None:
        why = "no version has the champion alias"
    elif not s.about:
        why = f"version {s.champion} is the champion; the request names no other"
    elif ok:
        why = f"version {s.champion}, which it is about, is still the champion"
    else:
        why = f"it is about version {', '.join(s.about)}, but {s.champion} is the champion now: somebody acted already"
    return Check(name="champion_unchanged", ok=ok, why=why)


def _proven(c: Candidate, s: Situation) -> Check:
    if s.mitigation is Mitigation.FALLBACK:
        ok = c.version == s.fallback and s.history.aliases.get("fallback") == c.version
        why = "is" if ok else "is not"
        return Check(
            name="is_fallback", ok=ok, why=f"version {c.version} {why} the fallback that was promoted through Vigil"
        )
    reign = next((r for r in reversed(s.history.champions) if r.version == c.version), None)
    if c.version == s.champion:
        return Check(name="was_champion", ok=False, why=f"version {c.version} is the champion already")
    if reign is None:
        return Check(name="was_champion", ok=False, why=f"the ledger has no reign of version {c.version}")
    return Check(
        name="was_champion", ok=True, why=f"version {c.version} was champion from {reign.since:%Y-%m-%d %H:%M} UTC"
    )


def _ready(c: Candidate) -> Check:
    return Check(name="ready", ok=c.status == "READY", why=f"its registry status is {c.status}")


def _not_quarantined(c: Candidate) -> Check:
    why = f"it was quarantined: {c.quarantined}" if c.quarantined else "it is not quarantined"
    return Check(name="not_quarantined", ok=not c.quarantined, why=why)


def _manifest(c: Candidate, history: ModelHistory) -> Check:
    recorded = history.manifest(c.version)
    if c.problem:
        return Check(name="manifest_verified", ok=False, why=c.problem)
    if recorded is not None and recorded != c.manifest:
        why = "the manifest in the registry is not the one the ledger recorded at its promotion"
        return Check(name="manifest_verified", ok=False, why=why)
    return Check(name="manifest_verified", ok=True, why="every file is as it was registered")


def _signature(c: Candidate, available: Mapping[str, str]) -> Check:
    if not c.inputs:
        return Check(name="signature_compatible", ok=False, why="it has no signature with named columns")
    problems = compatible(c.inputs, available)
    why = f"today's requests do not fit: {'; '.join(problems)}" if problems else "today's requests have all it needs"
    return Check(name="signature_compatible", ok=not problems, why=why)


def _no_open_incident(c: Candidate, open_incidents: Mapping[str, Sequence[str]]) -> Check:
    own = [name for name, versions in open_incidents.items() if c.version in versions]
    why = f"it has open incidents of its own: {', '.join(own)}" if own else "no other open incident is about it"
    return Check(name="no_open_incident", ok=not own, why=why)


def _not_flapping(c: Candidate, s: Situation) -> Check:
    fled = [
        m
        for m in s.history.mitigations
        if m.done.mitigation is Mitigation.ROLLBACK and m.done.from_version == c.version and s.now - m.at < RECENT
    ]
    if fled:
        why = f"it was rolled back on {fled[-1].at:%Y-%m-%d}; going back to it would be flapping"
        return Check(name="not_flapping", ok=False, why=why)
    return Check(name="not_flapping", ok=True, why=f"it was not rolled back in the last {RECENT.days} days")


def _cooldown(s: Situation) -> Check:
    last = next((m for m in reversed(s.history.mitigations) if m.done.automatic), None)
    hours = s.cooldown / timedelta(hours=1)
    if s.asker is Asker.PERSON:
        ok, why = True, "a person asks"
    elif last is not None and s.now - last.at < s.cooldown:
        ok, why = False, f"Vigil acted by itself at {last.at:%Y-%m-%d %H:%M} UTC; at most once in {hours:g} h"
    else:
        ok, why = True, f"no automatic mitigation in the last {hours:g} h"
    return Check(name="cooldown", ok=ok, why=why, weight=Weight.ASKS)
