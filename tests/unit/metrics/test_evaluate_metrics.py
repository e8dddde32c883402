"""evaluate: what is measured, what is said about what cannot be, and that one failure stays one."""

import math

import numpy as np
import pytest

from tests.unit.metrics import made_profiles as made
from vigil.core.errors import MonitorError
from vigil.core.words import Family, Task
from vigil.metrics import evaluate as engine
from vigil.metrics.catalog import CATALOG
from vigil.metrics.evaluate import evaluate
from vigil.metrics.reasons import Absence
from vigil.metrics.types import Kind, Reading, View
from vigil.profiles.edges import edges_digest
from vigil.profiles.layout import FeatureType
from vigil.profiles.types import Cell, Columns, NumericColumn, Outcome, Profile

ON_DEMAND = {e.name for e in CATALOG.values() if e.on_demand}
VIEW = made.VIEW.model_copy(update={"requests": 500})
NIGHT, HOLDOUT = made.profile(made.drawn(2)), made.profile(made.drawn(1, 2000))


def measured(profile=NIGHT, baseline=HOLDOUT, view=VIEW, only=None):
    found = evaluate(
        profile, baseline, view, yardstick="holdout of version 2", only=only, ruled=ON_DEMAND, edges=made.FITTED
    )
    by_id = {m.id: m for m in found}
    assert len(by_id) == len(found), "the same question was answered twice"
    return by_id


def empty(task=Task.BINARY):
    return Profile(monitor="m", environment="test", task=task, edges_digest="e")


def test_a_whole_night_answers_every_question_of_its_task():
    found = measured()
    declared = {
        "kpi",
        "kpi_of_outcomes",
        "unusable_weight",
        "pii_rate",
        "out_of_scope_rate",
        "refusal_rate",
        "handoff_rate",
        "negative_feedback_rate",
    }  # asked only where the monitor declares something
    asked = {e.name for e in CATALOG.values() if Task.BINARY in e.tasks} - declared
    assert {m.metric for m in found.values()} == asked
    assert {m.id: m.why_not for m in found.values() if m.value is None} == {}


def test_a_measurement_is_whole():
    for m in measured().values():
        assert m.value is not None
        assert m.n > 0
        assert m.family is CATALOG[m.metric].family
        if m.kind is not Kind.COUNT:
            assert m.low is not None, m.id
            assert m.low <= m.value <= m.high, m.id
        if m.kind in (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE):
            assert len(m.parts) == (2 if m.kind is Kind.PROPORTION else 4), m.id


def test_the_baseline_stands_beside_tonight_and_is_named():
    found, before = measured(), measured(profile=HOLDOUT, baseline=None)
    for name in ("missing/x", "recall/all", "auc/all", "selection_rate_ratio/sex=female", "top_class_share/all"):
        assert found[name].baseline == before[name].value
        assert found[name].yardstick == "holdout of version 2"
    assert found["psi/x"].baseline == 0.0


def test_service_numbers_have_no_baseline_because_a_holdout_serves_nobody():
    assert all(m.baseline is None and m.yardstick == "" for m in measured().values() if m.family is Family.SERVICE)


def test_without_a_baseline_only_comparisons_are_unknown():
    unknown = {m.metric for m in measured(baseline=None).values() if m.value is None}
    assert unknown == {
        "out_of_range", "psi", "js", "mean_shift", "share_shift", "group_mean_shift", "prediction_psi",
        "prediction_shift", "score_shift", "estimated_precision", "estimated_recall", "estimated_accuracy",
        "estimated_auc", "ks", "wasserstein", "chi_square", "position_shift", "width_shift", "missing_shift",
        "level_shift", "new_levels", "attribution_drift", "attribution_shift", "label_drift", *ON_DEMAND,
    }  # fmt: skip
    assert all(m.why_not.startswith("no baseline") for m in measured(baseline=None).values() if m.value is None)


def test_a_baseline_on_other_bins_is_not_compared_with_and_the_reason_says_so():
    found = measured(baseline=HOLDOUT.model_copy(update={"edges_digest": "other"}))
    assert found["psi/x"].value is None
    assert found["psi/x"].why_not.startswith("no baseline: its bins have other edges")
    assert found["recall/all"].baseline is not None


