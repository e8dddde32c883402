"""Business formulas of a monitor: arithmetic over known names, and nothing else."""

import pytest

from vigil.core.errors import MonitorError
from vigil.metrics.performance.formula import LENGTH, check, value


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("tp * gian", "unknown name 'gian'; did you mean 'gain'"),
        ("sum_amuont_tp", "did you mean 'sum_amount_tp'"),
        ("tp +", "is no arithmetic"),
        ("__import__('os').system('true')", "unknown name '__import__'"),
        ("tp.__class__", "formula"),
        ("[x for x in (1, 2)]", "unknown name 'x'"),
        ("9 ** 9 ** 9", "formula"),
        ("'a' * tp", "formula"),
        ("tp + " * LENGTH + "1", "characters"),
    ],
)
def test_a_formula_that_is_no_arithmetic_over_known_names_is_refused(formula, says):
    with pytest.raises(MonitorError, match=says.replace("(", r"\(")):
        check(formula, sums=["amount"], constants={"gain": 2.0})


def test_a_formula_may_use_counts_sums_constants_and_three_functions():
    formula = "max(gain * sum_amount_tp - abs(sum_amount_fp), 0) / min(rows, 10)"
    check(formula, sums=["amount"], constants={"gain": 2.0})
    assert value(formula, {"gain": 2, "sum_amount_tp": 10, "sum_amount_fp": -5, "rows": 100}) == 1.5
