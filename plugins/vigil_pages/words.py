"""A monitor in words: what is watched, with which limits, and what Vigil may do about it. No store is read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Scope
from vigil.metrics.types import Worse
from vigil.profiles.layout import FeatureType
from vigil.responses.types import Autonomy
from vigil.verdicts.budget import BURN_RULES
from vigil.verdicts.words import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vigil.config.schema import Monitor
    from vigil.metrics.catalog import Entry
    from vigil.verdicts.limits import Bound
    from vigil.verdicts.types import BurnLevel, Rule, Slo

BARE = ("ratio", "difference", "score", "distance", "target")  # units that say nothing beside a number
MOST_SUBJECTS = 6
COUNTS = {
    "completeness": "the features' values not null",
    "version_integrity": "rows answered by a version in service",
    "log_completeness": "requests found in the prediction log",
    "label_completeness": "rows with a label once it is due",
    "evaluation_coverage": "the questions of a night answered",
}  # what the other objectives ask a share of
QUESTION = {
    Family.SERVICE: "Does it answer, in time, at the usual volume?",
    Family.QUALITY: "Are its inputs whole?",
    Family.DRIFT: "Have its inputs or its answers moved?",
    Family.PERFORMANCE: "Is it right, where the truth is known?",
    Family.FAIRNESS: "Are groups treated alike?",
}
DOES = {
    Autonomy.AUTO: "by itself",
    Autonomy.APPROVE: "after a person approves in Airflow",
    Autonomy.NEVER: "never",
}


@dataclass(frozen=True)
class Watched:
    """One rule, as a person would say it."""

    metric: str
    says: str  # what it measures
    of: str  # of what
    limits: tuple[str, ...]


def watched(monitor: Monitor) -> list[tuple[str, str, list[Watched]]]:
    """(family, its question, its rules) for all five families: what nobody watches is seen too."""
    return [
        (family.value, QUESTION[family], [rule_words(rule) for rule in getattr(monitor.rules, family.value)])
        for family in Family
    ]


def rule_words(rule: Rule) -> Watched:
    """A rule's metric, subjects and limits."""
    entry = CATALOG.get(rule.metric)  # None: last known settings of a release with other metrics
    return Watched(rule.metric, entry.says if entry else "", _subjects(rule, entry), tuple(_limits(rule, entry)))


def amount(value: float | None, unit: str) -> str:
    """A number with its unit, where the unit says something.

    >>> amount(0.05, "share"), amount(-0.15, "difference"), amount(0.2, "sd"), amount(1200, "rows")
    ('5 %', '-0.15', '0.2 sd', '1,200 rows')
    """
    return number(value, "" if unit in BARE else unit)


def written(value: float, unit: str) -> str:
    """A limit as somebody wrote it: nothing is rounded away.

    >>> written(0.9995, "share"), written(-0.15, "difference"), written(1200, "rows"), written(0.25, "nats")
    ('99.95 %', '-0.15', '1,200 rows', '0.25 nats')
    """
    text = f"{100 * value:.10g} %" if unit == "share" else f"{value:,.10g}"
    return text if unit in ("", "share", *BARE) else f"{text} {unit}"


def far(distance: float, unit: str) -> str:
    """A distance as somebody wrote it: between two shares it is in percentage points."""
    return f"{100 * distance:.10g} percentage points" if unit == "share" else written(distance, unit)


def beyond(bound: Bound, *, unit: str, worse: Worse | None) -> str:
    """`above 5 %`, or `beyond ±1 sd` where both directions are bad."""
    if worse is Worse.AWAY and bound.side == ">" and bound.limit > 0:
        return f"beyond ±{written(bound.limit, unit)}"
    return f"{'below' if bound.side == '<' else 'above'} {written(bound.limit, unit)}"


def _subjects(rule: Rule, entry: Entry | None) -> str:
    if "*" not in rule.subjects:
        return listed(rule.subjects)
    everything = {Scope.FEATURE: "each feature", Scope.GROUP: "each protected group"}
    named = everything.get(entry.scope if entry else Scope.ALL, "all predictions")
    return f"{named} but {listed(rule.without)}" if rule.without else named


