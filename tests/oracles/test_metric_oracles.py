"""Metrics against independent implementations on the same rows: scikit-learn, scipy, statsmodels, fairlearn, numpy."""

import warnings

import numpy as np
import pytest
from fairlearn import metrics as fair
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest
from sklearn import metrics as sk
from statsmodels.stats import proportion as sm

from tests.unit.metrics import made_profiles as made
from vigil.core.words import Task
from vigil.metrics.drift.divergence import SMOOTH, jensen_shannon, psi
from vigil.metrics.evaluate import evaluate
from vigil.metrics.intervals import (
    auc_interval,
    difference_p,
    mover_ratio,
    n_needed,
    newcombe,
    proportion_p,
    ratio_p,
    wilson,
)
from vigil.metrics.types import Kind, View
from vigil.profiles.edges import SCORE_EDGES

TABLES = [(8, 10, 5, 10), (30, 100, 420, 1000), (0, 20, 7, 50), (20, 20, 30, 50), (214, 1204, 3001, 9876)]
ROWS = made.drawn(3, 900, labelled=0.8, hurt=0.7)


def measured(profile, view=made.VIEW, baseline=None):
    return {m.id: m for m in evaluate(profile, baseline, view, yardstick="holdout")}


@pytest.fixture(scope="module")
def night():
    return measured(made.profile(ROWS), baseline=made.profile(made.drawn(1, 2000)))


def labelled():
    return ROWS.label[ROWS.known], ROWS.positive[ROWS.known].astype(float), ROWS.score[ROWS.known]


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
        ("accuracy", sk.accuracy_score),
        ("specificity", lambda y, p: sk.recall_score(y, p, pos_label=0)),
    ],
)
def test_shares_of_the_confusion_table_are_those_of_scikit_learn(night, name, of):
    y, predicted, _ = labelled()
    assert night[f"{name}/all"].value == pytest.approx(of(y, predicted), abs=1e-12)


@pytest.mark.parametrize(("name", "of"), [("log_loss", sk.log_loss), ("brier", sk.brier_score_loss)])
def test_losses_of_the_score_are_those_of_scikit_learn(night, name, of):
    y, _, score = labelled()
    assert night[f"{name}/all"].value == pytest.approx(of(y, score), rel=1e-12)


@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_the_interval_of_a_loss_has_the_width_of_the_rows_themselves(night, name):
    y, _, score = labelled()
    loss = (score - y) ** 2 if name == "brier" else -np.log(np.where(y == 1, score, 1 - score))
    m = night[f"{name}/all"]
    assert (m.high - m.low) == pytest.approx(2 * 1.96 * loss.std() / np.sqrt(len(y)), rel=0.03)


def test_auc_is_exact_on_the_bins_and_within_half_a_percent_of_the_rows(night):
    y, _, score = labelled()
    value = night["auc/all"].value
    assert value == pytest.approx(sk.roc_auc_score(y, np.searchsorted(SCORE_EDGES, score)), abs=1e-12)
    assert value == pytest.approx(sk.roc_auc_score(y, score), abs=0.005)


def test_the_auc_variance_is_delongs_on_rows():
    rng = np.random.default_rng(8)
    pos, neg = rng.integers(2, 20, 70), rng.integers(0, 15, 130)
    psi_ij = (pos[:, None] > neg) + 0.5 * (pos[:, None] == neg)
    se = np.sqrt(psi_ij.mean(1).var(ddof=1) / 70 + psi_ij.mean(0).var(ddof=1) / 130)
    auc = psi_ij.mean()
    value, low, high = auc_interval(np.bincount(pos, minlength=20).tolist(), np.bincount(neg, minlength=20).tolist())
    assert value == pytest.approx(auc)
    logit = np.log(auc / (1 - auc)) + np.array([-1, 1]) * 1.959964 * se / (auc * (1 - auc))
    assert [low, high] == pytest.approx((1 / (1 + np.exp(-logit))).tolist(), rel=1e-6)


