"""Performance beyond the first night's, against scikit-learn, statsmodels and numpy on the same rows."""

from collections import Counter
from time import perf_counter

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn import metrics as sk

from vigil.core.words import Task
from vigil.metrics.evaluate import evaluate
from vigil.metrics.example import DECISION
from vigil.metrics.types import Kpi, View
from vigil.profiles.edges import SCORE_EDGES
from vigil.profiles.types import Errors, Outcome, Profile

BINS = len(SCORE_EDGES) + 1


def drawn(seed, n=4000, share=0.3, sharp=1.5):
    """Labels, scores that are calibrated before `sharp` makes them too sure, and sampling weights by label."""
    rng = np.random.default_rng(seed)
    logit = np.log(share / (1 - share)) + rng.normal(0, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return y, 1 / (1 + np.exp(-sharp * logit)), np.where(y == 1, 1.0, 14.0)


def binned(p):
    return np.searchsorted(SCORE_EDGES, p, side="left")


def profile(y, p, w=None):
    at, said = binned(p), (p >= 0.5).astype(int)
    scores = {str(k): tuple(np.bincount(at[y == k], minlength=BINS).tolist()) for k in (0, 1)}
    confusion = {f"{a}\t{b}": int(((said == a) & (y == b)).sum()) for a in (0, 1) for b in (0, 1)}
    weighted, weighted_scores, weighted_losses = {}, {}, {}
    losses = {"log_loss": -np.log(np.where(y == 1, p, 1 - p)), "brier": (p - y) ** 2}
    if w is not None:
        cell = {(a, b): w[(said == a) & (y == b)] for a in (0, 1) for b in (0, 1)}
        weighted = {f"{a}\t{b}": (float(x.sum()), float((x * x).sum())) for (a, b), x in cell.items()}
        weighted_scores = {
            str(k): tuple(np.bincount(at[y == k], weights=w[y == k], minlength=BINS).tolist()) for k in (0, 1)
        }
        weighted_losses = {name: (float((w * x).sum()), float(w.sum())) for name, x in losses.items()}
    outcome = Outcome(labelled=len(y), scores=scores, confusion=confusion, weighted=weighted,
                      weighted_scores=weighted_scores, weighted_losses=weighted_losses,
                      **{name: float(x.sum()) for name, x in losses.items()})  # fmt: skip
    return Profile(monitor="m", environment="e", task=Task.BINARY, edges_digest="x", rows=len(y), outcome=outcome)


def measured(found, baseline=None, **view):
    shape = View(**{"task": Task.BINARY, "features": {}, "decision": DECISION, **view})
    return {m.id: m for m in evaluate(found, baseline, shape, yardstick="holdout")}


@pytest.fixture(params=[(0, 0.3), (1, 0.05), (2, 0.5)], ids=str)
def case(request):
    seed, share = request.param
    return drawn(seed, share=share)


def test_shares_of_the_table_are_those_of_scikit_learn(case):
    y, p, _ = case
    said, found = p >= 0.5, measured(profile(y, p))
    assert found["balanced_accuracy/all"].value == pytest.approx(sk.balanced_accuracy_score(y, said))
    assert found["mcc/all"].value == pytest.approx(sk.matthews_corrcoef(y, said))


def test_average_precision_is_exact_on_the_bins_and_near_the_rows(case):
    y, p, _ = case
    value = measured(profile(y, p))["average_precision/all"].value
    assert value == pytest.approx(sk.average_precision_score(y, binned(p)))
    assert value == pytest.approx(sk.average_precision_score(y, p), abs=0.02)


def test_with_sampling_weights_the_numbers_are_those_of_weighted_rows(case):
    y, p, w = case
    said, found = p >= 0.5, measured(profile(y, p, w), weighted=True)
    for name, of in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score),
                     ("accuracy", sk.accuracy_score)):  # fmt: skip
        assert found[f"{name}/all"].value == pytest.approx(of(y, said, sample_weight=w)), name
    assert found["mcc/all"].value == pytest.approx(sk.matthews_corrcoef(y, said, sample_weight=w))
    expected = sk.average_precision_score(y, binned(p), sample_weight=w)
    assert found["average_precision/all"].value == pytest.approx(expected)
    assert found["auc/all"].value == pytest.approx(sk.roc_auc_score(y, binned(p), sample_weight=w))
    assert found["log_loss/all"].value == pytest.approx(sk.log_loss(y, p, sample_weight=w))
    assert found["brier/all"].value == pytest.approx(sk.brier_score_loss(y, p, sample_weight=w))
    expected = sk.balanced_accuracy_score(y, said, sample_weight=w)
    assert found["balanced_accuracy/all"].value == pytest.approx(expected)


