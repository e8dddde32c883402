"""Thresholds that contradict each other, or their metric, are refused with file and line."""

import pytest

from tests.unit.config.test_monitor_errors import GOOD, monitors, told  # noqa: F401 - the fixture
from vigil.config.load import load_monitor

DRIFT = '{metric: psi, warn: "> 0.1", breach: "> 0.2", hard: "> 0.5"}'
AUC = "{metric: auc, holdout: -0.05}"
FAIR = '{metric: selection_rate_ratio, breach: "< 0.80"}'

WRONG = {
    "a share beyond one": (
        'missing, breach: "> 0.05"', 'missing, breach: "> 1"',
        "17: rules.quality[0].breach: 'missing' lies between 0 and 1: nothing is > 1"),
    "a ratio below zero": (
        'breach: "< 0.80"', 'breach: "< -0.2"',
        "23: rules.fairness[0].breach: 'selection_rate_ratio' lies between 0 and inf: nothing is < -0.2"),
    "a distance that equality breaks": (
        FAIR, '{metric: tpr_difference, breach: "< 0.1"}',
        "23: rules.fairness[0].breach: 'tpr_difference' is 0 where nothing is wrong, and 0 is < 0.1; "
        "write '> 0.1' or '< -0.1'"),
    "a holdout on the good side": (
        "holdout: -0.05", "holdout: 0.05",
        "21: rules.performance[0].holdout: 'auc' is bad when it is lower; write -0.05, not +0.05"),
    "a holdout without a side": (
        "holdout: -0.05", "holdout: 0",
        "21: rules.performance[0].holdout: 0 has no side; its sign says which way is bad, "
        "such as '-0.03' for up to 0.03 lower"),
    "a holdout of what a holdout has not": (
        AUC, "{metric: label_coverage, holdout: -0.05}",
        "21: rules.performance[0].holdout: 'label_coverage' has no value on a holdout; "
        "give breach, warn, sigma or quantile"),
    "the upper tail of what is bad when low": (
        AUC, "{metric: auc, quantile: 0.99, nights: 90}",
        "21: rules.performance[0].quantile: 'auc' is bad when it is lower: write 0.01, the low end of past nights, "
        "not 0.99"),
    "the lower tail of what is bad when high": (
        DRIFT, "{metric: psi, quantile: 0.01, nights: 90}",
        "19: rules.drift[0].quantile: 'psi' is bad when it is higher: write 0.99, not 0.01"),
    "one tail of what is bad either way": (
        DRIFT, "{metric: mean_shift, quantile: 0.01, nights: 90}",
        "19: rules.drift[0].quantile: 'mean_shift' is bad when it is away from the usual, either way: "
        "write 0.99, not 0.01"),
    "the median as a limit": (
        DRIFT, "{metric: psi, quantile: 0.5}",
        "19: rules.drift[0].quantile: one half of all nights lies beyond the median; "
        "write 0.99, or 0.01 where lower is bad"),
    "a quantile of too few nights": (
        DRIFT, "{metric: psi, quantile: 0.99, nights: 28}",
        "19: rules.drift[0].quantile: the 0.99 quantile of 28 nights is never known; 49 nights are the least: "
        "set `nights: 90`"),
    "a season of nothing": (
        "{metric: auc, holdout: -0.05}", "{metric: auc, holdout: -0.05, season: weekday}",
        "21: rules.performance[0].season: `season` is about past nights; give sigma or quantile with it"),
    "a floor of nothing": (
        "{metric: auc, holdout: -0.05}", "{metric: auc, holdout: -0.05, floor: 0.1}",
        "21: rules.performance[0].floor: `floor` is about distances from past nights; "
        "give sigma, quantile or surprise with it"),
    "a difference of nothing": (
        DRIFT, "{metric: psi, sigma: 4, min_difference: 0.1}",
        "19: rules.drift[0].min_difference: `min_difference` is about a bound; "
        "give breach, warn, hard or holdout with it"),
    "two rules that leave no good value": (
        FAIR, f'{FAIR}\n    - {{metric: selection_rate_ratio, breach: "> 0.75"}}',
        "24: rules.fairness[1].breach: 'selection_rate_ratio' is bad when > 0.75, and in the rule before when < 0.8: "
        "no value is good; keep one of them"),
    "a kind of threshold that is unknown": (
        DRIFT, "{metric: psi, thresholds: {sigmas: 4}}",
        "19: rules.drift[0].thresholds.sigmas: no kind of threshold is called 'sigmas'; "
        "known: bound, holdout, sigma, quantile, surprise (docs/add-a-threshold.md)"),
    "a kind of threshold that has a key of its own": (
        DRIFT, "{metric: psi, thresholds: {sigma: 4}}",
        "19: rules.drift[0].thresholds.sigma: 'sigma' has a key of its own in the rule: "
        "breach, warn, hard, sigma, quantile, holdout or surprise"),
    "a key of its own beside the threshold that it would be": (
        DRIFT, '{metric: psi, breach: "> 0.2", thresholds: {bound: 0.1}}',
        "19: rules.drift[0].thresholds.bound: 'bound' has a key of its own in the rule: "
        "breach, warn, hard, sigma, quantile, holdout or surprise"),
    "a warning on the other side": (
        'warn: "> 0.1"', 'warn: "< 0.1"', None),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "error"), list(WRONG.values()), ids=list(WRONG))
def test_a_contradiction_is_refused_at_its_line(monitors, old, new, error):  # noqa: F811
    assert old in GOOD
    said = told(monitors, GOOD.replace(old, new, 1))
    if error is None:
        assert "monitors/credit.yaml:19: rules.drift[0].warn" in said
    else:
        assert said == f"monitors/credit.yaml:{error}"


@pytest.mark.parametrize(
    "rule",
    [
        "{metric: psi, quantile: 0.99, nights: 90}",
        "{metric: psi, quantile: 0.95, nights: 28, season: weekday, floor: 0.02}",
        "{metric: mean_shift, sigma: 4, season: weekday}",
        '{metric: psi, subjects: [age], breach: "> 0.3"}\n    - {metric: psi, subjects: [plan], breach: "> 0.2"}',
    ],
)
def test_thresholds_that_fit_their_metric_are_taken(monitors, rule):  # noqa: F811
    path = monitors / "credit.yaml"
    path.write_text(GOOD.replace(DRIFT, rule, 1))
    assert load_monitor(path).rules.drift


def test_a_ratio_may_be_bounded_on_both_sides(monitors):  # noqa: F811
    path = monitors / "credit.yaml"
    path.write_text(GOOD.replace(FAIR, f'{FAIR}\n    - {{metric: selection_rate_ratio, breach: "> 1.25"}}', 1))
    assert len(load_monitor(path).rules.fairness) == 2
