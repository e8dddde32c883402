"""What the judge does with numbers that are missing, late, constant, asked twice, or asked by nobody."""

from datetime import timedelta

import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, missing, night, nights, number, share, volume
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.judge import Facts, judge, ruled
from vigil.verdicts.spent import spent
from vigil.verdicts.types import Cause, Labels, Rule, Rules, Slo, State, Verdict

MATURE = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
NULLS = Rules(quality=(Rule(metric="missing", breach="> 0.05"),))
ACCURATE = Rules(performance=(Rule(metric="accuracy", breach="< 0.8"),))


def verdicts(measurements, rules, history=(), facts=MATURE) -> dict[str, Verdict]:
    return {v.id: v for v in judge(measurements, rules, history, facts)}


def one(m, rules, history=(), facts=MATURE) -> Verdict:
    return verdicts([m], rules, history, facts)[m.id]


def unmeasured(why: str, **more) -> Measurement:
    return number(None, why_not=why, n=0, **more)


def same_answer(n=200, was=0.8) -> Measurement:
    return Measurement(metric="top_class_share", subject="all", family=Family.DRIFT, kind=Kind.NUMBER, value=1.0, n=n,
                       unit="share", worse=Worse.HIGHER, baseline=was, yardstick="holdout of version 2",
                       detail="'1'")  # fmt: skip


@pytest.mark.parametrize(
    ("why", "cause", "overdue"),
    [
        ("no rows", Cause.NO_DATA, False),
        ("no baseline", Cause.NO_DATA, False),
        ("all null", Cause.NO_DATA, False),
        ("not logged", Cause.NO_DATA, False),
        ("too few rows: 12 positive labels, 50 are needed", Cause.TOO_FEW_ROWS, False),
        ("labels pending", Cause.LABELS_PENDING, False),
        ("check failed: ZeroDivisionError: division by zero", Cause.CHECK_FAILED, True),
    ],
)
def test_a_number_that_cannot_be_known_is_unknown_for_the_reason_its_metric_gives(why, cause, overdue):
    found = one(unmeasured(why), Rules(drift=(Rule(metric="mean_shift", breach="> 1"),)))
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, cause, overdue)
    assert why in found.reason
    assert found.reason.startswith("mean_shift(income): ")


def test_a_check_that_fails_is_overdue_at_once_so_that_two_nights_of_it_reach_people():
    failed = unmeasured("check failed: KeyError: 'income'")
    assert one(failed, Rules(drift=(Rule(metric="mean_shift", sigma=5),))).overdue


@pytest.mark.parametrize(("after", "overdue"), [(0, False), (32, False), (33, True)])
def test_labels_are_overdue_only_after_their_delay_and_grace(after, overdue):
    late = Facts(
        night=NIGHT,
        as_of=NIGHT + timedelta(days=after),
        labels=Labels(delay_nights=30, grace_nights=2),
        labelled_share=0.79,
    )
    found = one(share(990, 1000), ACCURATE, facts=late)
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, Cause.LABELS_PENDING, overdue)
    assert "labels for 79% of the cohort; 80% make it mature" in found.reason


def test_a_mature_cohort_is_judged_and_the_coverage_of_labels_always_is():
    early = Facts(night=NIGHT, as_of=NIGHT, labelled_share=0.3)
    just = Facts(night=NIGHT, as_of=NIGHT, labelled_share=0.8)
    coverage = share(300, 1000, metric="label_coverage")
    rules = Rules(performance=(*ACCURATE.performance, Rule(metric="label_coverage", breach="< 0.5")))
    found = verdicts([share(990, 1000), coverage], rules, facts=early)
    assert found["accuracy/all"].state is State.UNKNOWN
    assert found["label_coverage/all"].state is State.BREACH
    assert one(share(990, 1000), rules, facts=just).state is State.OK


def test_figures_of_nights_whose_labels_had_not_come_do_not_teach():
    """Were the early labels counted, the pool of seven nights would be a breach."""
    early = [
        night(n, judged(share(10, 100), State.UNKNOWN, cause=Cause.LABELS_PENDING, reason="labels pending"))
        for n in range(6, 0, -1)
    ]
    assert one(share(81, 100), ACCURATE, early).state is State.UNKNOWN
    assert one(share(81, 100), ACCURATE, nights([share(10, 100)] * 6)).state is State.BREACH


