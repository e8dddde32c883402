"""Thresholds that contradict each other, or the metric they are about: refused, since no night could satisfy them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from vigil.config.explain import Path
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Entry
from vigil.verdicts.kinds.registry import KINDS, thresholds
from vigil.verdicts.limits import Bound
from vigil.verdicts.types import Rule

Finding = tuple[Path, str]
LEARNED = "sigma, quantile or surprise"


def within(place: Path, rule: Rule, entry: Entry) -> Iterator[Finding]:
    """Contradictions within one rule, or between a rule and its metric."""
    for kind in thresholds(rule):
        yield from (((*place, *field.split(".")), what) for field, what in kind.contradicts(rule, entry))
    yield from _thresholds((*place, "thresholds"), rule)
    yield from _idle(place, rule)


def _thresholds(place: Path, rule: Rule) -> Iterator[Finding]:
    """Names under `thresholds:` that no kind reads: unknown ones, and kinds that have a key of their own."""
    read_here = {name for name, kind in KINDS.items() if kind.asks(Rule(metric=rule.metric, thresholds={name: 0.0}))}
    for name in sorted(rule.thresholds.keys() - read_here):
        if name in KINDS:
            what = (
                f"{name!r} has a key of its own in the rule: breach, warn, hard, sigma, quantile, holdout or surprise"
            )
        else:
            what = f"no kind of threshold is called {name!r}; known: {', '.join(KINDS)} (docs/add-a-threshold.md)"
        yield (*place, name), what


def _idle(place: Path, rule: Rule) -> Iterator[Finding]:
    """Keys without effect: nothing else in the rule uses them."""
    learned = rule.sigma is not None or rule.quantile is not None
    tested = rule.breach is not None or rule.warn is not None or rule.hard is not None or rule.holdout is not None
    if rule.season is not None and not learned:
        yield (*place, "season"), "`season` is about past nights; give sigma or quantile with it"
    if rule.floor > 0 and not (learned or rule.surprise):
        yield (*place, "floor"), f"`floor` is about distances from past nights; give {LEARNED} with it"
    if rule.min_difference is not None and not tested:
        yield (
            (*place, "min_difference"),
            "`min_difference` is about a bound; give breach, warn, hard or holdout with it",
        )


def between(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Two rules on the same metric that allow no value at all."""
    rules = raw.get("rules")
    for family, listed in rules.items() if isinstance(rules, dict) else ():
        known = [
            (("rules", str(family), i), rule)
            for i, one in enumerate(listed if isinstance(listed, list) else ())
            if (rule := _valid(one)) is not None and str(family) in set(Family)
        ]
        for i, (place, rule) in enumerate(known):
            yield from _impossible(place, rule, [r for _, r in known[:i] if r.metric == rule.metric])


def _valid(one: object) -> Rule | None:
    try:
        rule = Rule.model_validate(one)
    except ValidationError:
        return None  # the schema says so
    return rule if rule.metric in CATALOG else None


def _impossible(place: Path, rule: Rule, before: Sequence[Rule]) -> Iterator[Finding]:
    for other in before:
        if not ("*" in rule.subjects or "*" in other.subjects or set(rule.subjects) & set(other.subjects)):
            continue
        for name in ("breach", "warn", "hard"):
            mine: Bound | None = getattr(rule, name)
            theirs = [b for b in (other.breach, other.warn, other.hard) if b is not None]
            clash = next((b for b in theirs if mine is not None and _no_value_left(mine, b)), None)
            if clash is not None:
                what = f"{rule.metric!r} is bad when {mine}, and in the rule before when {clash}"
                yield (*place, name), f"{what}: no value is good; keep one of them"
                return


def _no_value_left(one: Bound, two: Bound) -> bool:
    if one.side == two.side:
        return False
    low, high = (one, two) if one.side == "<" else (two, one)
    return low.limit > high.limit
