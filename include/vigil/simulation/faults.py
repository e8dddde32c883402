"""Faults as they are written, `mean:amount:0.5@50`, and the truth that is told of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from vigil.config.explain import near
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Mitigation
from vigil.simulation.regimes import FaultKind, FaultType, Trial, load

GRAMMAR = "KIND[:FEATURE][:GROUP][:SIZE]@ONSET[-LAST]"
WRITTEN = re.compile(r"(?P<what>[^@]+)@(?P<onset>\d+)(?:-(?P<until>\d+))?")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


class Fault(Spec):
    """One thing that goes wrong. Nights are counted from 0: `onset` quiet nights come before it."""

    kind: FaultKind
    feature: str | None = None
    group: str | None = None
    size: float
    onset: int
    until: int | None = None  # its last night; None: it stays

    def on(self, index: int) -> bool:
        """Whether a night has it."""
        return self.onset <= index and (self.until is None or index <= self.until)

    @property
    def about(self) -> FaultType:
        """Its kind, as regimes.yaml describes it."""
        return load().faults[self.kind]

    def reach(self, nights: int) -> float:
        """The largest size within so many nights; a gradual one grows."""
        if self.kind is not FaultKind.GRADUAL:
            return self.size
        last = nights - 1 if self.until is None else min(self.until, nights - 1)
        return self.size * (last - self.onset + 1)

    def grave(self, nights: int) -> bool:
        """Whether people should hear of it as an incident. Half as much is as grave as twice as much."""
        size, bound = abs(self.reach(nights)), self.about.incident_from
        return size >= bound or (self.about.unit == "times" and size <= 1 / bound)

    def truth(self, start: date, nights: int) -> dict[str, Any]:
        """What truth.json says."""
        grave = self.grave(nights)
        return {
            "fault": self.kind.value,
            "feature": self.feature,
            "group": self.group,
            "onset": (start + timedelta(days=self.onset)).isoformat(),
            "onset_night": self.onset,
            "until": None if self.until is None else (start + timedelta(days=self.until)).isoformat(),
            "size": self.size,
            "unit": self.about.unit,
            "expected_incident": grave,
            "expected_action": (self.about.action if grave else Mitigation.NONE).value,
        }


class Known(Spec):
    """What faults can be about: features (name -> numeric or category), and the groups."""

    features: dict[str, str]
    groups: tuple[str, ...]
    nights: int


def parse(text: str, known: Known) -> Fault:
    """A fault as people write it. Raises DataError with what was probably meant."""
    match = WRITTEN.fullmatch(text.strip())
    if match is None:
        raise DataError(f"--fault {text}: write {GRAMMAR}, such as mean:amount:0.5@50 (50 quiet nights come first)")
    word, *rest = match["what"].split(":")
    if word not in set(FaultKind):
        raise DataError(f"--fault {text}: unknown fault {word!r}; {near(word, [k.value for k in FaultKind])}")
    kind = FaultKind(word)
    about = load().faults[kind]
    size = float(rest.pop()) if rest and NUMBER.fullmatch(rest[-1]) else about.size
    feature = None if about.of == "model" else _feature(text, rest.pop(0) if rest else None, about.of, known)
    group = None
    if kind is FaultKind.SUBGROUP:
        group = _group(text, rest.pop(0) if rest else None, known.groups)
    if rest:
        raise DataError(f"--fault {text}: {':'.join(rest)!r} is too much; a {word} fault is {shape(kind)}")
    until = int(match["until"]) if match["until"] else None
    fault = Fault(kind=kind, feature=feature, group=group, size=size, onset=int(match["onset"]), until=until)
    _possible(text, fault, known.nights)
    return fault


def shape(kind: FaultKind) -> str:
    """How a fault of a kind is written.

    >>> shape(FaultKind.SUBGROUP)
    'subgroup:FEATURE:GROUP[:SIZE]@ONSET[-LAST]'
    """
    feature = "" if load().faults[kind].of == "model" else ":FEATURE"
    group = ":GROUP" if kind is FaultKind.SUBGROUP else ""
    return f"{kind.value}{feature}{group}[:SIZE]@ONSET[-LAST]"


def planned(faults: Sequence[str | Fault], known: Known) -> tuple[Fault, ...]:
    """Faults, written or made. Raises DataError for one that cannot be."""
    return tuple(parse(f, known) if isinstance(f, str) else f for f in faults)


def trial(name: str, *, seed: int, onset: int, features: Mapping[str, str] | None = None) -> Fault:
    """The fault that a trial of regimes.yaml plays with a seed: the seed chooses the feature in turn.

    >>> trial("mix_5_points", seed=3, onset=60).feature
    'region'
    """
    trials = load().trials
    if name not in trials:
        raise DataError(f"unknown trial {name!r}; {near(name, trials)}")
    one: Trial = trials[name]
    of = load().faults[one.kind].of
    able = [f for f, kind in (features or load().features).items() if of in ("feature", kind)]
    return Fault(
        kind=one.kind, feature=able[seed % len(able)] if able else None, group=one.group, size=one.size, onset=onset,
        until=onset + one.nights - 1,
    )  # fmt: skip


def _feature(text: str, name: str | None, of: str, known: Known) -> str:
    able = [f for f, kind in known.features.items() if of in ("feature", kind)]
    if name is None:
        raise DataError(f"--fault {text}: say which feature; {_listed(able)}")
    if name not in known.features:
        raise DataError(f"--fault {text}: no feature {name!r}; {near(name, able)}")
    if name not in able:
        raise DataError(f"--fault {text}: {name!r} is {known.features[name]}, the fault is for one that is {of}")
    return name


def _group(text: str, name: str | None, groups: Collection[str]) -> str:
    if name is None:
        raise DataError(f"--fault {text}: say which group; {_listed(groups) if groups else 'the log has none'}")
    if name not in groups:
        hint = near(name, groups) if groups else "the monitor has no `protected:` attribute"
        raise DataError(f"--fault {text}: no group {name!r}; {hint}")
    return name


def _listed(names: Collection[str]) -> str:
    return f"there are {', '.join(names)}" if names else "there is none that it could be"


def _possible(text: str, fault: Fault, nights: int) -> None:
    about = fault.about
    neutral = 1.0 if about.unit == "times" else 0.0
    if not about.least <= fault.size <= about.most or fault.size == neutral:
        what = f"size {fault.size:g} ({about.unit})"
        raise DataError(f"--fault {text}: {what} must lie in {about.least:g} to {about.most:g}, and change something")
    if fault.onset >= nights:
        last = nights - 1
        raise DataError(f"--fault {text}: it begins after the last night; nights are 0 to {last}, see --nights")
    if fault.until is not None and fault.until < fault.onset:
        raise DataError(f"--fault {text}: it ends on night {fault.until}, before it begins on {fault.onset}")
