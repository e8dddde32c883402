"""docs/add-a-threshold.md to the letter, in memory: file, line, rule, verdict, test. The tree stays as it is."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.unit.verdicts.made_numbers import NIGHT, facts, night, share
from vigil.config import contradictions
from vigil.metrics.catalog import CATALOG
from vigil.usecases.tune import Knob, _made_by, moved
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.explained import explained
from vigil.verdicts.judge import judge
from vigil.verdicts.kinds.registry import KINDS
from vigil.verdicts.types import NightResult, Rule, Rules

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add-a-threshold.md").read_text()
PAST = [night(n, share(25, 500)) for n in range(10, 0, -1)]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Step 1: the file, importable under the name that the page saves it as."""
    (path,) = re.findall(r"Save it as `include/(\S+)\.py`", PAGE)
    module = ModuleType(path.replace("/", "."))
    exec(compile(blocks("python")[0], "docs/add-a-threshold.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def registered(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step 2: the line."""
    for name, kind in eval(f"{{{blocks('text')[0]}}}", dict(vars(module))).items():
        monkeypatch.setitem(KINDS, name, kind)


def rules() -> Rules:
    return Rules.model_validate(yaml.safe_load(blocks("yaml")[0])["rules"])


def tonight() -> Any:
    (verdict,) = judge([share(100, 500)], rules(), PAST, facts())
    return verdict


@pytest.mark.usefixtures("registered")
def test_its_rule_gives_the_verdict_that_the_page_shows():
    verdict = tonight()
    assert verdict.state.value == "warn"
    assert verdict.reason in {line for block in blocks("text") for line in block.splitlines()}, verdict.reason
    assert (verdict.limit.field, str(verdict.limit)) == ("times_usual", "times usual 3")


@pytest.mark.usefixtures("registered")
def test_why_explains_it():
    verdict = tonight()
    result = NightResult(monitor="shop", environment="production", night=NIGHT, partition_digest="p", config_digest="c",
                         edges_digest="e", rows=500, verdicts=(verdict,))  # fmt: skip
    steps = explained(verdict, Evidence(result=result, rules=rules(), past=tuple(PAST)))
    assert [s.says for s in steps if s.title == "test"] == [
        "times_usual: 3 times the median of 10 nights is 15 %; beyond it, one night is a warn"
    ]


@pytest.mark.usefixtures("registered")
def test_lint_refuses_a_setting_that_makes_no_sense():
    rule = Rule(metric="missing", thresholds={"times_usual": 0.5})
    assert ["write 2" in what for _, what in contradictions.within((), rule, CATALOG["missing"])] == [True]


@pytest.mark.usefixtures("registered")
def test_tune_moves_it_and_knows_which_verdicts_it_made():
    (setting,) = KINDS["times_usual"].settings(rules().quality[0])
    knob = Knob(key=f"rules.quality.0.{setting.field}", kind="times_usual", about="missing", was=3, now=3)
    assert (moved(knob, milder=True).now, moved(knob, milder=False).now) == (3.75, 2.4)
    assert _made_by(tonight(), knob)


def test_without_the_line_lint_says_which_kinds_there_are():
    ((place, what),) = contradictions.within((), rules().quality[0], CATALOG["missing"])
    assert place == ("thresholds", "times_usual")
    assert "known: bound, holdout, sigma, quantile, surprise" in what


def test_the_test_of_the_page_passes(module: ModuleType):
    space: dict[str, Any] = dict(vars(module))
    exec(compile(blocks("py")[0], "docs/add-a-threshold.md", "exec"), space)
    space["test_a_night_without_a_past_is_unknown"]()


def test_every_file_that_the_page_names_is_there():
    named = set(re.findall(r"`(include/[\w/.]+)`", PAGE)) - {"include/vigil/verdicts/kinds/times_usual.py"}
    assert {str(p) for p in map(Path, named) if not (ROOT / p).exists()} == set()
    assert len(named) >= 2
