"""What a past night teaches a question, and since when a value has been beyond its bound."""

import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, missing, night, nights, number, ratio, share
from vigil.core.words import Family
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.memory import added_up, lesson, remembered
from vigil.verdicts.onset import burning, onset, with_onset
from vigil.verdicts.types import Cause, Onset, Rule, Rules, State, Verdict

FACTS = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
INCOME, IN_GROUP, AGE = (number(0.1, subject=s) for s in ("income", "income|sex=female", "age"))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(judged(missing(900, 1000), State.BREACH), id="its values are missing"),
        pytest.param(judged(number(2.0, metric="psi", subject="income"), State.BREACH), id="it drifted"),
        pytest.param(judged(missing(0, 9, metric="expectation", subject="column_values_to_be_between(income)"),
                            State.BREACH, columns=("income",)), id="an expectation failed"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_column_is_left_out_for_every_question_about_it_and_for_no_other(bad):
    out = lesson(night(1, bad))
    assert out.holds_back(INCOME)
    assert out.holds_back(IN_GROUP)
    assert not out.holds_back(AGE)


@pytest.mark.parametrize("state", [State.WARN, State.OK, State.UNKNOWN])
def test_only_a_breach_is_left_out(state):
    cause = Cause.TOO_FEW_ROWS if state is State.UNKNOWN else None
    assert not lesson(night(1, judged(missing(900, 1000), state, cause=cause))).holds_back(INCOME)


def test_a_fairness_breach_is_left_out_for_its_own_question_alone():
    disparity = ratio(300, 1000, 500, 1000)
    out = lesson(night(1, judged(disparity, State.BREACH)))
    assert out.holds_back(disparity)
    assert not out.holds_back(number(0.1, subject="income|sex=f"))


def test_a_known_breach_holds_nothing_back():
    known = judged(missing(970, 1000), State.BREACH, onset=Onset.KNOWN)
    assert not lesson(night(1, known)).holds_back(missing(970, 1000))
    assert not lesson(night(1, known)).holds_back(INCOME)


@pytest.mark.parametrize("cause", [Cause.GATE_FAILED, Cause.CHECK_FAILED])
def test_a_night_whose_gate_failed_or_whose_files_could_not_be_read_teaches_nothing(cause):
    untrusted = judged(share(990, 1000), State.UNKNOWN, cause=cause)
    assert lesson(night(1, untrusted)).holds_back(AGE)


def test_a_check_that_failed_by_itself_is_no_reason_to_forget_the_night():
    broken = judged(number(None, metric="psi"), State.UNKNOWN, cause=Cause.CHECK_FAILED)
    assert not lesson(night(1, broken)).holds_back(AGE)


def test_answers_of_the_fallback_say_nothing_of_the_champion_and_its_inputs_do():
    stood_in = lesson(night(1, champion_rows=100))
    assert stood_in.holds_back(share(900, 1000))
    assert stood_in.holds_back(number(0.1, metric="score_shift", subject="score"))
    assert not stood_in.holds_back(INCOME)
    assert not lesson(night(1)).holds_back(share(900, 1000)), "older results do not say who answered"


def test_the_nights_of_a_fault_that_ended_are_added_up_with_tonight_no_more():
    def series(states):
        letters = {"b": State.BREACH, "g": State.OK, "u": State.UNKNOWN}
        made = [
            night(
                len(states) - i,
                judged(missing(i + 1, 1000), letters[s], cause=Cause.TOO_FEW_ROWS if s == "u" else None),
            )
            for i, s in enumerate(states)
        ]
        return [int(m.parts[0]) for m in added_up(remembered(made, ["missing"])["missing/income"], "")]

    assert series("gbb") == [1, 2, 3]
    assert series("gbbg") == [1, 2, 3, 4], "one good night may be chance"
    assert series("gbbgg") == [1, 4, 5]
    assert series("gbbgug") == [1, 4, 5, 6], "an unknown night is no good one"
    assert series("bggbbg") == [2, 3, 4, 5, 6], "the first fault has ended, the second goes on"


def past(measurements, state):
    made = [night(len(measurements) - i, judged(m, state)) for i, m in enumerate(measurements)]
    return remembered(made, [measurements[0].metric])[measurements[0].id] if measurements else []


def test_a_value_that_the_reference_had_too_is_known_and_one_that_got_worse_is_new():
    known = ratio(350, 1000, 500, 1000, baseline=0.71)
    assert onset(known, [], "<") is Onset.KNOWN
    assert onset(ratio(250, 1000, 500, 1000, baseline=0.71), [], "<") is Onset.NEW
    assert onset(ratio(450, 1000, 500, 1000, baseline=0.71), [], "<") is Onset.KNOWN


def test_a_new_version_that_is_worse_than_the_nights_before_is_new_whatever_its_own_holdout_says():
    worse = ratio(350, 1000, 500, 1000, baseline=0.7)
    assert onset(worse, past([ratio(480, 1000, 500, 1000)] * 10, State.OK), "<") is Onset.NEW


def test_without_a_reference_a_value_is_known_where_seven_nights_were_all_bad_and_none_was_better():
    bad = missing(500, 1000)
    assert onset(bad, past([bad] * 7, State.BREACH), ">") is Onset.KNOWN
    assert onset(bad, past([bad] * 6, State.BREACH), ">") is Onset.NEW
    assert onset(missing(700, 1000), past([bad] * 7, State.BREACH), ">") is Onset.NEW
    mixed = [*past([missing(10, 1000)], State.OK), *past([bad] * 9, State.BREACH)]
    assert onset(bad, mixed, ">") is Onset.NEW


def test_a_distance_from_the_reference_is_not_known_because_it_was_zero_there():
    far = number(2.0, metric="psi", baseline=0.0)
    assert onset(far, [], ">") is Onset.NEW
    assert onset(far, past([far] * 8, State.BREACH), ">") is Onset.KNOWN


def test_a_judged_breach_says_whether_it_is_known():
    rules = Rules(quality=(Rule(metric="missing", breach="> 0.05"),))
    (sparse,) = judge([missing(970, 1000, baseline=0.97)], rules, [], FACTS)
    (broken,) = judge([missing(970, 1000, baseline=0.01)], rules, [], FACTS)
    assert (sparse.state, sparse.onset) == (State.BREACH, Onset.KNOWN)
    assert (broken.state, broken.onset) == (State.BREACH, Onset.NEW)


def test_a_known_weakness_hides_no_new_fault_of_the_same_question():
    """The bound was always broken; that tonight is far from usual is news."""
    rule = Rule(metric="missing", breach="> 0.05", sigma=4, hard="> 0.8")
    quiet = nights([missing(400 + n % 7, 1000, baseline=0.4) for n in range(28)])
    (usual,) = judge([missing(402, 1000, baseline=0.4)], Rules(quality=(rule,)), quiet, FACTS)
    (jumped,) = judge([missing(900, 1000, baseline=0.4)], Rules(quality=(rule,)), quiet, FACTS)
    assert usual.onset is Onset.KNOWN
    assert (jumped.state, jumped.onset, jumped.hard) == (State.BREACH, None, True)


def test_an_expectation_that_failed_on_every_night_is_known():
    m = missing(300, 1000, metric="expectation", subject="column_values_to_not_be_null(x)", family=Family.QUALITY)
    failed = judged(m, State.BREACH)
    assert [v.onset for v in with_onset([failed], nights([m] * 3))] == [Onset.NEW]
    always = [night(n, failed) for n in range(9, 0, -1)]
    assert [v.onset for v in with_onset([failed], always)] == [Onset.KNOWN]
    passed = judged(m)
    assert with_onset([passed], always) == (passed,)


def burn(state: State) -> Verdict:
    cause = Cause.NO_DATA if state is State.UNKNOWN else None
    return Verdict(metric="burn", subject="whole", family=Family.SERVICE, state=state, cause=cause, reason="it burns")


def test_a_budget_that_burnt_on_every_night_is_known_and_one_that_began_to_is_new():
    def after(*states):
        return burning(burn(State.BREACH), [night(len(states) - n, burn(s)) for n, s in enumerate(states)]).onset

    assert after(*[State.BREACH] * 7) is Onset.KNOWN
    assert after(*[State.WARN] * 7, State.UNKNOWN) is Onset.KNOWN
    assert after(State.OK, *[State.BREACH] * 30) is Onset.NEW
    assert after(*[State.BREACH] * 6) is Onset.NEW
    assert burning(burn(State.OK), []).onset is None