def test_weighted_calibration_and_lift_are_those_of_rows_repeated_as_often_as_they_weigh(case):
    y, p, w = case
    often = np.repeat(np.arange(len(y)), w.astype(int))
    weighed, repeated = measured(profile(y, p, w), weighted=True), measured(profile(y[often], p[often]))
    for name in ("ece", "lift", "calibration_slope", "auc", "log_loss", "brier"):
        assert weighed[f"{name}/all"].value == pytest.approx(repeated[f"{name}/all"].value), name
        narrow, wide = (f[f"{name}/all"].high - f[f"{name}/all"].low for f in (repeated, weighed))
        assert wide > narrow, name  # nobody knows more because a row stands for several


def test_estimates_of_a_weighted_night_read_weighted_scores_with_a_weighted_calibration():
    y, p, w = drawn(13, n=8000)
    often = np.repeat(np.arange(len(y)), w.astype(int))
    weighed = measured(profile(y, p, w), profile(y, p, w), weighted=True)
    repeated = measured(profile(y[often], p[often]), profile(y[often], p[often]))
    for name in ("estimated_precision", "estimated_recall", "estimated_accuracy", "estimated_auc"):
        one, same = weighed[f"{name}/all"], repeated[f"{name}/all"]
        assert one.value == pytest.approx(same.value), name
        assert (one.n, one.high - one.low > same.high - same.low) == (len(y), True)
    unweighted = measured(profile(y, p, w), profile(y, p), weighted=True)
    assert unweighted["estimated_auc/all"].why_not == "no baseline: its scores have no sampling weights"


def test_a_weighted_night_is_not_compared_with_a_holdout_that_has_no_weights(case):
    y, p, w = case
    with_weights = measured(profile(y, p, w), profile(y, p, w), weighted=True)
    without = measured(profile(y, p, w), profile(y, p), weighted=True)
    for name in ("precision", "recall", "auc", "log_loss", "brier", "f1", "accuracy", "lift"):
        assert with_weights[f"{name}/all"].baseline == pytest.approx(with_weights[f"{name}/all"].value)
        assert (without[f"{name}/all"].baseline, without[f"{name}/all"].yardstick) == (None, "")
        assert "not compared with the baseline, which has no sampling weights" in without[f"{name}/all"].detail


@pytest.mark.parametrize("name", ["auc", "log_loss", "brier"])
def test_a_weighted_interval_is_as_wide_as_the_bootstrap_of_weighted_rows(name):
    y, p, w = drawn(14, n=3000)
    found, rng, draws = measured(profile(y, p, w), weighted=True)[f"{name}/all"], np.random.default_rng(15), []
    of = {"auc": sk.roc_auc_score, "log_loss": sk.log_loss, "brier": sk.brier_score_loss}[name]
    for _ in range(200):
        i = rng.integers(0, len(y), len(y))
        draws.append(of(y[i], p[i], sample_weight=w[i]))
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(draws), rel=0.25)


def test_an_interval_of_weighted_rows_is_as_wide_as_their_bootstrap():
    y, p, w = drawn(5, n=3000)
    found = measured(profile(y, p, w), weighted=True)["mcc/all"]
    rng, said, draws = np.random.default_rng(6), p >= 0.5, []
    for _ in range(400):
        i = rng.integers(0, len(y), len(y))
        draws.append(sk.matthews_corrcoef(y[i], said[i], sample_weight=w[i]))
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(draws), rel=0.2)


