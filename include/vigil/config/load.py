"""Reading monitors/*.yaml. A broken file is reported with all its problems and takes no other monitor down."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node

from vigil.config.explain import Problem, at, explain, near
from vigil.config.schema import Monitor
from vigil.core.errors import MonitorError
from vigil.metrics.catalog import CATALOG, suggest
from vigil.verdicts.types import Rule, Rules

CRON = re.compile(r"^(\S+\s+){4}\S+$")


def load_monitor(path: Path, *, expectations: Path | None = None) -> Monitor:
    """One monitor. Raises MonitorError with every problem of the file, a line each.

    expectations: the folder of suites; where it is given, the monitor's suite must be there.
    """
    monitor, problems, _ = _read(path, expectations)
    if monitor is None or problems:
        raise MonitorError("\n".join(str(p) for p in problems))
    return monitor


def load_all(folder: Path) -> tuple[dict[str, Monitor], dict[str, str]]:
    """(monitors by model name, error text by file name). Two files for one model are an error of both."""
    found: dict[str, list[tuple[str, Monitor]]] = {}
    broken: dict[str, str] = {}
    for path in files(folder):
        try:
            monitor = load_monitor(path)
        except MonitorError as error:
            broken[path.name] = str(error)
            continue
        found.setdefault(monitor.model, []).append((path.name, monitor))
    good = {}
    for model, named in found.items():
        if len(named) == 1:
            good[model] = named[0][1]
            continue
        names = ", ".join(name for name, _ in named)
        for name, _ in named:
            broken[name] = f"{folder.name}/{name}:1: model {model!r} is watched by several files ({names}); keep one"
    return good, broken


def get(folder: Path, model: str) -> Monitor:
    """The monitor of a model. Raises MonitorError with its file's problems, or with the names that exist."""
    good, broken = load_all(folder)
    if model in good:
        return good[model]
    hint = near(model, good) if good else f"no file in {folder.name}/ is valid"
    also = "".join(f"\n{error}" for error in broken.values())
    raise MonitorError(f"{folder.name}/: no monitor for model {model!r}; {hint}{also}")


def lint(folder: Path, *, expectations_dir: Path | None = None) -> dict[str, str | None]:
    """File name -> its problems with excerpts, or None. All files, all problems."""
    _, broken = load_all(folder)
    told: dict[str, str | None] = {}
    for path in files(folder):
        _, problems, text = _read(path, expectations_dir)
        lines = [f"{p}\n{p.excerpt(text)}".rstrip() for p in problems]
        if not lines and path.name in broken:
            lines = [broken[path.name]]
        told[path.name] = "\n".join(lines) or None
    return told


def files(folder: Path) -> list[Path]:
    """The monitor files of a folder, in order."""
    return sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml")) if folder.is_dir() else []


def _read(path: Path, expectations: Path | None) -> tuple[Monitor | None, list[Problem], str]:
    shown = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem(file=shown, line=1, column=1, where="", what=f"cannot be read: {error}")], ""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, [_syntax(shown, error)], text
    if not isinstance(root, MappingNode) or not isinstance(raw, dict):
        what = "a monitor is a mapping of keys; see docs/add-a-model.md"
        return None, [Problem(file=shown, line=1, column=1, where="", what=what)], text
    problems = _duplicates(shown, root)
    try:
        monitor = Monitor.model_validate(raw)
    except ValidationError as error:
        return None, problems + explain(error, shown, root) + _metric_names(shown, root, raw), text
    problems += _sense(shown, root, monitor, expectations)
    return monitor, sorted(problems, key=lambda p: p.line), text


