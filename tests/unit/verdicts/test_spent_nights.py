"""What a night adds to each kind of objective, and which nights wait, are lost, or were never asked about."""

from datetime import timedelta

import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, missing, night, number, share
from vigil.core.words import Family
from vigil.verdicts.spent import nights_spent, spent
from vigil.verdicts.types import Budget, Cause, Labels, Slo, State, Verdict

RIGHT = Slo(name="right", sli="good_nights", family=Family.PERFORMANCE, target=0.893)
FAIR = Slo(name="fair", sli="good_nights", family=Family.FAIRNESS, target=0.893)
LABELS = Labels(delay_nights=3, grace_nights=2)


def objective(sli, **more):
    return Slo(name="it", sli=sli, target=0.99, **more)


def told(metric, state, family=Family.PERFORMANCE, **more):
    cause = more.pop("cause", Cause.NO_DATA if state is State.UNKNOWN else None)
    return Verdict(metric=metric, subject="all", family=family, state=state, cause=cause, reason="", **more)


def pending(metric, *, overdue=False, family=Family.PERFORMANCE):
    return told(metric, State.UNKNOWN, family, cause=Cause.LABELS_PENDING, overdue=overdue)


def test_completeness_counts_the_values_that_are_there_over_all_features():
    found = spent(objective("completeness"), night(0, judged(missing(10, 100)),
                  measurements=(missing(5, 100, subject="age"),)))  # fmt: skip
    assert (found.good, found.total) == (185, 200)


@pytest.mark.parametrize(
    ("sli", "metric"), [("version_integrity", "version_integrity"), ("log_completeness", "log_completeness")]
)
def test_shares_that_are_measured_anyway_are_counted_as_they_are(sli, metric):
    found = spent(objective(sli), night(0, measurements=(share(980, 1000, metric=metric, family=Family.SERVICE),)))
    assert (found.good, found.total) == (980, 1000)


def test_a_number_that_is_both_judged_and_listed_counts_once():
    one = share(980, 1000, metric="version_integrity", family=Family.SERVICE)
    assert spent(objective("version_integrity"), night(0, judged(one), measurements=(one,))).total == 1000


def test_an_answer_is_counted_where_one_was_due():
    verdicts = (told("recall", State.OK), told("auc", State.UNKNOWN), pending("precision"), told("burn", State.OK))
    found = spent(objective("evaluation_coverage"), night(0, *verdicts))
    assert (found.good, found.total) == (1, 2)


def test_a_night_without_any_answer_was_not_judged_rather_than_judged_badly():
    assert spent(objective("evaluation_coverage"), night(0, told("rows", State.UNKNOWN, overdue=True))).total == 0


@pytest.mark.parametrize(("as_of", "waits"), [(5, True), (6, False)])
def test_labels_count_once_they_are_due(as_of, waits):
    seen = night(0, measurements=(share(80, 100, metric="label_coverage"),))
    found = spent(objective("label_completeness"), seen, labels=LABELS, as_of=NIGHT + timedelta(days=as_of))
    assert (found.waiting, found.total) == (waits, 0 if waits else 100)


@pytest.mark.parametrize(
    ("verdicts", "good", "total", "waits"),
    [
        pytest.param([told("recall", State.OK)], 1, 1, False, id="labels say it is right"),
        pytest.param([told("recall", State.BREACH), pending("auc")], 0, 1, False, id="a breach needs no more labels"),
        pytest.param([told("refusal_rate", State.OK), pending("auc")], 0, 0, True, id="immature"),
        pytest.param([told("refusal_rate", State.OK), pending("auc", overdue=True)], 0, 0, False, id="overdue"),
        pytest.param([told("estimated_auc", State.OK)], 0, 0, False, id="an estimate is no answer"),
        pytest.param([told("estimated_auc", State.BREACH)], 0, 0, False, id="an estimate is no failure"),
        pytest.param([told("label_coverage", State.OK)], 0, 0, False, id="that labels came says nothing"),
        pytest.param([told("recall", State.UNKNOWN, cause=Cause.TOO_FEW_ROWS)], 0, 0, False, id="too few rows"),
    ],
)
def test_only_what_labels_say_makes_a_night_of_performance(verdicts, good, total, waits):
    found = spent(RIGHT, night(0, *verdicts))
    assert (found.good, found.total, found.waiting) == (good, total, waits)


def test_a_fair_night_waits_for_the_questions_that_need_labels():
    fair = told("selection_rate_ratio", State.OK, Family.FAIRNESS)
    assert spent(FAIR, night(0, fair)).good == 1
    assert spent(FAIR, night(0, fair, pending("equal_opportunity", family=Family.FAIRNESS))).waiting


def test_a_calendar_day_without_a_result_is_a_night_that_nobody_judged():
    up = share(990, 1000, metric="success_rate", family=Family.SERVICE)
    results = [night(3, measurements=(up,)), night(0, measurements=(up,))]
    slo = objective("availability")
    assert [(n.total, n.overdue) for n in nights_spent(slo, results)] == [
        (1000, False), (0, True), (0, True), (1000, False)]  # fmt: skip
    assert len(nights_spent(slo, results, daily=False)) == 2
    assert nights_spent(slo, []) == []


def test_an_objective_is_asked_about_once_it_was_counted_or_its_budget_was_kept():
    kept = Budget(slo="it", target=0.99, nights=28, good=0, total=0, attained=None, left=None, burn=None)
    slo = objective("availability")
    assert not spent(slo, night(0)).asked
    assert spent(slo, night(0, budgets=(kept,))).asked
    assert spent(slo, night(0, measurements=(share(1, 1, metric="success_rate", family=Family.SERVICE),))).asked


def test_a_number_without_counts_cannot_be_counted():
    assert spent(objective("version_integrity"), night(0, judged(number(0.9, metric="version_integrity")))).total == 0