@pytest.mark.parametrize("name", ["mcc", "balanced_accuracy", "average_precision", "lift"])
def test_a_delta_interval_is_as_wide_as_a_bootstrap(name):
    y, p, _ = drawn(7, n=3000)
    found, rng, draws = measured(profile(y, p))[f"{name}/all"], np.random.default_rng(8), []
    for _ in range(200):
        i = rng.integers(0, len(y), len(y))
        shape = View(task=Task.BINARY, features={}, decision=DECISION)
        (again,) = evaluate(profile(y[i], p[i]), None, shape, yardstick="", only=[name])
        draws.append(again.value)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(draws), rel=0.2)


@pytest.mark.parametrize("sharp", [0.7, 1.0, 1.5])
def test_the_calibration_slope_is_that_of_a_logistic_regression(sharp):
    y, p, _ = drawn(9, n=20_000, sharp=sharp)
    fit = sm.Logit(y, sm.add_constant(np.log(p / (1 - p)))).fit(disp=0)
    found = measured(profile(y, p))["calibration_slope/all"]
    assert found.value == pytest.approx(fit.params[1], rel=0.02)
    assert found.high - found.low == pytest.approx(2 * 1.96 * fit.bse[1], rel=0.05)
    assert (found.value < 0.8) is (sharp == 1.5)