def test_macro_f1_and_accuracy_of_many_classes_are_those_of_scikit_learn():
    rng = np.random.default_rng(9)
    y = rng.choice(list("abcd"), 500, p=[0.5, 0.3, 0.15, 0.05])
    predicted = np.where(rng.random(500) < 0.7, y, rng.choice(list("abc"), 500))
    found = measured(made.multiclass(predicted.tolist(), y.tolist()), View(task=Task.MULTICLASS, features={}))
    assert found["macro_f1/all"].value == pytest.approx(sk.f1_score(y, predicted, average="macro", zero_division=0))
    assert found["accuracy/all"].value == pytest.approx(sk.accuracy_score(y, predicted))


def test_the_macro_f1_interval_has_the_width_of_a_bootstrap():
    rng = np.random.default_rng(10)
    y = rng.choice(list("abc"), 400)
    predicted = np.where(rng.random(400) < 0.7, y, rng.choice(list("abc"), 400))
    m = measured(made.multiclass(predicted.tolist(), y.tolist()), View(task=Task.MULTICLASS, features={}))[
        "macro_f1/all"
    ]
    labels, codes = "abc", {c: i for i, c in enumerate("abc")}
    p, t = (np.array([codes[c] for c in side]) for side in (predicted, y))
    draws = []
    for _ in range(400):
        rows = rng.integers(0, 400, 400)
        table = np.bincount(p[rows] * 3 + t[rows], minlength=9).reshape(3, 3)
        draws.append(np.mean(2 * np.diag(table) / (table.sum(0) + table.sum(1))))
    assert len(labels) == 3
    assert (m.high - m.low) == pytest.approx(2 * 1.96 * np.std(draws), rel=0.15)


def test_errors_of_a_regression_are_those_of_scikit_learn():
    rng = np.random.default_rng(10)
    y = rng.normal(50, 9, 300)
    predicted = y + rng.normal(1, 3, 300)
    found = measured(made.regression(predicted, y), View(task=Task.REGRESSION, features={}))
    assert found["rmse/all"].value == pytest.approx(sk.root_mean_squared_error(y, predicted))
    assert found["mae/all"].value == pytest.approx(sk.mean_absolute_error(y, predicted))
    assert found["bias/all"].value == pytest.approx((predicted - y).mean())


def test_selection_rates_ratios_and_differences_are_those_of_fairlearn(night):
    favourable = (~ROWS.positive).astype(int)
    frame = fair.MetricFrame(
        metrics=fair.selection_rate, y_true=favourable, y_pred=favourable, sensitive_features=ROWS.sex
    )
    assert night["selection_rate/sex=female"].value == pytest.approx(frame.by_group["female"])
    assert night["selection_rate/sex=male"].value == pytest.approx(frame.by_group["male"])
    assert night["selection_rate_ratio/sex=female"].value == pytest.approx(frame.ratio(method="between_groups"))
    assert abs(night["parity_difference/sex=female"].value) == pytest.approx(frame.difference())


def test_equal_opportunity_is_the_difference_of_true_positive_rates_of_fairlearn(night):
    known = ROWS.known
    frame = fair.MetricFrame(
        metrics=fair.true_positive_rate,
        y_true=(ROWS.label[known] == 0).astype(int),
        y_pred=(~ROWS.positive[known]).astype(int),
        sensitive_features=ROWS.sex[known],
    )
    expected = frame.by_group["female"] - frame.by_group["male"]
    assert night["equal_opportunity/sex=female"].value == pytest.approx(expected)


def test_the_mean_shift_is_that_of_the_rows(night):
    before = made.drawn(1, 2000).x
    assert night["mean_shift/x"].value == pytest.approx((ROWS.x.mean() - before.mean()) / before.std())


def test_psi_is_that_of_numpy_on_the_same_bins(night):
    now, was = (np.array(made.bins(x, made.EDGES)) for x in (ROWS.x, made.drawn(1, 2000).x))
    kept = (now + was) > 0
    p, q = ((side[kept] + SMOOTH) / (side[kept] + SMOOTH).sum() for side in (now, was))
    assert night["psi/x"].value == pytest.approx(np.sum((p - q) * np.log(p / q)))