def listed(names: Sequence[str], most: int = MOST_SUBJECTS) -> str:
    """Some of the names, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _limits(rule: Rule, entry: Entry | None) -> list[str]:
    unit, worse = (entry.unit, entry.worse) if entry else ("", None)
    said = []
    if rule.breach is not None:
        said.append(f"breach {beyond(rule.breach, unit=unit, worse=worse)}")
    if rule.warn is not None:
        said.append(f"warning {beyond(rule.warn, unit=unit, worse=worse)}")
    if rule.sigma is not None:
        said.append(_sigma(rule, unit, worse))
    if rule.quantile is not None:
        said.append(_quantile(rule, unit))
    if rule.holdout is not None:
        said.append(_holdout(rule.holdout, unit))
    if rule.surprise:
        said.append("warn further from its usual place on its own nights than chance explains, breach on 2 of 3 nights")
    said += [f"{name.replace('_', ' ')} {value:g}" for name, value in rule.thresholds.items()]
    if rule.hard is not None:
        where = beyond(rule.hard, unit=unit, worse=worse)
        said.append(f"one night {where} is enough" if said else f"breach on one night {where}")
    bound = rule.breach or rule.warn or rule.hard
    if rule.min_difference is not None and bound is not None:
        further = bound.limit + (-rule.min_difference if bound.side == "<" else rule.min_difference)
        worse_than = f"{'less' if bound.side == '<' else 'more'} than {written(further, unit)}"
        said.append(f"ok only where {worse_than} is excluded")
    if rule.min_rows is not None:
        said.append(f"unknown below {rule.min_rows:,} rows")
    return said or ["shown, without a limit"]


def _sigma(rule: Rule, unit: str, worse: Worse | None) -> str:
    side = {Worse.HIGHER: "above", Worse.LOWER: "below"}.get(worse or Worse.AWAY, "from")
    least = f" and at least {far(rule.floor, unit)}" if rule.floor else ""
    where = f"{rule.sigma:g} robust sd {side} its own last {rule.nights} nights{_season(rule)}{least}"
    return f"{where}: one night warns, 2 of 3 nights breach"


def _quantile(rule: Rule, unit: str) -> str:
    quantile = rule.quantile or 0.0
    least = f" and at least {far(rule.floor, unit)}" if rule.floor else ""
    where = f"{'above' if quantile > 0.5 else 'below'} the {written(quantile, 'share')} quantile"
    return f"{where} of its own last {rule.nights} nights{_season(rule)}{least}: one night warns, 2 of 3 nights breach"


def _season(rule: Rule) -> str:
    return " of the same weekday" if rule.season else ""


def _holdout(allowed: float, unit: str) -> str:
    return f"breach more than {far(abs(allowed), unit)} {'below' if allowed < 0 else 'above'} its version's own holdout"


def beside(monitor: Monitor) -> list[tuple[str, str]]:
    """(what, in words) of everything that is watched or done beside the rules."""
    told = [
        ("Inputs", _inputs(monitor)),
        ("Always", "a feature that is null in every row breaches without a rule; so do answers that are all the same"),
    ]
    if monitor.suite:
        told.append(("Expectations", f"the Great Expectations suite {monitor.suite}"))
    told += [("Groups", f"{p.attribute}: compared with {p.reference}") for p in monitor.protected]
    told.append(("Truth", _labels(monitor)))
    told += [(f"Objective {slo.name}", slo_words(slo)) for slo in monitor.slos]
    told.append(("When it breaks", _response(monitor)))
    return told


def _inputs(monitor: Monitor) -> str:
    kinds = list(monitor.features.values())
    named = {FeatureType.NUMERIC: "numeric", FeatureType.CATEGORY: "categorical"}
    counted = [f"{kinds.count(kind)} {named[kind]}" for kind in FeatureType if kind in kinds]
    return f"{len(kinds)} {'feature' if len(kinds) == 1 else 'features'} ({', '.join(counted)})"


def _labels(monitor: Monitor) -> str:
    labels = monitor.labels
    due = f"due {nights(labels.delay_nights)} after the prediction" if labels.delay_nights else "due in the same night"
    grace = f"overdue {nights(labels.grace_nights)} later"
    share = written(labels.mature_share, "share")
    return f"labels are {due}, {grace}; a night's performance is judged once {share} of its rows have one"


def nights(count: int) -> str:
    """`1 night`, `28 nights`."""
    return f"{count:,} {'night' if count == 1 else 'nights'}"


def slo_words(slo: Slo) -> str:
    """An objective as a sentence."""
    target = written(slo.target, "share")
    match slo.sli:
        case "availability":
            what = "of requests answered without error"
        case "latency":
            what = f"of requests answered within {written(slo.threshold_ms or 0, 'ms')}"
        case "good_nights":
            what = f"of nights without a {slo.family.value if slo.family else ''} breach"
        case _:
            what = f"of {COUNTS[slo.sli]}"
    return f"{target} {what}, over {nights(slo.nights)}"


def burn_words(level: BurnLevel) -> str:
    """How fast a budget burns, beside how fast its target allows.

    >>> from vigil.verdicts.types import BurnLevel
    >>> burn_words(BurnLevel.NONE), burn_words(BurnLevel.FAST)
    ('burns no faster than the target allows', 'burn level fast: tonight 7 times as fast as the target allows, or more')
    """
    for named, window, factor in BURN_RULES:
        if named is level:
            when = "tonight" if window == 1 else f"tonight and over {nights(window)}"
            speed = "faster than" if factor == 1 else f"{factor:g} times as fast as"
            return f"burn level {level.value}: {when} {speed} the target allows" + ("" if factor == 1 else ", or more")
    return "burns no faster than the target allows"


def _response(monitor: Monitor) -> str:
    r = monitor.response
    rooms = r.room.get(monitor.environment)
    told = f"a Slack room from {rooms.name} on" if rooms else f"told in #{r.digest_channel}"
    return f"{told}; the previous version comes back {DOES[r.rollback]}, the fallback stands in {DOES[r.fallback]}"
