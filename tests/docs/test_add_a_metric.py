"""docs/add-a-metric.md to the letter, in memory: function, line, rule, verdict, test. The tree stays as it is."""

import re
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from tests.unit.metrics import made_profiles as made
from vigil.config import sense
from vigil.config.load import load_monitor
from vigil.core.errors import MonitorError
from vigil.metrics import catalog
from vigil.metrics import evaluate as engine
from vigil.profiles.types import Profile
from vigil.verdicts.judge import CAUSES, Facts, judge
from vigil.verdicts.types import Rules

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add-a-metric.md").read_text()
NAME = "least_bin_share"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Step 1: the module, importable under the name that the page saves it as."""
    (path,) = re.findall(r"Save it as `include/(\S+)\.py`", PAGE)
    module = ModuleType(path.replace("/", "."))
    exec(compile(blocks("python")[0], "docs/add-a-metric.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return getattr(module, NAME)


@pytest.fixture
def catalogued(function: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Step 2: the line, in the table that the page names."""
    line = next(block for block in blocks("text") if block.startswith(f'("{NAME}"'))
    row = eval(line, dict(vars(catalog)))  # a tuple of one row, as in the table
    (table,) = re.findall(r"table of its family \(here `(\w+)`\)", PAGE)
    known = getattr(catalog, table)
    longer = tuple(((*rows, *row) if rows is known else rows, *rest) for rows, *rest in catalog._BLOCKS)
    monkeypatch.setattr(catalog, "_BLOCKS", longer)
    entries = MappingProxyType({entry.name: entry for entry in catalog._entries()})
    for module in (catalog, engine, sense):
        monkeypatch.setattr(module, "CATALOG", entries)
    yield
    monkeypatch.undo()
    assert NAME not in catalog.CATALOG


def dead_sensor() -> Profile:
    """A night on which x is at its bottom in half of the rows."""
    rows = made.drawn(2)
    rows.x = np.where(np.arange(len(rows.x)) % 2 == 0, -50.0, rows.x)
    return made.profile(rows)


@pytest.mark.usefixtures("catalogued")
def test_the_metric_is_measured_beside_the_others_and_its_rule_gives_the_verdict_that_the_page_shows():
    holdout = made.profile(made.drawn(1, 2000))
    numbers = engine.evaluate(dead_sensor(), holdout, made.VIEW, yardstick="holdout of version 2")
    assert {m.metric for m in numbers} > {NAME, "missing", "psi"}
    rules = Rules.model_validate(yaml.safe_load(blocks("yaml")[0])["rules"])
    night = date(2026, 9, 20)
    (verdict,) = judge(numbers, rules, (), Facts(night=night, as_of=night))
    assert verdict.state.value == "breach"
    assert verdict.reason in {line.strip() for block in blocks("text") for line in block.splitlines()}, verdict.reason


@pytest.mark.usefixtures("catalogued")
def test_the_metric_is_unknown_without_rows_for_a_reason_that_the_judge_knows():
    nothing = Profile(monitor="m", environment="test", task=made.VIEW.task, edges_digest="e")
    (reading,) = engine.evaluate(nothing, None, made.VIEW, yardstick="", only=[NAME])
    assert reading.value is None
    assert reading.absence in CAUSES


def test_the_test_of_the_page_passes(function: Any):
    space: dict[str, Any] = {NAME: function}
    exec(compile(blocks("py")[0], "docs/add-a-metric.md", "exec"), space)
    space["test_a_feature_without_values_is_unknown_and_not_zero"]()


def monitor_with_the_rule(folder: Path) -> Path:
    text = (ROOT / "monitors" / "iris.yaml").read_text()
    (rule,) = re.findall(rf"^ *- {{metric: {NAME}.*$", PAGE, flags=re.MULTILINE)
    file = Path(shutil.copy(ROOT / "monitors" / "iris.yaml", folder))
    file.write_text(text.replace("  quality:\n", f"  quality:\n{rule}\n"))
    return file


@pytest.mark.usefixtures("catalogued")
def test_a_monitor_may_use_it_at_once(tmp_path: Path):
    monitor = load_monitor(monitor_with_the_rule(tmp_path))
    assert NAME in {rule.metric for rule in monitor.rules.quality}


def test_without_the_line_a_monitor_that_uses_it_is_told_so(tmp_path: Path):
    with pytest.raises(MonitorError, match=NAME):
        load_monitor(monitor_with_the_rule(tmp_path))


def test_every_file_and_folder_that_the_page_names_is_there():
    named = set(re.findall(r"`((?:include|tests|profiles|adapters)/[\w/.]+)`", PAGE)) | {"adapters/duckdb_outcome.py"}
    named -= {f"include/vigil/metrics/quality/{NAME}.py"}
    for path in named:
        assert any((root / path).exists() for root in (ROOT, ROOT / "include" / "vigil")), path
    assert len(named) >= 6
