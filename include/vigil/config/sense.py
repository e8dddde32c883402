"""Checks beyond the schema: names that must exist elsewhere, and contradictions.

Works on the parsed YAML, so that a file with one error is still checked for all others.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from yaml.nodes import Node

from vigil.config import contradictions
from vigil.config.explain import Path, Problem, at, near
from vigil.core.words import Family, Task
from vigil.metrics.catalog import CATALOG, Entry, Scope, suggest
from vigil.metrics.types import Worse
from vigil.verdicts.kinds.registry import thresholds
from vigil.verdicts.limits import Bound
from vigil.verdicts.types import Rule

Finding = tuple[Path, str]  # where, and what is wrong there
OWN = ("prediction_id", "model_version", "role", "status", "latency_ms", "pipeline_version")  # of the log
WHOLE = frozenset({"rules", "protected", "decision"})  # places that are shown at their key
GOOD_SIDE = {Worse.HIGHER: "<", Worse.LOWER: ">"}  # a bound on this side says that good is bad


def problems(file: str, root: Node, raw: Mapping[str, Any], *, suites: Collection[str] | None) -> list[Problem]:
    """All such problems of a document, each with its path.

    suites: the names of the suites that exist; None if they are not known.
    """
    found = [*_rules(raw), *contradictions.between(raw), *_schedule(raw), *_protected(raw), *_slos(raw)]
    found += [*_suite(raw, suites), *_source(raw), *_left_out(raw)]
    return [at(file, root, path, what, key=len(path) <= 2 and path[0] in WHOLE) for path, what in found]


def _rules(raw: Mapping[str, Any]) -> Iterator[Finding]:
    rules = raw.get("rules")
    for family, listed in rules.items() if isinstance(rules, dict) else ():
        for index, one in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(one, dict):
                yield from _rule(raw, ("rules", str(family), index), one)


def _rule(raw: Mapping[str, Any], place: Path, one: Mapping[str, Any]) -> Iterator[Finding]:
    name = one.get("metric")
    if not isinstance(name, str):
        return  # the schema says so
    entry = CATALOG.get(name)
    if entry is None:
        meant = suggest(name)
        hint = f"did you mean {meant!r}?" if meant else f"known: {', '.join(sorted(CATALOG))}"
        yield (*place, "metric"), f"unknown metric {name!r}; {hint}"
        return
    misplaced = list(_belongs(raw, place, entry))
    yield from misplaced
    try:
        rule = Rule.model_validate(one)
    except ValidationError:
        return  # the schema says so
    yield from _bounds(place, rule, entry)
    yield from contradictions.within(place, rule, entry) if not misplaced else ()
    if entry.scope is not Scope.ALL:
        yield from _subjects(raw, (*place, "subjects"), rule.subjects)
        yield from _subjects(raw, (*place, "without"), rule.without)


def _belongs(raw: Mapping[str, Any], place: Path, entry: Entry) -> Iterator[Finding]:
    """The metric stands under its family, and makes sense for the task."""
    at_metric = (*place, "metric")
    if entry.family.value != place[1] and place[1] in set(Family):
        yield at_metric, f"{entry.name!r} belongs under rules.{entry.family.value}, not rules.{place[1]}"
    if raw.get("task") in [task for task in Task if task not in entry.tasks]:
        yield at_metric, f"{entry.name!r} is not for a {raw['task']} model; it is for {' and '.join(entry.tasks)}"


def _bounds(place: Path, rule: Rule, entry: Entry) -> Iterator[Finding]:
    """There is a threshold, on the bad side, and the milder bound comes first."""
    if not any(thresholds(rule)) and not rule.thresholds:
        hint = "give breach, warn, hard, sigma, quantile, holdout or surprise"
        yield place, f"the rule on {entry.name!r} has no threshold; {hint}"
    for name in ("breach", "warn", "hard"):
        bound: Bound | None = getattr(rule, name)
        if bound is not None and entry.family is not Family.FAIRNESS and bound.side == GOOD_SIDE.get(entry.worse):
            turned = "<" if bound.side == ">" else ">"
            what = f"{entry.name!r} is bad when it is {entry.worse.value}; write {turned + f' {bound.limit:g}'!r}"
            yield (*place, name), f"{what}, not {str(bound)!r}"
    for first, second in (("warn", "breach"), ("breach", "hard"), ("warn", "hard")):
        mild, harsh = getattr(rule, first), getattr(rule, second)
        if mild and harsh and (mild.side != harsh.side or harsh.violated(mild.limit)):
            yield (*place, first), f"{first} {str(mild)!r} lies beyond {second} {str(harsh)!r}; {first} must come first"


def _subjects(raw: Mapping[str, Any], place: Path, subjects: tuple[str, ...]) -> Iterator[Finding]:
    """A subject that cannot occur would be unknown every night. Subjects: "feature", "attribute=group", or both."""
    features, protected = raw.get("features"), _attributes(raw)
    for index, subject in enumerate(subjects):
        for part in subject.split("|"):
            attribute, equals, _ = part.partition("=")
            if equals and attribute not in protected:
                known = near(attribute, protected) if protected else "name it under `protected:`"
                yield (*place, index), f"{attribute!r} is not a protected attribute; {known}"
            elif not equals and part != "*" and isinstance(features, dict) and part not in features:
                hint = near(part, list(map(str, features)))
                yield (*place, index), f"{part!r} is not a feature of this model; {hint}"


def _schedule(raw: Mapping[str, Any]) -> Iterator[Finding]:
    from croniter import croniter  # type: ignore[import-untyped]

    cron = raw.get("schedule")
    if isinstance(cron, str) and (len(cron.split()) != 5 or not croniter.is_valid(cron)):
        yield ("schedule",), f"{cron!r} is not a cron expression of five fields, such as '0 2 * * *'"


def _protected(raw: Mapping[str, Any]) -> Iterator[Finding]:
    rules, listed = raw.get("rules"), raw.get("protected")
    if isinstance(rules, dict) and rules.get("fairness") and not listed:
        yield ("rules", "fairness"), "fairness rules need `protected:` attributes"
    for name, count in Counter(_attributes(raw)).items():
        if count > 1:
            yield ("protected",), f"the attribute {name!r} is named {count} times; list all its groups once"
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        groups = one.get("groups") if isinstance(one, dict) else None
        if isinstance(groups, list) and one.get("reference") in groups:
            yield (
                ("protected", index, "groups", groups.index(one["reference"])),
                f"{one['reference']!r} is the reference group; it is not compared with itself",
            )


def _left_out(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """What the default drift rules leave out is a feature, or one of their metrics."""
    surprise, features = raw.get("surprise"), raw.get("features")
    listed = surprise.get("without") if isinstance(surprise, dict) else None
    if not isinstance(listed, list) or not isinstance(features, dict):
        return
    for index, name in enumerate(listed):
        known = list(map(str, features))
        if str(name) not in features and str(name) not in CATALOG:
            yield ("surprise", "without", index), f"{name!r} is not a feature of this model; {near(str(name), known)}"


def _slos(raw: Mapping[str, Any]) -> Iterator[Finding]:
    listed = raw.get("slos")
    for index, slo in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(slo, dict):
            continue
        if slo.get("sli") == "latency" and slo.get("threshold_ms") is None:
            yield ("slos", index), f"the latency SLO {slo.get('name')!r} needs threshold_ms"
        if slo.get("sli") == "good_nights" and slo.get("family") is None:
            yield ("slos", index), f"the good_nights SLO {slo.get('name')!r} needs a family"
        yield from _countable(raw, ("slos", index), slo)


def _countable(raw: Mapping[str, Any], place: Path, slo: Mapping[str, Any]) -> Iterator[Finding]:
    """An objective that no night could ever count would only spend its coverage."""
    if slo.get("sli") == "log_completeness" and not raw.get("traffic"):
        yield (*place, "sli"), "log_completeness needs `traffic:`, which counts the requests"
    family, rules = slo.get("family"), raw.get("rules")
    if slo.get("sli") != "good_nights" or family not in ("performance", "fairness"):
        return
    if not (rules.get(family) if isinstance(rules, dict) else None):
        yield (*place, "family"), f"there are no rules under rules.{family}, so no night can be judged"


def _suite(raw: Mapping[str, Any], suites: Collection[str] | None) -> Iterator[Finding]:
    name = raw.get("suite")
    if suites is None or not isinstance(name, str) or name in suites:
        return
    hint = near(name, suites) if suites else "there is none yet: docs/add-a-model.md says how to write one"
    yield ("suite",), f"no suite {name}.json in the folder of expectations; {hint}"


def _source(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Columns of `source:` that no key of the monitor uses."""
    source = raw.get("source")
    if not isinstance(source, dict):
        return
    features, data = raw.get("features"), raw.get("data")
    mapped = data if isinstance(data, dict) else {}
    answers = [str(mapped.get(k, k)) for k in ("prediction", "score")]
    inputs = [*map(str, features if isinstance(features, dict) else ())]
    names = [*inputs, *_attributes(raw), *answers, *_further(raw, mapped), *(f"contrib__{name}" for name in inputs)]
    for key, known in (("columns", [*names, *OWN]), ("values", [*names, *OWN, "label"]), ("bands", names)):
        listed = source.get(key)
        for word in listed if isinstance(listed, dict) else ():
            if str(word) not in known:
                hint = near(str(word), known)
                yield ("source", key, word), f"no key of this monitor uses the column {str(word)!r}; {hint}"


def _further(raw: Mapping[str, Any], mapped: Mapping[str, Any]) -> Iterator[str]:
    """What else of a log a monitor reads: weights, rankings, strata, sums and flags."""
    flags = raw.get("flags")
    lists = [raw.get("sums"), *(flags.values() if isinstance(flags, dict) else ())]
    single = [mapped.get("sampling_weight"), mapped.get("ranking"), raw.get("strata")]
    yield from map(str, filter(None, single))
    yield from (str(name) for listed in lists if isinstance(listed, list) for name in listed)


def _attributes(raw: Mapping[str, Any]) -> list[str]:
    listed = raw.get("protected")
    found = listed if isinstance(listed, list) else []
    return [str(one["attribute"]) for one in found if isinstance(one, dict) and "attribute" in one]
