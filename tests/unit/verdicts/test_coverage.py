"""Whether the judgement answers: which questions are due, what share was judged, and when that is being blind."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.verdicts.made_measurements import NIGHT, night, number
from vigil.core.words import Family
from vigil.incidents.correlate import signals
from vigil.incidents.severity import assess
from vigil.incidents.types import Risk
from vigil.verdicts.coverage import CoverageGoal, blind_to, counted, coverage_of, covered
from vigil.verdicts.spent import spent
from vigil.verdicts.types import Cause, Coverage, NightResult, Slo, State, Verdict

GOAL = CoverageGoal()
ANSWERED = Slo(name="answered", sli="evaluation_coverage", target=0.9)


def asked(subject: str, cause: Cause | None = None, *, family: Family = Family.DRIFT, n: int = 1000, **more) -> Verdict:
    """A question that was judged, or is unknown for a cause."""
    state = State.OK if cause is None else State.UNKNOWN
    return Verdict(metric="mean_shift", subject=subject, family=family, state=state, cause=cause, reason="", **more,
                   measurement=number(0.1, n=n))  # fmt: skip


def drift(judged: int, due: int, cause: Cause = Cause.TOO_FEW_NIGHTS, **more) -> list[Verdict]:
    return [asked(f"x{n}", None if n < judged else cause, **more) for n in range(due)]


def played(shares: list[tuple[int, int]], *, young: int = 0, rows: int = 1000) -> list[NightResult]:
    """Nights on which so many of so many drift questions were judged, oldest first; the first ones are young."""
    past: list[NightResult] = []
    for place, (judged, due) in enumerate(shares):
        draft = night(len(shares) - 1 - place, *drift(judged, due), rows=rows)
        past.append(covered(draft, past, GOAL, young=place < young))
    return past


def blind(result: NightResult) -> list[str]:
    return [v.subject for v in result.verdicts if v.metric == "judged"]


CAUSES = st.sampled_from([None, *(c for c in Cause if c is not Cause.BLIND)])
VERDICTS = st.lists(
    st.builds(asked, st.text("ab", max_size=2), CAUSES, family=st.sampled_from(Family), n=st.integers(0, 1000),
              overdue=st.booleans()), max_size=30
)  # fmt: skip


@given(VERDICTS, st.integers(0, 1000), st.booleans())
def test_what_is_due_is_judged_or_has_its_cause(verdicts, rows, young):
    for c in counted(verdicts, rows=rows, young=young):
        assert c.judged + sum(c.causes.values()) == c.due
        assert c.few <= c.due - c.judged
        assert 0 <= c.share <= 1
        assert (c.share == 0) == (c.judged == 0)


@given(VERDICTS, st.integers(1, 1000))
def test_a_judgement_more_never_lowers_the_share(verdicts, rows):
    before = {c.family: c.share for c in counted(verdicts, rows=rows, young=False)}
    after = {c.family: c.share for c in counted([*verdicts, asked("more")], rows=rows, young=False)}
    assert after[Family.DRIFT] >= before.get(Family.DRIFT, 0.0)


def test_a_young_model_is_not_asked_about_its_past_and_an_older_one_is():
    waiting = drift(0, 3)
    assert counted(waiting, rows=1000, young=True) == ()
    assert counted(waiting, rows=1000, young=False)[0].causes == {Cause.TOO_FEW_NIGHTS: 3}


def test_labels_that_may_still_come_and_budgets_are_not_due():
    pending = asked("all", Cause.LABELS_PENDING, family=Family.PERFORMANCE)
    burns = pending.model_copy(update={"metric": "burn", "cause": Cause.NO_DATA})
    assert counted([pending, burns], rows=1000, young=False) == ()
    late = pending.model_copy(update={"overdue": True})
    assert counted([late], rows=1000, young=False)[0].due == 1


def test_small_groups_are_due_and_do_not_weigh_unless_nothing_is_judged():
    groups = drift(0, 9, Cause.TOO_FEW_ROWS, n=12)
    (whole,) = counted([asked("income"), *groups], rows=1000, young=False)
    assert (whole.due, whole.judged, whole.few, whole.share) == (10, 1, 9, 1.0)
    assert counted(groups, rows=1000, young=False)[0].share == 0.0
    (small_night,) = counted([asked("income"), *drift(0, 9, Cause.TOO_FEW_ROWS, n=24)], rows=24, young=False)
    assert small_night.share == 0.1, "a whole night of few rows is no small group"


def test_seven_nights_below_the_share_are_blind_and_six_are_not():
    nights = played([(9, 10), *[(7, 10)] * 7])
    assert [blind(r) for r in nights] == [[]] * 7 + [["drift"]]
    verdict = nights[-1].verdicts[-1]
    assert (verdict.state, verdict.cause, verdict.overdue) == (State.UNKNOWN, Cause.BLIND, True)
    assert verdict.family is Family.SERVICE
    assert verdict.reason == (
        f"drift: 7 of 10 questions judged, too few past nights (3); below 80% on 7 nights, since "
        f"{NIGHT - timedelta(days=6)}. The monitor is blind to drift; `vigil why` names the nights that teach, "
        "`vigil rebaseline` takes others"
    )


def test_one_night_at_the_share_ends_it():
    nights = played([*[(0, 10)] * 9, (8, 10), (0, 10)])
    assert [bool(blind(r)) for r in nights] == [False] * 6 + [True] * 3 + [False] * 2


def test_young_nights_do_not_count_whatever_they_lacked():
    few = [night(30 - n, *drift(0, 5, Cause.TOO_FEW_ROWS), rows=1000) for n in range(8)]
    past: list[NightResult] = []
    for draft in few:
        past.append(covered(draft, past, GOAL, young=True))
    assert not any(blind(r) for r in past)
    assert past[-1].coverage[0].young


def test_nights_without_rows_and_days_of_rest_are_left_out():
    past = played([(0, 10)] * 6)
    empty = covered(night(-1, asked("all", Cause.NO_DATA), rows=0), past, GOAL, young=False)
    assert not blind(empty)
    rest = covered(night(-2, rows=0, rest=True), [*past, empty], GOAL, young=False)
    assert (rest.coverage, rest.verdicts) == ((), ())
    assert blind(covered(night(-3, *drift(0, 10), rows=1000), [*past, empty, rest], GOAL, young=False)) == ["drift"]


def test_fairness_and_performance_page_nobody_unless_they_are_named():
    verdicts = [asked("sex=f", Cause.TOO_FEW_ROWS, family=Family.FAIRNESS)]
    past: list[NightResult] = []
    for n in range(7):
        past.append(covered(night(7 - n, *verdicts, rows=1000), past, GOAL, young=False))
    assert not any(blind(r) for r in past)
    named = CoverageGoal(families=(Family.FAIRNESS,))
    assert [b.family for b in blind_to(named, past)] == [Family.FAIRNESS]


def test_being_blind_is_a_signal_on_the_second_night_and_no_harm_by_itself():
    nights = played([(0, 10)] * 8)
    assert signals(nights[6], nights[5]) == ()
    told = signals(nights[7], nights[6])
    assert [s.verdict.id for s in told] == ["judged/drift"]
    tier_1 = assess(told, Risk(tier=1), environment="staging", has_fallback=False, mitigated=False)
    blind_all = told[0].model_copy(update={"verdict": told[0].verdict.model_copy(update={"cause": Cause.NO_DATA})})
    lost = assess([blind_all], Risk(tier=1), environment="staging", has_fallback=False, mitigated=False)
    assert tier_1.severity > lost.severity


def test_what_says_that_drift_is_not_judged_is_no_question_of_its_own():
    blind_night = played([(0, 10)] * 7)[-1]
    assert blind(blind_night)
    assert counted(blind_night.verdicts, rows=1000, young=False) == blind_night.coverage


def test_the_sli_counts_what_is_stored_and_an_older_result_as_it_was_counted():
    new = played([(4, 10)])[-1]
    assert (spent(ANSWERED, new).good, spent(ANSWERED, new).total) == (4, 10)
    old = new.model_copy(update={"coverage": ()})
    assert (spent(ANSWERED, old).good, spent(ANSWERED, old).total) == (4, 4)
    assert blind_to(GOAL, [old] * 20) == ()


def test_a_result_of_an_older_release_is_read_and_a_new_one_comes_back_as_it_was():
    new = played([(4, 10)])[-1]
    assert NightResult.model_validate_json(new.model_dump_json()) == new
    kept = new.model_dump(mode="json", exclude={"coverage", "rest"})
    read = NightResult.model_validate(kept)
    assert (read.coverage, read.rest) == ((), False)
    assert coverage_of(read) == (Coverage(family=Family.DRIFT, due=4, judged=4, young=True),)


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1.2}, {"nights": 1}, {"families": ["drifts"]}])
def test_an_objective_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CoverageGoal.model_validate(wrong)