def test_jensen_shannon_is_that_of_scipy_also_with_empty_bins():
    rng = np.random.default_rng(11)
    for _ in range(20):
        p, q = rng.poisson(2, 15), rng.poisson(3, 15)
        assert jensen_shannon(p.tolist(), q.tolist()) == pytest.approx(jensenshannon(p, q, base=2))


def test_psi_without_smoothing_to_speak_of_is_the_textbook_sum():
    p, q = np.array([100, 300, 600]) * 10_000, np.array([200, 300, 500]) * 10_000
    a, b = p / p.sum(), q / q.sum()
    assert psi(p.tolist(), q.tolist()) == pytest.approx(np.sum((a - b) * np.log(a / b)), rel=1e-4)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.995])
def test_wilson_and_newcombe_are_those_of_statsmodels(table, level):
    k1, n1, k0, n0 = table
    assert wilson(k1, n1, level) == pytest.approx(sm.proportion_confint(k1, n1, 1 - level, "wilson"), abs=1e-12)
    expected = sm.confint_proportions_2indep(k1, n1, k0, n0, method="newcomb", compare="diff", alpha=1 - level)
    assert newcombe(k1, n1, k0, n0, level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("table", [t for t in TABLES if t[0]])
def test_mover_r_is_the_papers_formula_on_statsmodels_limits(table):
    k1, n1, k0, n0 = table
    (l1, u1), (l0, u0) = (sm.proportion_confint(k, n, 0.05, "wilson") for k, n in ((k1, n1), (k0, n0)))
    p1, p0 = k1 / n1, k0 / n0
    low = (p1 * p0 - np.sqrt((p1 * p0) ** 2 - l1 * u0 * (2 * p1 - l1) * (2 * p0 - u0))) / (u0 * (2 * p0 - u0))
    high = (p1 * p0 + np.sqrt((p1 * p0) ** 2 - u1 * l0 * (2 * p1 - u1) * (2 * p0 - l0))) / (l0 * (2 * p0 - l0))
    assert mover_ratio(*table) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("bound", [0.05, 0.5, 0.9])
def test_the_exact_test_of_a_proportion_is_that_of_scipy(table, bound):
    k, n = table[:2]
    for side, alternative in (("<", "less"), (">", "greater")):
        expected = binomtest(k, n, bound, alternative).pvalue
        assert proportion_p(k, n, bound=bound, side=side) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("table", [t for t in TABLES if t[0] != t[1]])
@pytest.mark.parametrize("bound", [0.7, 0.8, 1.0, 1.25])
def test_the_score_test_of_a_ratio_is_that_of_statsmodels(table, bound):
    k1, n1, k0, n0 = table
    for side, alternative in (("<", "smaller"), (">", "larger")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = sm.test_proportions_2indep(
                k1, n1, k0, n0, value=bound, compare="ratio", method="score", alternative=alternative, correction=False
            )
        assert ratio_p(*table, bound=bound, side=side) == pytest.approx(float(found.pvalue), abs=1e-6)


@pytest.mark.parametrize("bound", [-0.2, -0.05, 0.0])
def test_the_test_of_a_difference_is_close_to_the_score_test_of_statsmodels(bound):
    k1, n1, k0, n0 = TABLES[1]
    found = sm.test_proportions_2indep(
        k1, n1, k0, n0, value=bound, compare="diff", method="score", alternative="smaller", correction=False
    )
    assert difference_p(*TABLES[1], bound=bound, side="<") == pytest.approx(float(found.pvalue), abs=0.015)


def test_rows_needed_for_a_difference_agree_with_statsmodels():
    needed = n_needed(Kind.DIFFERENCE, (50, 100, 420, 1000), bound=0.1, side="<", margin=0.1)
    alone = sm.samplesize_proportions_2indep_onetail(0.08, 0.42, power=0.8, ratio=10, alpha=0.05, alternative="larger")
    assert needed == pytest.approx(float(alone), rel=0.03)
