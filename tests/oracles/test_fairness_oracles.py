"""Fairness metrics against fairlearn, statsmodels and numpy on the raw rows of the same night."""

import numpy as np
import pytest
from fairlearn import metrics as fair
from sklearn import metrics as sk
from statsmodels.stats.contingency_tables import StratifiedTable

from tests.unit.metrics import made_profiles as made
from vigil.metrics.evaluate import evaluate
from vigil.metrics.fairness.stratified_ratio import mantel_haenszel
from vigil.profiles.layout import Protected
from vigil.profiles.types import Cell

ROWS = made.drawn(3, 2000, labelled=0.8, hurt=0.7)
KNOWN = ROWS.known
Y, SAID, SEX = ROWS.label[KNOWN], ROWS.positive[KNOWN].astype(float), ROWS.sex[KNOWN]


@pytest.fixture(scope="module")
def night():
    return {m.id: m for m in evaluate(made.profile(ROWS), None, made.VIEW, yardstick="holdout")}


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("tpr_difference", fair.true_positive_rate),
        ("fpr_difference", fair.false_positive_rate),
        ("predictive_parity", sk.precision_score),
    ],
)
def test_a_difference_between_groups_is_fairlearns(night, name, of):
    by_group = fair.MetricFrame(metrics=of, y_true=Y, y_pred=SAID, sensitive_features=SEX).by_group
    assert night[f"{name}/sex=female"].value == pytest.approx(by_group["female"] - by_group["male"])


def test_equalised_odds_is_fairlearns(night):
    found = fair.equalized_odds_difference(Y, SAID, sensitive_features=SEX)
    assert night["equalised_odds/sex=female"].value == pytest.approx(found)


def test_the_score_gap_is_that_of_the_raw_scores(night):
    women, men = ROWS.score[ROWS.sex == "female"], ROWS.score[ROWS.sex == "male"]
    sd = np.sqrt((len(women) * women.var() + len(men) * men.var()) / (len(women) + len(men)))
    assert night["score_gap/sex=female"].value == pytest.approx((women.mean() - men.mean()) / sd, abs=0.01)


def test_the_calibration_gap_is_that_of_the_raw_scores(night):
    residual = Y - ROWS.score[KNOWN]
    gap = residual[SEX == "female"].mean() - residual[SEX == "male"].mean()
    assert night["calibration_gap/sex=female"].value == pytest.approx(gap, abs=0.005)


def test_the_stratified_ratio_is_that_of_statsmodels(night):
    strata = made.strata(ROWS)
    tables = []
    for level in strata.values():
        (n1, k1), (n0, k0) = level["female"], level["male"]
        tables.append(np.array([[k1, n1 - k1], [k0, n0 - k0]]))
    assert night["stratified_ratio/sex=female"].value == pytest.approx(StratifiedTable(tables).riskratio_pooled)


def test_the_interval_of_the_stratified_ratio_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(11)
    true, rates, sizes = 0.8, (0.2, 0.5, 0.7), (120, 200, 80)
    covered = 0
    for _ in range(1000):
        strata = [
            (float(rng.binomial(n, true * p)), float(n), float(rng.binomial(2 * n, p)), float(2 * n))
            for p, n in zip(rates, sizes, strict=True)
        ]
        _, low, high = mantel_haenszel(strata)
        covered += low <= true <= high
    assert 930 <= covered <= 970


def test_intersections_are_compared_with_both_reference_groups_together():
    age = Protected(attribute="age", reference="old")
    view = made.VIEW.model_copy(update={"protected": (made.SEX, age), "intersections": (("sex", "age"),)})
    crossed = {"female+young": Cell(n=50, favourable=10), "male+old": Cell(n=100, favourable=80),
               "female+(missing)": Cell(n=5)}  # fmt: skip
    night = made.profile(ROWS).model_copy(update={"crossed": {"sex+age": crossed}})
    found = {m.id: m for m in evaluate(night, None, view, yardstick="", only=["selection_rate_ratio"])}
    assert found["selection_rate_ratio/sex+age=female+young"].value == pytest.approx(0.25)
    assert "selection_rate_ratio/sex+age=female+(missing)" not in found
    assert "selection_rate_ratio/sex+age=male+old" not in found


def test_calibration_of_a_handful_of_labels_is_unknown():
    few = made.profile(made.drawn(9, 60, labelled=0.5))
    found = {m.id: m for m in evaluate(few, None, made.VIEW, yardstick="", only=["calibration_gap"])}
    assert found["calibration_gap/sex=female"].value is None
    assert found["calibration_gap/sex=female"].why_not.startswith("too few rows")
