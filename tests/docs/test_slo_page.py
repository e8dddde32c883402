"""docs/slo.md: its numbers are those of the code, its settings load, its metrics exist."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml

from vigil.usecases.prometheus import NUMBERS
from vigil.verdicts.budget import BURN_RULES, budget
from vigil.verdicts.policy import BudgetPolicy
from vigil.verdicts.spent import Spent
from vigil.verdicts.types import BurnLevel, Prospect, Slo

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "slo.md").read_text()
NIGHT = date(2026, 11, 28)
UP = Slo(name="availability", sli="availability", target=0.99)


def counted(*bads):
    return [
        Spent(night=NIGHT - timedelta(days=len(bads) - 1 - n), good=1000 - bad, total=1000)
        for n, bad in enumerate(bads)
    ]


def test_the_worked_example_comes_out_as_it_is_told():
    made = budget(UP, counted(*[4] * 21, 20, 22, 18, 25, 19, 21, 23))
    assert "232 in all. **Attained** 99.17 %. **Left** 1 − 232/280 = 17 %" in PAGE
    assert (made.total - made.good, round(made.attained, 4), round(made.left, 2)) == (232, 0.9917, 0.17)
    assert "which is 1.5 times the allowed 1 %" in PAGE
    assert round(made.burn, 1) == 1.5
    assert made.level is BurnLevel.SLOW
    assert "on the third night, 1 December; between 1 and 2 December" in PAGE
    ends = made.exhaustion
    assert (ends.on, ends.earliest, ends.latest) == (date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 2))


def test_a_steady_spend_below_the_allowed_one_never_ends():
    made = budget(UP, counted(*[9] * 28))
    assert round(made.left, 9) == 0.1
    assert made.exhaustion.prospect is Prospect.HOLDING


def test_the_settings_on_the_page_load():
    said = yaml.safe_load(re.search(r"```yaml\n(slos:.*?)```", PAGE, flags=re.DOTALL)[1])
    assert [Slo.model_validate(s).name for s in said["slos"]] == ["availability", "latency", "fair-nights"]
    assert BudgetPolicy.model_validate(said["budget_policy"]).approvers == ("risk.board@example.com",)


@pytest.mark.parametrize("sli", get_args(Slo.model_fields["sli"].annotation))
def test_every_kind_of_objective_is_in_the_table(sli):
    assert f"| `{sli}`" in PAGE


@pytest.mark.parametrize(("level", "nights", "factor"), BURN_RULES)
def test_every_burn_rule_is_in_the_table(level, nights, factor):
    assert f"| `{level.value}` | {nights} night{'s' if nights > 1 else ''} ≥ {factor:g} × |" in PAGE


@pytest.mark.parametrize("name", [name for name, _, _ in NUMBERS])
def test_every_number_for_prometheus_is_named(name):
    assert f"`vigil_slo_{name}`" in PAGE
