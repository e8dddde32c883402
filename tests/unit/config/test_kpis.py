"""Business formulas of a monitor: arithmetic over known names, and nothing else."""

import pytest

from vigil.core.errors import MonitorError
from vigil.core.words import Task
from vigil.metrics.performance.formula import LENGTH, check, check_task, value


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


CLASSES = {"task": Task.MULTICLASS, "decided": False, "weighted": False}
VALUES = {"task": Task.REGRESSION, "decided": True, "weighted": False}
WEIGHED = {"task": Task.BINARY, "decided": True, "weighted": True}


@pytest.mark.parametrize(
    ("formula", "kind", "says"),
    [
        ("tp / rows", CLASSES, "'tp' counts a binary model's answers, and this one is multiclass; write"),
        ("sum_amount_fn", VALUES, "'sum_amount_fn' counts a binary model's answers, and this one is regression"),
        ("favourable / rows", CLASSES, "'favourable' counts favourable decisions.*none; add `decision:`, or "),
        ("sum_amount_unfavourable", VALUES, "'sum_amount_unfavourable' counts favourable decisions.*none; write"),
        ("10 * tp / rows", WEIGHED, "with data.sampling_weight 'tp' is a sum of weights, and 'rows' is of logged rows"),
        ("sum_amount_tp / tp", WEIGHED, "'tp' is a sum of weights, and 'sum_amount_tp' is of logged rows"),
    ],
)  # fmt: skip
def test_a_formula_over_what_such_a_model_never_counts_is_refused_with_what_to_write(formula, kind, says):
    with pytest.raises(MonitorError, match=says):
        check_task(formula, sums=["amount"], **kind)


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        ("labelled / rows", CLASSES),
        ("sum_amount / requests", VALUES),
        ("sum_amount_tp", VALUES | {"sums": ["amount", "amount_tp"]}),  # a column of that name, and no cell
        ("favourable / rows", CLASSES | {"decided": True}),
        ("tp / labelled", WEIGHED),
        ("sum_amount_tp", WEIGHED),
    ],
)
def test_a_formula_over_what_such_a_model_counts_is_taken(formula, kind):
    check_task(formula, **{"sums": ["amount"], **kind})
