"""What a verdict was held against, as a value. `Limit.words` is the one place where it becomes text."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Literal

from pydantic import model_validator

from vigil.core.spec import Spec
from vigil.verdicts.words import number

Side = Literal["<", ">"]


class Bound(Spec):
    """A limit, written `< 0.80` or `> 0.2` in YAML: the side that is bad, and where it begins."""

    side: Side
    limit: float

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        """YAML writes a bound as text: `"< 0.80"`."""
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"\s*([<>])\s*(-?[\d.]+(?:e[+-]?\d+)?)\s*", value)
        if match is None:
            raise ValueError(f"a bound is written '< 0.80' or '> 0.2', not {value!r}")
        return {"side": match[1], "limit": float(match[2])}

    def violated(self, value: float) -> bool:
        """Whether `value` lies on the bad side (the bound itself is within)."""
        return value < self.limit if self.side == "<" else value > self.limit

    def __str__(self) -> str:
        return f"{self.side} {self.limit:g}"


class LimitKind(StrEnum):
    """The kind of threshold that a verdict names as its limit."""

    BREACH = "breach"
    WARN = "warn"
    HARD = "hard"
    HOLDOUT = "holdout"
    SIGMA = "sigma"
    QUANTILE = "quantile"
    SURPRISE = "surprise"
    OTHER = "other"  # a kind under `thresholds:`; the limit has its name
    HARD_FAILURE = "hard failure"  # a fault that needs no rule
    COHORTS = "cohorts"  # past cohorts at the same age
    OBJECTIVE = "objective"  # an SLO
    COVERAGE = "coverage"  # the share of a family's questions that must be judged
    EXPECTATION = "expectation"  # by the severity that its author gave it


class Limit(Spec):
    """What a verdict was held against.

    bound: of breach, warn, hard, holdout and coverage.  level: robust sd, quantile, false-discovery rate or target.
    nights: how many past nights it looks at; `called`: what these are ("nights", "Mondays").
    baseline, allowed: the holdout's value and the difference allowed.  severity, gate: of an expectation.
    """

    kind: LimitKind
    name: str = ""  # of another kind
    bound: Bound | None = None
    level: float | None = None
    nights: int | None = None
    called: str = "nights"
    baseline: float | None = None
    allowed: float | None = None
    severity: str = ""
    gate: bool = False

    @property
    def side(self) -> Side | None:
        """The side that is bad; None where it is no bound."""
        return self.bound.side if self.bound is not None else None

    @property
    def field(self) -> str:
        """The key of the rule that sets it."""
        return self.name or self.kind.value

    def words(self, written: Callable[[float], str] = "{:g}".format) -> str:
        """For people. written: how the numbers of the metric are.

        >>> Limit(kind=LimitKind.HARD, bound="> 0.5").words(), str(Limit(kind="sigma", level=5, nights=28))
        ('hard > 0.5', '5 sigma of 28 nights')
        """
        bound = f"{self.bound.side} {written(self.bound.limit)}" if self.bound is not None else ""
        return WORDS[self.kind](self, bound)

    def __str__(self) -> str:
        return self.words()


def _holdout(limit: Limit, _: str) -> str:
    allowed = f"{limit.allowed:+g}"
    return f"{limit.bound} (holdout {number(limit.baseline)} {allowed})" if limit.bound else f"holdout {allowed}"


WORDS: dict[LimitKind, Callable[[Limit, str], str]] = {
    LimitKind.BREACH: lambda _, bound: bound,
    LimitKind.WARN: lambda _, bound: f"warn {bound}",
    LimitKind.HARD: lambda _, bound: f"hard {bound}",
    LimitKind.HOLDOUT: _holdout,
    LimitKind.SIGMA: lambda limit, _: f"{limit.level:g} sigma of {limit.nights} {limit.called}",
    LimitKind.QUANTILE: lambda limit, _: f"{limit.level:g} quantile of {limit.nights} {limit.called}",
    LimitKind.SURPRISE: lambda limit, _: "surprise" if limit.level is None else f"surprise at {limit.level:.1%}",
    LimitKind.OTHER: lambda limit, _: f"{limit.name.replace('_', ' ')} {limit.level:g}",
    LimitKind.HARD_FAILURE: lambda *_: "hard failure",
    LimitKind.COHORTS: lambda *_: "cohorts at the same age",
    LimitKind.OBJECTIVE: lambda limit, _: f"target {limit.level:.1%} over {limit.nights} nights",
    LimitKind.COVERAGE: lambda limit, _: f"{limit.bound} on {limit.nights} nights",
    LimitKind.EXPECTATION: lambda limit, _: f"{limit.severity}, gate" if limit.gate else limit.severity,
}
HARD_FAILURE = Limit(kind=LimitKind.HARD_FAILURE)