@pytest.mark.parametrize("task", Task)
def test_a_night_without_rows_is_unknown_everywhere_and_never_zero(task):
    view = View(task=task, features={"x": "numeric", "c": "category"}, decision=made.DECISION, protected=(made.SEX,))
    for m in measured(empty(task), None, view).values():
        if m.metric != "volume":
            assert m.value is None, m.id
            assert m.absence not in (None, Absence.CHECK_FAILED), m.why_not
            assert m.why_not.startswith(m.absence.value), m.id


def test_labels_that_have_not_come_are_pending_not_bad():
    found = measured(made.profile(made.drawn(2, labelled=0.0)))
    for name in ("precision", "recall", "accuracy", "f1", "auc", "log_loss", "brier"):
        assert found[f"{name}/all"].why_not == "labels pending"
    assert found["equal_opportunity/sex=female"].why_not == "labels pending"
    assert found["label_coverage/all"].value == 0.0


def test_a_feature_that_is_all_null_is_missing_wholly_and_says_why_it_has_no_drift():
    column = NumericColumn(rows=400, nulls=400, bins=(0,) * (len(made.EDGES) + 1))
    night = NIGHT.model_copy(update={"columns": Columns(numeric={"x": column}, category=NIGHT.columns.category)})
    found = measured(night)
    assert found["missing/x"].value == 1.0
    assert {found[f"{m}/x"].why_not for m in ("psi", "js", "mean_shift", "out_of_range")} == {"all null"}


def test_a_declared_feature_that_the_profile_lacks_is_asked_about_all_the_same():
    view = made.VIEW.model_copy(update={"features": {**made.VIEW.features, "gone": FeatureType.NUMERIC}})
    assert measured(view=view)["missing/gone"].why_not == "no rows"


def test_only_the_asked_metrics_are_computed():
    assert {m.metric for m in measured(only={"psi", "recall"}).values()} == {"psi", "recall"}


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(MonitorError, match=r"unknown metric 'pssi'; did you mean 'psi'\?"):
        evaluate(NIGHT, None, made.VIEW, yardstick="", only=["pssi"])


def test_a_feature_whose_bins_do_not_fit_fails_alone():
    broken = HOLDOUT.columns.numeric["x"].model_copy(update={"bins": (1, 2)})
    view = made.VIEW.model_copy(update={"features": {"bad": FeatureType.NUMERIC, **made.VIEW.features}})
    night = NIGHT.model_copy(
        update={
            "columns": NIGHT.columns.model_copy(
                update={"numeric": {"bad": NIGHT.columns.numeric["x"], **NIGHT.columns.numeric}}
            )
        }
    )
    base = HOLDOUT.model_copy(
        update={"columns": HOLDOUT.columns.model_copy(update={"numeric": {"bad": broken, **HOLDOUT.columns.numeric}})}
    )
    found = measured(night, base, view)
    assert found["psi/bad"].value is None
    assert found["psi/bad"].why_not.startswith("check failed: MismatchedEdges: ")
    assert found["psi/x"].value == measured()["psi/x"].value


def test_a_metric_that_crashes_takes_no_other_down(monkeypatch):
    def broken(given):
        raise RuntimeError("boom")

    load = engine.load
    monkeypatch.setattr(
        engine, "load", lambda entry: broken if entry.name in ("recall", "parity_difference") else load(entry)
    )
    found = measured()
    monkeypatch.undo()
    whole = measured()
    assert found["recall/all"].why_not == "check failed: RuntimeError: boom"
    assert found["parity_difference/sex"].why_not == "check failed: RuntimeError: boom"
    assert {k: v for k, v in found.items() if not v.why_not} == {
        k: v for k, v in whole.items() if v.metric not in ("recall", "parity_difference")
    }


def test_a_metric_that_crashes_is_a_failed_check_whatever_its_error_says(monkeypatch):
    def broken(given):
        raise ValueError("fewer bins than edges: labels pending, no rows")

    monkeypatch.setattr(engine, "load", lambda entry: broken)
    assert {m.absence for m in measured().values()} == {Absence.CHECK_FAILED}


def test_a_reading_has_either_a_value_or_an_absence():
    for wrong in ({"value": None}, {"value": 1.0, "absence": Absence.NO_ROWS}):
        with pytest.raises(ValueError, match="either a value or an absence"):
            Reading(subject="all", **wrong)


def test_a_value_that_is_not_a_number_is_a_failed_check(monkeypatch):
    monkeypatch.setattr(engine, "load", lambda entry: lambda given: [Reading(subject="all", value=math.nan, n=3)])
    m = measured(only={"rmse", "brier"})["brier/all"]
    assert m.value is None
    assert m.why_not.startswith("check failed")


