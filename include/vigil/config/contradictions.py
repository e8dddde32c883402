"""Thresholds that contradict each other, or the metric they are about: refused, since no night could satisfy them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from vigil.config.explain import Path
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Against, Entry
from vigil.metrics.types import Kind, Worse
from vigil.verdicts.quantiles import nights_needed
from vigil.verdicts.types import Bound, Rule

Finding = tuple[Path, str]
POSSIBLE = {Kind.PROPORTION: (0.0, 1.0), Kind.RATIO: (0.0, float("inf")), Kind.DIFFERENCE: (-1.0, 1.0)}
LEARNED = "sigma, quantile or surprise"


def within(place: Path, rule: Rule, entry: Entry) -> Iterator[Finding]:
    """Contradictions within one rule, or between a rule and its metric."""
    for name in ("breach", "warn", "hard"):
        bound: Bound | None = getattr(rule, name)
        if bound is not None:
            yield from _bound((*place, name), bound, entry)
    yield from _quantile(place, rule, entry)
    yield from _holdout((*place, "holdout"), rule, entry)
    yield from _idle(place, rule)


def _bound(place: Path, bound: Bound, entry: Entry) -> Iterator[Finding]:
    """Bounds that no value can exceed, or that a night without harm exceeds."""
    least, most = POSSIBLE.get(entry.kind, (float("-inf"), float("inf")))
    if (bound.side == "<" and bound.limit <= least) or (bound.side == ">" and bound.limit >= most):
        yield place, f"{entry.name!r} lies between {least:g} and {most:g}: nothing is {bound}"
        return
    equal = entry.against is Against.WITHIN or entry.kind is Kind.DIFFERENCE  # 0 is as it was, or equal treatment
    if equal and bound.violated(0.0):
        turned = ">" if bound.side == "<" else "<"
        what = f"{entry.name!r} is 0 where nothing is wrong, and 0 is {bound}"
        yield place, f"{what}; write {f'{turned} {bound.limit:g}'!r} or {f'{bound.side} {-bound.limit:g}'!r}"


def _quantile(place: Path, rule: Rule, entry: Entry) -> Iterator[Finding]:
    q, at = rule.quantile, (*place, "quantile")
    if q is None:
        return
    if q == 0.5:
        yield at, "one half of all nights lies beyond the median; write 0.99, or 0.01 where lower is bad"
    elif entry.worse is Worse.LOWER and q > 0.5:
        yield at, f"{entry.name!r} is bad when it is lower: write {1 - q:.6g}, the low end of past nights, not {q:g}"
    elif entry.worse is not Worse.LOWER and q < 0.5:
        side = "higher" if entry.worse is Worse.HIGHER else "away from the usual, either way"
        yield at, f"{entry.name!r} is bad when it is {side}: write {1 - q:.6g}, not {q:g}"
    elif rule.nights < nights_needed(q):
        what = f"the {q:g} quantile of {rule.nights} nights is never known"
        yield at, f"{what}; {nights_needed(q)} nights are the least: set `nights: {max(90, nights_needed(q))}`"


def _holdout(place: Path, rule: Rule, entry: Entry) -> Iterator[Finding]:
    allowed = rule.holdout
    if allowed is None:
        return
    if entry.against is Against.NOTHING:
        yield place, f"{entry.name!r} has no value on a holdout; give breach, warn, sigma or quantile"
    elif allowed == 0:
        yield place, "0 has no side; its sign says which way is bad, such as '-0.03' for up to 0.03 lower"
    elif (entry.worse is Worse.LOWER and allowed > 0) or (entry.worse is Worse.HIGHER and allowed < 0):
        yield place, f"{entry.name!r} is bad when it is {entry.worse.value}; write {-allowed:+g}, not {allowed:+g}"


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