def test_bad_nights_add_up_with_tonight_as_long_as_the_fault_goes_on():
    """A fault has ended when two nights after it were answered well: then its nights say nothing of tonight."""
    bad = [night(n, judged(missing(80, 1000), State.BREACH)) for n in range(8, 2, -1)]
    good = [night(n, judged(missing(30, 1000))) for n in (2, 1)]
    still = [night(n, judged(missing(80, 1000), State.BREACH)) for n in (2, 1)]
    assert one(missing(55, 1000), NULLS, [*bad, *still]).state is State.BREACH
    assert one(missing(55, 1000), NULLS, [*bad, *good]).state is not State.BREACH


def test_a_good_night_is_not_called_bad_for_one_odd_night_before_it():
    """On one night of the last six most values were missing; no other night says that harm lasts."""
    for back in range(6, 0, -1):
        past = nights([missing(900 if n == back else 20, 1000) for n in range(6, 0, -1)])
        assert one(missing(45, 1000), NULLS, past).state is State.OK


def test_a_night_within_its_bound_is_a_breach_where_harm_lasts_without_its_worst_night():
    past = nights([missing(n, 1000) for n in (90, 85, 80, 95, 88, 300)])
    assert one(missing(49, 1000), NULLS, past).state is State.BREACH


def test_one_odd_night_is_no_breach_of_the_good_ones_after_it():
    past = nights([missing(500, 1000), *[missing(0, 1000)] * 5])
    assert one(missing(0, 1000), NULLS, past).state is State.OK


def test_nights_of_another_version_do_not_add_up_with_tonight():
    past = [r.model_copy(update={"versions": {"1": 1000}}) for r in nights([missing(80, 1000)] * 6)]
    facts = {v: Facts(night=NIGHT, as_of=NIGHT, version=v) for v in ("1", "2")}
    assert one(missing(55, 1000), NULLS, past, facts["1"]).state is State.BREACH
    assert one(missing(55, 1000), NULLS, past, facts["2"]).state is not State.BREACH


def test_a_reason_holds_the_number_its_interval_its_rows_its_yardstick_and_its_evidence():
    m = share(700, 1000, baseline=0.9, yardstick="holdout of version 3", detail="mostly class 'b'")
    found = one(m, ACCURATE)
    assert found.reason.startswith("accuracy(all) 70 % [67.1 %, 72.8 %], n = 1,000, was 90 % on the holdout of ")
    assert "holdout of version 3: beyond < 0.8 (p = " in found.reason
    assert found.reason.endswith("; mostly class 'b'")
    assert (str(found.limit), found.measurement) == ("< 0.8", m)


def test_only_an_ok_claims_what_it_would_have_seen():
    assert one(share(990, 1000), ACCURATE).would_see
    assert one(share(700, 1000), ACCURATE).would_see == ""
    assert one(share(8, 10), ACCURATE).would_see == ""


def test_a_rule_leaves_out_the_subjects_that_it_is_without_and_all_that_is_about_such_a_column():
    rules = Rules(quality=(Rule(metric="missing", without=("age", "sex=f"), breach="> 0.05"),))
    asked = [missing(900, 1000, subject=s) for s in ("age", "age|sex=m", "age:old", "sex=f", "income")]
    assert [v.subject for v in judge(asked, rules, (), MATURE) if not v.hard] == ["income"]


def test_a_rule_is_asked_for_the_subjects_it_names_and_no_others():
    rules = Rules(quality=(Rule(metric="missing", subjects=("age", "city"), breach="> 0.05"),))
    found = verdicts([missing(900, 1000), missing(0, 1000, subject="age")], rules)
    assert {i: v.state for i, v in found.items()} == {"missing/age": State.OK, "missing/city": State.UNKNOWN}
    assert found["missing/city"].cause is Cause.NO_DATA


def test_a_rule_about_everything_that_finds_nothing_is_unknown_not_silent():
    found = verdicts([], Rules(drift=(Rule(metric="psi", breach="> 0.2"),)))
    assert found["psi/all"].state is State.UNKNOWN
    assert "psi(all) was not measured" in found["psi/all"].reason


def test_no_rules_are_no_verdicts():
    assert judge([missing(10, 1000), number(9.0)], Rules(), (), MATURE) == ()


def test_of_two_breaches_the_one_beyond_the_hard_bound_is_told():
    rules = Rules(quality=(Rule(metric="missing", breach="> 0.05"), Rule(metric="missing", hard="> 0.5")))
    for order in (rules, Rules(quality=tuple(reversed(rules.quality)))):
        found = one(missing(900, 1000), order)
        assert (found.state, found.hard, str(found.limit)) == (State.BREACH, True, "hard > 0.5")