def test_lift_is_the_share_in_the_top_tenth_over_the_share_of_all(case):
    y, p, _ = case
    top = np.argsort(-p, kind="stable")[: len(p) // 10]
    assert measured(profile(y, p))["lift/all"].value == pytest.approx(y[top].mean() / y.mean(), rel=0.05)


def test_a_calibrated_model_has_a_small_ece_and_an_oversure_one_a_large():
    def value(sharp):
        y, p, _ = drawn(11, n=20_000, sharp=sharp)
        order = np.array_split(np.argsort(p), 10)
        rows = sum(len(i) / len(p) * abs(y[i].mean() - p[i].mean()) for i in order)
        found = measured(profile(y, p))["ece/all"].value
        assert found == pytest.approx(rows, abs=0.01)
        return found

    assert value(1.0) < 0.02
    assert value(3.0) > 0.05


def test_estimates_are_near_the_truth_when_inputs_move_and_the_concept_does_not():
    y0, p0, _ = drawn(12, n=20_000, share=0.4)
    keep = np.random.default_rng(13).random(20_000) < np.where(p0 > 0.6, 1.0, 0.4)
    y1, p1 = y0[keep], p0[keep]
    scores = {"none": tuple(np.bincount(binned(p1), minlength=BINS).tolist())}
    tonight = Profile(monitor="m", environment="e", task=Task.BINARY, edges_digest="x", rows=len(y1),
                      outcome=Outcome(scores=scores), group_scores={"sex=female": scores})  # fmt: skip
    found, said = measured(tonight, profile(y0, p0)), p1 >= 0.5
    truth = {"precision": sk.precision_score(y1, said), "recall": sk.recall_score(y1, said),
             "accuracy": sk.accuracy_score(y1, said), "auc": sk.roc_auc_score(y1, p1)}  # fmt: skip
    for name, value in truth.items():
        assert found[f"estimated_{name}/all"].value == pytest.approx(value, abs=0.02), name
        assert found[f"estimated_{name}/sex=female"].value == found[f"estimated_{name}/all"].value
    assert "blind to concept drift" in found["estimated_auc/all"].detail


def test_an_estimate_is_of_the_decisions_that_were_logged_where_they_are_not_what_the_threshold_says():
    y0, p0, _ = drawn(15, n=20_000, share=0.4)
    y1, p1, _ = drawn(16, n=20_000, share=0.4)
    by_score, decided = p1 >= 0.5, p1 >= 0.7
    bins = lambda which: tuple(np.bincount(binned(p1[which]), minlength=BINS).tolist())  # noqa: E731
    against = {"0": bins(by_score & ~decided)}
    tonight = Profile(monitor="m", environment="e", task=Task.BINARY, edges_digest="x", rows=len(y1),
                      outcome=Outcome(scores={"none": bins(p1 >= 0)}, overruled=against),
                      group_scores={"sex=female": {"none": bins(p1 >= 0)}},
                      group_overruled={"sex=female": against})  # fmt: skip
    found, by_threshold = (
        measured(tonight, profile(y0, p0)),
        measured(
            tonight.model_copy(update={"outcome": tonight.outcome.model_copy(update={"overruled": {}})}),
            profile(y0, p0),
        ),
    )
    truth = {"precision": sk.precision_score(y1, decided), "recall": sk.recall_score(y1, decided),
             "accuracy": sk.accuracy_score(y1, decided)}  # fmt: skip
    for name, value in truth.items():
        one = found[f"estimated_{name}/all"]
        assert one.value == pytest.approx(value, abs=0.02), name
        assert abs(by_threshold[f"estimated_{name}/all"].value - one.value) > 0.01, name
        assert f"{(by_score & ~decided).sum():,} of 20,000 decisions are not what the threshold says" in one.detail
        assert found[f"estimated_{name}/sex=female"].value == one.value
        assert "decisions" not in by_threshold[f"estimated_{name}/all"].detail


def regression(seed=14, n=500):
    rng = np.random.default_rng(seed)
    y = np.round(rng.gamma(2, 50, n)) * (rng.random(n) > 0.02)
    return y, y + rng.normal(5, 20, n)


def errors(y, p):
    e, some = p - y, y != 0
    ape = np.abs(e[some] / y[some])
    return Errors(n=len(y), total=e.sum(), absolute=np.abs(e).sum(), squared=(e * e).sum(), label_total=y.sum(),
                  label_squared=(y * y).sum(), relative=ape.sum(), relative_squared=(ape * ape).sum(),
                  relative_n=int(some.sum()))  # fmt: skip


def test_numbers_of_a_regression_are_those_of_scikit_learn():
    y, p = regression()
    night = Profile(monitor="m", environment="e", task=Task.REGRESSION, edges_digest="x", rows=len(y),
                    outcome=Outcome(labelled=len(y), errors=errors(y, p)))  # fmt: skip
    was = night.model_copy(update={"outcome": Outcome(labelled=len(y), errors=errors(y, y + 0.5 * (p - y)))})
    view = View(task=Task.REGRESSION, features={})
    found = {m.metric: m for m in evaluate(night, was, view, yardstick="holdout")}
    some = y != 0
    assert found["mape"].value == pytest.approx(sk.mean_absolute_percentage_error(y[some], p[some]))
    assert f"{(~some).sum()} of 500 labels" in found["mape"].detail
    assert found["r2"].value == pytest.approx(sk.r2_score(y, p))
    for tau in (10, 90):
        expected = sk.mean_pinball_loss(y, p, alpha=tau / 100)
        assert found[f"pinball_loss_{tau}"].value == pytest.approx(expected)
    assert found["residual_spread"].value == pytest.approx(2.0)
    e = 0.5 * (p - y)
    assert found["residual_shift"].value == pytest.approx(e.mean() / e.std())


def test_numbers_of_many_classes_are_those_of_scikit_learn():
    rng = np.random.default_rng(15)
    y = rng.choice(list("abcd"), 600, p=[0.5, 0.3, 0.15, 0.05])
    p = np.where(rng.random(600) < 0.7, y, rng.choice(list("abcd"), 600))
    cells, ranks = {}, {"1": 420, "2": 90, "3": 60, "5": 20, "beyond": 10}
    for a, b in zip(p, y, strict=True):
        cells[f"{a}\t{b}"] = cells.get(f"{a}\t{b}", 0) + 1
    outcome = Outcome(labelled=600, confusion=cells, ranks=ranks)
    night = Profile(monitor="m", environment="e", task=Task.MULTICLASS, edges_digest="x", rows=600, outcome=outcome)
    found = {m.id: m for m in evaluate(night, None, View(task=Task.MULTICLASS, features={}), yardstick="")}
    assert found["weighted_f1/all"].value == pytest.approx(sk.f1_score(y, p, average="weighted"))
    assert found["micro_f1/all"].value == pytest.approx(sk.f1_score(y, p, average="micro"))
    for name, of in (("precision", sk.precision_score), ("recall", sk.recall_score)):
        for label, value in zip("abcd", of(y, p, average=None, labels=list("abcd")), strict=True):
            assert found[f"class_{name}/{label}"].value == pytest.approx(value)
    assert found["top_3_accuracy/all"].value == pytest.approx(0.95)
    assert found["top_5_accuracy/all"].value == pytest.approx(590 / 600)


def test_a_business_number_is_what_its_formula_says_or_unknown_with_the_reason():
    y, p, _ = drawn(16)
    kpis = (
        Kpi(name="gain", formula="100 * tp - 30 * fp", unit="EUR"),
        Kpi(name="per_error", formula="rows / errors"),
    )
    found, said = measured(profile(y, p), kpis=kpis), p >= 0.5
    gain = 100 * (said & (y == 1)).sum() - 30 * (said & (y == 0)).sum()
    assert (found["kpi_of_outcomes/gain"].value, found["kpi_of_outcomes/gain"].unit) == (gain, "EUR")
    assert found["kpi/per_error"].value is None
    assert "divides by 0" in found["kpi/per_error"].why_not


def test_a_business_number_over_a_column_without_a_number_is_unknown_and_not_nought():
    y, p, _ = drawn(17)
    night = profile(y, p).model_copy(update={"sums": {"amount": {"all": 7.5, "fp": 0.0}}})
    kpis = [Kpi(name=n, formula=f) for n, f in (("won", "sum_amount_tp - sum_amount_fp"), ("sold", "sum_amount"))]
    found = measured(night, sums=("amount",), kpis=tuple(kpis))
    assert found["kpi_of_outcomes/won"].value is None
    assert found["kpi_of_outcomes/won"].why_not == "all null: no row that counts in sum_amount_tp has a number"
    assert found["kpi/sold"].value == 7.5


def test_with_sampling_weights_the_labelled_rows_of_a_formula_weigh_what_its_counts_weigh():
    y, p, w = drawn(18)
    kpis = (Kpi(name="right", formula="(tp + tn) / labelled"),)
    found = measured(profile(y, p, w), weighted=True, kpis=kpis)
    expected = sk.accuracy_score(y, p >= 0.5, sample_weight=w)
    assert found["kpi_of_outcomes/right"].value == pytest.approx(expected)


def test_a_model_of_ten_thousand_classes_is_measured_as_fast_as_its_cells_are_read():
    rng = np.random.default_rng(19)
    y = rng.integers(0, 10_000, 40_000).astype(str)
    p = np.where(rng.random(len(y)) < 0.7, y, rng.permutation(y))
    confusion = Counter(f"{a}\t{b}" for a, b in zip(p, y, strict=True))
    outcome = Outcome(labelled=len(y), confusion=confusion)
    night = Profile(monitor="m", environment="e", task=Task.MULTICLASS, edges_digest="x", rows=len(y), outcome=outcome)
    started = perf_counter()
    names = ["macro_f1", "weighted_f1", "class_recall", "class_precision"]
    view = View(task=Task.MULTICLASS, features={})
    found = {m.id: m for m in evaluate(night, night, view, yardstick="", only=names)}
    assert perf_counter() - started < 8  # it took minutes
    for mean in ("macro", "weighted"):
        assert found[f"{mean}_f1/all"].value == pytest.approx(sk.f1_score(y, p, average=mean))
    classes = sorted(set(y))
    for name, of in (("recall", sk.recall_score), ("precision", sk.precision_score)):
        exact = of(y, p, average=None, labels=classes, zero_division=0)
        for label, value in list(zip(classes, exact, strict=True))[::97]:
            said = found[f"class_{name}/{label}"].value
            assert said == pytest.approx(value) if said is not None else value == 0