def _syntax(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = getattr(error, "problem", None) or str(error)
    return Problem(file=file, line=line, column=column, where="", what=f"not valid YAML: {what}")


def _duplicates(file: str, node: Node) -> list[Problem]:
    """PyYAML keeps the last of two equal keys; a person meant one of them."""
    found = []
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                mark = key.start_mark
                what = f"the key {key.value!r} is there twice; keep one"
                found.append(Problem(file=file, line=mark.line + 1, column=mark.column + 1, where="", what=what))
            seen.add(key.value)
            found += _duplicates(file, value)
    elif isinstance(node.value, list):
        for item in node.value:
            found += _duplicates(file, item)
    return found


def _metric_names(file: str, root: Node, raw: Mapping[str, Any]) -> list[Problem]:
    """Unknown metric names, also in a file that is wrong elsewhere."""
    found = []
    rules = raw.get("rules")
    for family, listed in rules.items() if isinstance(rules, dict) else ():
        for i, rule in enumerate(listed if isinstance(listed, list) else ()):
            name = rule.get("metric") if isinstance(rule, dict) else None
            if isinstance(name, str) and name not in CATALOG:
                found.append(_unknown_metric(file, root, family, i, name))
    return found


def _unknown_metric(file: str, root: Node, family: str, index: int, name: str) -> Problem:
    meant = suggest(name)
    hint = f"did you mean {meant!r}?" if meant else f"known: {', '.join(sorted(CATALOG))}"
    return at(file, root, ("rules", family, index, "metric"), f"unknown metric {name!r}; {hint}")


def _sense(file: str, root: Node, monitor: Monitor, expectations: Path | None) -> list[Problem]:
    """What the schema cannot see: names that must exist, bounds that contradict each other."""
    found = []
    for family in Rules.model_fields:
        for i, rule in enumerate(getattr(monitor.rules, family)):
            found += _rule(file, root, family, i, rule)
    if not CRON.match(monitor.schedule):
        found.append(at(file, root, ("schedule",), f"{monitor.schedule!r} is not a cron expression of five fields"))
    if monitor.rules.fairness and not monitor.protected:
        found.append(at(file, root, ("rules", "fairness"), "fairness rules need `protected:` attributes", key=True))
    if expectations is not None and monitor.suite and not (expectations / f"{monitor.suite}.json").exists():
        known = [p.stem for p in expectations.glob("*.json")]
        hint = near(monitor.suite, known) if known else f"put it into {expectations.name}/"
        found.append(at(file, root, ("suite",), f"no suite {expectations.name}/{monitor.suite}.json; {hint}"))
    for i, slo in enumerate(monitor.slos):
        if slo.sli == "latency" and slo.threshold_ms is None:
            found.append(at(file, root, ("slos", i), f"the latency SLO {slo.name!r} needs threshold_ms"))
        if slo.sli == "good_nights" and slo.family is None:
            found.append(at(file, root, ("slos", i), f"the good_nights SLO {slo.name!r} needs a family"))
    return found


def _rule(file: str, root: Node, family: str, index: int, rule: Rule) -> list[Problem]:
    place = ("rules", family, index)
    entry = CATALOG.get(rule.metric)
    if entry is None:
        return [_unknown_metric(file, root, family, index, rule.metric)]
    found = []
    if entry.family.value != family:
        what = f"{rule.metric!r} belongs under rules.{entry.family.value}, not rules.{family}"
        found.append(at(file, root, (*place, "metric"), what))
    if not any((rule.breach, rule.warn, rule.hard, rule.sigma, rule.holdout)):
        what = f"the rule on {rule.metric!r} has no threshold; give breach, warn, hard, sigma or holdout"
        found.append(at(file, root, place, what))
    if rule.warn and rule.breach and (rule.warn.side != rule.breach.side or _beyond(rule)):
        what = f"warn {str(rule.warn)!r} is not before breach {str(rule.breach)!r}; a warning comes first"
        found.append(at(file, root, (*place, "warn"), what))
    return found


def _beyond(rule: Rule) -> bool:
    """Whether the warn bound lies on the bad side of the breach bound."""
    return rule.warn is not None and rule.breach is not None and rule.breach.violated(rule.warn.limit)