def test_a_breach_outweighs_a_warn_a_warn_an_unknown_and_an_unknown_an_ok():
    sure, mild, vague = Rule(metric="missing", breach="> 0.05"), Rule(metric="missing", warn="> 0.05"), Rule(
        metric="missing", sigma=4
    )  # fmt: skip
    assert one(missing(200, 1000), Rules(quality=(vague, mild, sure))).state is State.BREACH
    assert one(missing(200, 1000), Rules(quality=(vague, mild))).state is State.WARN
    assert one(missing(10, 1000), Rules(quality=(mild, vague))).state is State.UNKNOWN
    assert one(missing(10, 1000), Rules(quality=(mild, sure))).state is State.OK


def test_every_prediction_the_same_is_a_hard_breach_without_a_rule():
    found = one(same_answer(), Rules())
    assert (found.state, found.hard, str(found.limit)) == (State.BREACH, True, "hard failure")
    assert found.reason == "all 200 predictions are the same ('1'); the holdout of version 2 had 80.0%"


@pytest.mark.parametrize("usual", [same_answer(n=29), same_answer(was=0.995), same_answer(n=40, was=0.98)])
def test_the_same_prediction_for_a_few_rows_or_from_a_model_that_always_says_so_is_no_failure(usual):
    assert judge([usual], Rules(), (), MATURE) == ()


def test_rows_without_any_prediction_are_a_hard_breach_without_a_rule_unless_they_are_few():
    silent = same_answer().model_copy(update={"value": None, "why_not": "no rows", "n": 0})
    (found,) = judge([silent, volume(800)], Rules(), (), MATURE)
    assert (found.id, found.state, found.hard) == ("top_class_share/all", State.BREACH, True)
    assert found.reason == "none of 800 rows has a prediction"
    assert judge([silent, volume(29)], Rules(), (), MATURE) == ()


def test_a_feature_that_is_null_in_all_rows_is_a_hard_breach_even_where_its_rule_is_content():
    lenient = Rules(quality=(Rule(metric="missing", warn="> 0.05"),))
    found = one(missing(5, 5), lenient)
    assert (found.state, found.hard) == (State.BREACH, True)
    assert found.reason.startswith("income is null in all 5 rows")


def test_one_row_that_is_null_says_nothing_of_its_feature():
    assert judge([missing(1, 1, baseline=0.4)], Rules(), (), MATURE) == ()
    assert judge([missing(1, 1)], Rules(), (), MATURE) == ()


def test_without_a_holdout_past_nights_say_how_one_sided_the_answers_are():
    alone = same_answer(n=1000).model_copy(update={"baseline": None})
    before = alone.model_copy(update={"value": 0.6})
    assert judge([alone], Rules(), (), MATURE) == ()
    (found,) = judge([alone], Rules(), [night(1, judged(before))], MATURE)
    assert (found.hard, found.reason) == (
        True,
        "all 1,000 predictions are the same ('1'); the past nights at most had 60.0%",
    )


def test_the_first_nights_of_a_model_wait_and_cost_its_objectives_nothing():
    rules = Rules(drift=(Rule(metric="missing", surprise=True),))
    young = night(1, *judge([missing(5, 100)], rules, (), MATURE))
    told = spent(Slo(name="steady", sli="good_nights", target=0.9, family=Family.QUALITY), young)
    assert (young.verdicts[0].cause, told.total, told.waiting) == (Cause.TOO_FEW_NIGHTS, 0, True)


def test_a_distrusted_night_still_tells_its_warnings():
    gate = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0, failed_gates=("expect_ids_unique",))
    assert one(share(770, 1000), Rules(performance=(Rule(metric="accuracy", warn="< 0.8"),)), facts=gate).state is (
        State.WARN
    )


def test_an_unknown_of_a_distrusted_night_keeps_its_own_cause():
    gate = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0, failed_gates=("expect_ids_unique",))
    assert one(share(8, 10), ACCURATE, facts=gate).cause is Cause.TOO_FEW_ROWS


def test_an_unreadable_file_is_named_before_a_gate_it_may_have_failed():
    both = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0, failed_gates=("g",), unreadable=("a.parquet: cut", "b"))
    found = one(share(990, 1000), ACCURATE, facts=both)
    assert found.cause is Cause.CHECK_FAILED
    assert "2 file(s) could not be read: a.parquet: cut" in found.reason


def test_measurements_that_no_rule_asked_about_are_kept_apart():
    asked, spare = missing(10, 1000), volume(1000)
    found = judge([asked, spare], NULLS, (), MATURE)
    assert ruled([asked, spare], found) == (spare,)


def test_each_question_is_answered_once():
    rules = Rules(quality=NULLS.quality * 3)
    assert len(judge([missing(10, 1000), missing(10, 1000, subject="age")], rules, (), MATURE)) == 2