def test_a_regression_is_measured_by_its_errors():
    rng = np.random.default_rng(3)
    label = rng.normal(size=500)
    profile = made.regression(label + rng.normal(0.2, 1.0, 500), label)
    found = measured(profile, None, View(task=Task.REGRESSION, features={}))
    assert found["bias/all"].low < 0.2 < found["bias/all"].high
    assert found["rmse/all"].value > found["mae/all"].value > 0
    assert "recall/all" not in found


def test_declared_groups_without_rows_are_unknown_and_the_missing_group_is_not_compared():
    cells = {"male": Cell(n=100, favourable=60), "(missing)": Cell(n=9, favourable=3)}
    night = NIGHT.model_copy(update={"groups": {"sex": cells}})
    declared = made.VIEW.model_copy(update={"protected": (made.SEX.model_copy(update={"groups": ("female",)}),)})
    found = measured(night, None, declared)
    assert found["selection_rate_ratio/sex=female"].why_not == "no rows: no decisions of this group"
    assert found["selection_rate/sex=female"].why_not == "no rows"
    assert "selection_rate_ratio/sex=(missing)" not in measured(night, None)
    assert measured(night, None)["selection_rate/sex=(missing)"].value == pytest.approx(1 / 3)


def test_a_group_that_is_gone_tonight_is_unknown_to_every_metric_of_groups():
    columns = {group: c for group, c in NIGHT.group_columns.items() if group != "sex=female"}
    found = measured(NIGHT.model_copy(update={"group_columns": columns}), NIGHT)
    gone = {name for name, m in found.items() if name.endswith("|sex=female")}
    assert {"group_mean_shift/all|sex=female", "group_position_shift/all|sex=female"} <= gone
    assert all(found[name].value is None and "nobody of sex=female tonight" in found[name].why_not for name in gone)
    assert found["group_mean_shift/x|sex=male"].value == 0


def without(kept: Profile, who: str) -> Profile:
    """The night as if nobody of a sex had asked."""
    one = f"sex={who}"
    return kept.model_copy(update={
        "groups": {"sex": {g: c for g, c in kept.groups["sex"].items() if g != who}},
        "group_columns": {g: c for g, c in kept.group_columns.items() if g != one},
        "group_scores": {g: c for g, c in kept.group_scores.items() if g != one},
        "strata": {"sex": {c: {g: n for g, n in by.items() if g != who} for c, by in kept.strata["sex"].items()}},
        "crossed": {pair: {g: c for g, c in by.items() if who not in g} for pair, by in kept.crossed.items()},
    })  # fmt: skip


def test_a_group_that_is_gone_tonight_is_unknown_to_every_metric_of_fairness():
    found, before = measured(without(NIGHT, "female"), NIGHT), measured(NIGHT, NIGHT)
    asked = {name for name in before if name.endswith("/sex=female") and CATALOG[name.split("/")[0]].scope == "group"}
    assert {"selection_rate_ratio/sex=female", "score_gap/sex=female", "stratified_ratio/sex=female"} <= asked
    asked.discard("group_share_shift/sex=female")  # its share is known: nobody
    assert all(found[name].value is None and found[name].why_not.startswith(("no rows", "labels")) for name in asked)
    assert found["selection_rate_ratio/sex=female"].why_not == "no rows: no decisions of this group"
    assert found["selection_rate/sex=female"].baseline == before["selection_rate/sex=female"].value
    assert not [name for name in measured(without(NIGHT, "female"), None) if name in asked]


def test_an_intersection_that_is_gone_tonight_is_unknown_too():
    crossed = {f"{s}+{a}": Cell(n=50, favourable=20) for s in ("female", "male") for a in ("old", "young", "(missing)")}
    night = NIGHT.model_copy(update={"crossed": {"sex+age": crossed}})
    age = made.SEX.model_copy(update={"attribute": "age", "reference": "old"})
    view = VIEW.model_copy(update={"protected": (made.SEX, age), "intersections": (("sex", "age"),)})
    found = measured(without(night, "female"), night, view)
    pairs = {name for name in found if name.startswith("selection_rate_ratio/sex+age=")}
    assert {n.split("=")[1]: found[n].why_not for n in pairs} == {
        "female+old": "no rows: no decisions of this group",
        "female+young": "no rows: no decisions of this group", "male+young": "",
    }  # fmt: skip


def test_groups_are_not_missed_where_the_attribute_was_not_logged_and_nobody_misses_the_nulls():
    unlogged = measured(without(without(NIGHT, "female"), "male"), NIGHT)
    assert not [name for name in unlogged if name.startswith("selection_rate_ratio/")]
    cells = {**NIGHT.groups["sex"], "(missing)": Cell(n=5)}
    with_nulls = NIGHT.model_copy(update={"groups": {"sex": cells}})
    missed = [name for name in measured(NIGHT, with_nulls) if "(missing)" in name]
    assert missed == ["group_share_shift/sex=(missing)"]  # how many do not say is a share like any other


def test_beyond_five_in_a_hundred_labels_of_neither_class_what_needs_labels_is_unknown_on_either_side():
    def odd(profile, n):
        return profile.model_copy(update={"outcome": profile.outcome.model_copy(update={"neither": n})})

    few, many = measured(odd(NIGHT, 15)), measured(odd(NIGHT, 40))
    assert few["recall/all"].value is not None
    for name in ("recall/all", "auc/all", "equal_opportunity/sex=female", "calibration_gap/sex=female"):
        assert many[name].value is None
        assert many[name].why_not.startswith("check failed: 40 of 440 labels are in words of neither class")
    assert many["unknown_label/all"].value == pytest.approx(40 / 440)
    assert many["selection_rate_ratio/sex=female"].value is not None
    assert measured(NIGHT, odd(HOLDOUT, 500))["recall/all"].baseline is None


def test_new_levels_of_a_column_that_knows_none_by_name_are_unknown_and_not_nought():
    many = made.FITTED.model_copy(update={"open": ("c",)})
    night, was = (p.model_copy(update={"edges_digest": edges_digest(many)}) for p in (NIGHT, HOLDOUT))
    found = {m.id: m for m in evaluate(night, was, VIEW, yardstick="", only=["new_category", "new_levels"], edges=many)}
    for name in ("new_category/c", "new_levels/c"):
        assert (found[name].value, found[name].why_not[:11]) == (None, "not logged:")
    assert measured()["new_category/c"].value == measured()["new_levels/c"].value == 0


def test_a_group_of_nulls_that_is_gone_is_not_missed_nor_is_an_attribute_that_nobody_logged():
    with_nulls = NIGHT.model_copy(
        update={"group_columns": {**NIGHT.group_columns, "sex=(missing)": NIGHT.group_columns["sex=male"]}}
    )
    assert not [name for name in measured(NIGHT, with_nulls) if "(missing)" in name]
    unlogged = measured(NIGHT.model_copy(update={"group_columns": {}}), NIGHT)
    assert not [name for name in unlogged if name.startswith("group_mean_shift")]


def test_a_reference_group_that_nobody_favoured_leaves_the_ratio_unknown_and_the_difference_known():
    cells = {"male": Cell(n=100, favourable=0), "female": Cell(n=50, favourable=5)}
    found = measured(NIGHT.model_copy(update={"groups": {"sex": cells}}), None)
    assert "no favourable decision in the reference group male" in found["selection_rate_ratio/sex=female"].why_not
    assert found["parity_difference/sex=female"].value == 0.1


def test_equal_opportunity_says_that_it_is_among_labelled_rows():
    found = measured(made.profile(made.drawn(5, labelled=0.5)))["equal_opportunity/sex=female"]
    assert "among labelled rows: " in found.detail


def test_auc_is_unknown_below_fifty_labels_of_a_class():
    scores = {"1": (0, 49), "0": (500, 0)}
    found = measured(NIGHT.model_copy(update={"outcome": Outcome(labelled=549, scores=scores)}))
    assert found["auc/all"].why_not == "too few rows: 49 positive and 500 negative labels, 50 of each are needed"
    assert found["auc/all"].n == 549


def test_a_bad_night_is_seen_in_the_feature_the_group_and_the_score():
    bad = made.profile(made.drawn(7, shift=1.5, hurt=2.0))
    found, quiet = measured(bad), measured()
    assert found["mean_shift/x"].low > 1.0 > abs(quiet["mean_shift/x"].value)
    assert found["group_mean_shift/x|sex=female"].low > 1.0
    assert found["psi/x"].low > 0.25 > quiet["psi/x"].low
    assert found["prediction_psi/all"].low > 0.25 > quiet["prediction_psi/all"].low
    assert found["score_shift/all"].low > 0.5
    assert found["selection_rate_ratio/sex=female"].high < quiet["selection_rate_ratio/sex=female"].value
