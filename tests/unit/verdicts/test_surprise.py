"""Surprise against the model's own nights: what is usual, what one bad night is, what two are, what slow drift is."""

from datetime import date, timedelta

import numpy as np
import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, night, share, volume
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import Cause, Rule, Rules, State, Surprise, Verdict

FEATURES = [f"f{i}" for i in range(12)]
RULES = Rules(drift=(Rule(metric="position_shift", surprise=True),))
SPREAD, NOISE = 0.03, 0.01  # sd between nights, and of sampling


def place(feature: str, value: float, *, holdout: str = "holdout of version 1", n: int = 10_000) -> Measurement:
    return Measurement(
        metric="position_shift", subject=feature, family=Family.DRIFT, kind=Kind.NUMBER, value=value, n=n, unit="sd",
        worse=Worse.AWAY, variance=NOISE**2, baseline=0.0, yardstick=holdout,
    )  # fmt: skip


def quiet(nights: int, *, seed: int = 1, spread: float = SPREAD, holdout: str = "holdout of version 1"):
    rng = np.random.default_rng(seed)
    sd = (spread**2 + NOISE**2) ** 0.5
    return [
        night(back, *(judged(place(f, rng.normal(0.1, sd), holdout=holdout)) for f in FEATURES), rows=10_000)
        for back in range(nights, 0, -1)
    ]


def tonight(past, moved: float = 0.0, *, settings: Surprise | None = None, holdout="holdout of version 1", **facts):
    made = [place(f, 0.1 + (moved if f == "f3" else 0.0), holdout=holdout) for f in FEATURES]
    known = Facts(night=NIGHT, as_of=NIGHT, surprise=settings or Surprise(), **facts)
    return {v.subject: v for v in judge(made, RULES, past, known)}


def confirmed(past, moved: float):
    """Tonight, after a first night that was like it."""
    first = tonight(past[:-1], moved)
    return tonight([*past[:-1], night(1, *first.values(), rows=10_000)], moved)


def test_a_usual_night_is_ok_and_says_what_would_have_been_seen():
    found = tonight(quiet(42))
    assert {v.state for v in found.values()} == {State.OK}
    assert "its place on 40 nights" in found["f3"].reason
    assert "would have been found (80 % power)" in found["f3"].would_see


def test_one_night_far_away_is_a_warn_that_names_the_feature():
    found = tonight(quiet(42), 0.25)
    assert found["f3"].state is State.WARN
    assert str(found["f3"].limit) == "surprise at 0.5%"
    assert {f for f, v in found.items() if v.state is not State.OK} == {"f3"}


def test_the_same_question_on_two_of_three_nights_is_a_breach():
    found = confirmed(quiet(42), 0.25)
    assert found["f3"].state is State.BREACH
    assert found["f3"].reason.endswith("2 of 3 nights")


def test_a_night_two_nights_ago_confirms_and_one_three_nights_ago_does_not():
    warned = tonight(quiet(42), 0.25)
    for back, state in ((2, State.BREACH), (3, State.WARN)):
        past = [r for r in quiet(42) if r.night != NIGHT - timedelta(days=back)]
        past = sorted([*past, night(back, *warned.values(), rows=10_000)], key=lambda r: r.night)
        assert tonight(past, 0.25)["f3"].state is state


def test_a_jump_of_more_than_one_sd_is_a_breach_at_once():
    found = tonight(quiet(42), 1.2)["f3"]
    assert (found.state, found.hard) == (State.BREACH, True)
    assert "more than 1 sd at once" in found.reason


def test_wild_nights_hide_no_jump_and_nights_that_jump_by_themselves_have_none():
    rng = np.random.default_rng(4)
    wild = [
        night(b, *(judged(place(f, 0.03 * rng.standard_t(2.5))) for f in FEATURES), rows=9) for b in range(56, 0, -1)
    ]
    assert tonight(wild, 1.2)["f3"].state is State.BREACH
    leaping = [night(b, *(judged(place(f, rng.normal(0, 0.8))) for f in FEATURES), rows=9) for b in range(56, 0, -1)]
    assert tonight(leaping, 1.2)["f3"].state is State.OK


def test_nothing_is_a_jump_before_anything_is_learnt():
    found = tonight([], 1.2)
    assert {(v.state, v.cause) for v in found.values()} == {(State.UNKNOWN, Cause.TOO_FEW_NIGHTS)}
    assert "0 past nights; 5 are needed" in found["f3"].reason
    assert tonight(quiet(5), 1.2)["f3"].state is State.BREACH


def test_a_jump_of_one_of_many_small_groups_must_be_rarer_than_chance_makes_it():
    """Of 300 groups of few rows one is far away on every night; it is a jump only if the whole family says so."""
    rng = np.random.default_rng(7)

    def group(name: str, value: float) -> Measurement:
        return place(name, value, n=8).model_copy(update={"variance": 0.09})

    names = [f"g{n}" for n in range(300)]
    past = [night(b, *(judged(group(f, rng.normal(0, 0.32))) for f in names), rows=2400) for b in range(42, 0, -1)]
    facts = Facts(night=NIGHT, as_of=NIGHT)

    def of_g7(value: float) -> Verdict:
        made = [group(f, value if f == "g7" else 0.0) for f in names]
        return next(v for v in judge(made, RULES, past, facts) if v.subject == "g7")

    assert of_g7(1.25).state is State.OK
    assert (of_g7(2.5).state, of_g7(2.5).hard) == (State.BREACH, True)


def test_usual_nights_that_lie_far_from_the_reference_are_told_once():
    """A change on the first nights would be learnt as usual otherwise, and nobody would hear of it."""
    rng = np.random.default_rng(2)

    def shifted(back: int):
        values = {f: rng.normal(0.9 if f == "f3" else 0.1, SPREAD) for f in FEATURES}
        return night(back, *(judged(place(f, v)) for f, v in values.items()), rows=10_000)

    told = []
    for known in range(10, 24):
        past = [shifted(back) for back in range(known, 0, -1)]
        told.append([f for f, v in tonight(past, 0.8).items() if v.ticket])
    assert told == [["f3"] if known == 14 else [] for known in range(10, 24)]


def test_twenty_four_rows_that_moved_far_are_judged():
    rng = np.random.default_rng(6)

    def day(feature: str, value: float) -> Measurement:
        return place(feature, value, n=24).model_copy(update={"variance": 1 / 24})

    few = [night(b, *(judged(day(f, rng.normal(0, 24**-0.5))) for f in FEATURES), rows=24) for b in range(30, 0, -1)]
    made = [day(f, -3.65 if f == "f3" else 0.0) for f in FEATURES]
    found = {v.subject: v for v in judge(made, RULES, few, Facts(night=NIGHT, as_of=NIGHT))}
    assert (found["f3"].state, found["f4"].state) == (State.BREACH, State.OK)


def alone(value: float, variance: float) -> Measurement:
    return place("f3", value, n=1).model_copy(update={"variance": variance})


def of_single_rows(values, variance: float = 1.5) -> Verdict:
    """The last of nights of one row each, after 40 that were usual."""
    rng = np.random.default_rng(11)
    made = [*rng.normal(0, variance**0.5, 40), *values]
    past = [night(len(made) - n - 1, judged(alone(v, variance)), rows=1) for n, v in enumerate(made[:-1])]
    (found,) = judge([alone(made[-1], variance)], RULES, past, Facts(night=NIGHT, as_of=NIGHT))
    return found


def test_nights_of_one_row_are_judged_together_and_are_unknown_where_weeks_show_nothing_either():
    usual = of_single_rows([0.0])
    assert usual.state is State.OK
    assert "on 6 nights together, since one has too few rows" in usual.reason
    assert "on 6 nights would have been found" in usual.would_see
    assert of_single_rows([3.0] * 7).state is State.WARN
    assert of_single_rows([0.0], variance=900.0).cause is Cause.TOO_FEW_ROWS


def test_one_odd_night_of_one_row_does_not_make_the_nights_after_it_odd():
    for after in (1, 2, 3, 6):
        assert of_single_rows([8.0, *[0.0] * after]).state is State.OK


def test_what_is_significant_and_does_not_matter_is_ok():
    past = quiet(42, spread=0.0)
    assert tonight(past, 0.045)["f3"].state is State.OK  # 4.5 sd of sampling, and less than 0.05 sd of the feature
    assert tonight(past, 0.09)["f3"].state is State.WARN


def test_noisy_nights_ask_for_more():
    assert tonight(quiet(42, spread=0.03), 0.25)["f3"].state is State.WARN
    assert tonight(quiet(42, spread=0.15), 0.25)["f3"].state is State.OK


def test_few_nights_assume_a_wide_spread_and_say_so():
    found = tonight(quiet(8), 0.15)["f3"]
    assert found.state is State.OK
    assert "so few nights know their own spread badly" in found.reason
    assert tonight(quiet(42), 0.15)["f3"].state is State.WARN


def test_nights_on_which_a_feature_was_a_breach_teach_nothing_about_it_and_all_about_others():
    def broken(r):
        others = [v for v in r.verdicts if v.subject != "f3"]
        return r.model_copy(update={"verdicts": (*others, judged(place("f3", 0.5), State.BREACH))})

    past = quiet(42)
    found = tonight([*past[:-10], *map(broken, past[-10:-2]), *past[-2:]], 0.4)
    assert found["f3"].state is State.WARN
    assert "its place on 32 nights" in found["f3"].reason
    assert "its place on 40 nights" in found["f4"].reason, (
        "what is wrong with one feature is no reason to forget others"
    )


def test_a_breach_teaches_nothing_even_where_nobody_opened_an_incident():
    """Past nights that are judged by a backfill open none; a young model has no later nights to learn from."""
    past = quiet(10)
    broken = tonight(past[:-1], 1.5)
    assert broken["f3"].state is State.BREACH
    after = [*past[:-1], night(1, *broken.values(), rows=9)]
    assert tonight(after, 1.5)["f3"].state is State.BREACH
    assert "its place on 9 nights" in tonight(after, 1.5)["f3"].reason


def test_warned_nights_teach_how_far_nights_go_and_one_that_was_far_off_does_not_blind():
    past, others = quiet(42), [judged(place(f, 0.1)) for f in FEATURES if f != "f3"]

    def seen_after(*of_f3: Verdict) -> str:
        return tonight([*past[:20], night(22, *others, *of_f3, rows=10_000), *past[21:]])["f3"].would_see

    unasked = seen_after()
    assert seen_after(judged(place("f3", 0.9), State.WARN)) == unasked
    assert seen_after(judged(place("f3", 0.9), State.OK)) != unasked
    assert seen_after(judged(place("f3", 0.22), State.WARN)) != unasked


def test_a_young_model_does_not_learn_from_the_first_night_of_a_fault():
    past = quiet(9)
    first = tonight(past[:-1], 0.8)
    assert first["f3"].state is State.WARN
    assert tonight([*past[:-1], night(1, *first.values(), rows=10_000)], 0.8)["f3"].state is State.BREACH


def test_the_nights_that_teach_are_the_first_ones_and_stay_so():
    found = tonight(quiet(80))["f3"]
    first = NIGHT - timedelta(days=80)
    assert f"56 nights ({first} to {first + timedelta(days=55)})" in found.reason


def test_a_rebaselining_names_other_nights():
    since = NIGHT - timedelta(days=30)
    found = tonight(quiet(80), settings=Surprise(since=since))["f3"]
    assert f"({since} to {NIGHT - timedelta(days=3)})" in found.reason


def test_distances_from_another_holdout_are_other_questions():
    found = tonight(quiet(42), holdout="holdout of version 2")["f3"]
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_NIGHTS)


def test_small_drift_that_lasts_is_a_ticket_and_no_breach():
    past = quiet(56)
    for back in range(12, 0, -1):
        shifted = [judged(place(f, 0.1 + (0.1 if f == "f3" else 0.0))) for f in FEATURES]
        past.append(night(back, *shifted, rows=10_000))
    past = [r.model_copy(update={"night": NIGHT - timedelta(days=len(past) - i)}) for i, r in enumerate(past)]
    found = tonight(past, 0.08)
    assert (found["f3"].state, found["f3"].ticket) == (State.WARN, True)
    assert "drifts slowly" in found["f3"].reason
    assert tonight(past, 0.08, settings=Surprise(slow_drift=False))["f3"].state is State.OK


def test_a_ticket_ends_some_usual_nights_after_a_fault_however_large_it_was():
    past = quiet(56)
    fault = [night(1, *(judged(place(f, 0.1 + (0.5 if f == "f3" else 0.0))) for f in FEATURES), rows=9)] * 6
    usual_again = [night(1, *(judged(place(f, 0.1)) for f in FEATURES), rows=9)]
    states = []
    for after in (0, 8):
        made = [*past, *fault, *usual_again * after]
        dated = [r.model_copy(update={"night": NIGHT - timedelta(days=len(made) - i)}) for i, r in enumerate(made)]
        states.append(tonight(dated)["f3"].ticket)
    assert states == [True, False]


def test_a_ticket_does_not_confirm_a_breach():
    past = quiet(42)
    warned = tonight(past[:-1], 0.25)["f3"]
    ticket = warned.model_copy(update={"ticket": True})
    others = [v for v in past[-1].verdicts if v.subject != "f3"]
    assert tonight([*past[:-1], night(1, ticket, *others, rows=10_000)], 0.25)["f3"].state is State.WARN


def test_a_calendar_term_takes_its_nights_out_of_the_surprise():
    pay_days = [NIGHT - timedelta(days=28), NIGHT - timedelta(days=14), NIGHT]
    spans = tuple(d.isoformat() for d in pay_days)
    past = [
        r
        if r.night not in pay_days
        else night((NIGHT - r.night).days, *(judged(place(f, 0.5)) for f in FEATURES), rows=9)
        for r in quiet(42)
    ]
    known = Surprise(calendar={"pay_day": spans})
    assert tonight(past, 0.4, settings=known)["f3"].state is State.OK
    assert tonight(past, 0.4, settings=known)["f0"].state is State.WARN  # it does not move on this pay-day
    others = Surprise(calendar={"pay_day": spans[:2]})
    assert tonight(past, 0.2, settings=others)["f3"].state is State.WARN
    assert tonight(past, 0.2)["f3"].state is State.OK  # pay-days that nobody declared look like wild nights


def test_what_came_and_went_on_the_same_days_of_last_month_is_a_warn_that_asks_for_a_calendar_term():
    past = quiet(60)
    month_ago = NIGHT - timedelta(days=31)
    habit = [judged(place(f, 0.1 + (0.3 if f == "f3" else 0.0))) for f in FEATURES]
    with_habit = [night(31, *habit, rows=9) if r.night == month_ago else r for r in past]
    assert confirmed(past, 0.3)["f3"].state is State.BREACH
    found = confirmed(with_habit, 0.3)["f3"]
    assert found.state is State.WARN
    assert f"it was so on {month_ago} too" in found.reason


def test_weekends_have_a_place_of_their_own():
    past = [
        night((NIGHT - r.night).days, *(judged(place(v.subject, v.measurement.value + 0.4 * (r.night.weekday() >= 5)))
                                        for v in r.verdicts), rows=9)
        for r in quiet(42)
    ]  # fmt: skip
    assert NIGHT.weekday() == 4
    assert tonight(past, 0.2)["f3"].state is State.WARN
    assert tonight(past, 0.2, settings=Surprise(season=()))["f3"].state is State.OK  # weekends look like noise


def test_importance_makes_a_feature_easier_to_be_surprised_by():
    past, barely = quiet(42), 0.095
    assert tonight(past, barely)["f3"].state is State.OK
    assert tonight(past, barely, settings=Surprise(importance={"f3": 50}))["f3"].state is State.WARN


def test_rare_levels_are_tested_by_counting():
    """0 of 170 where 3 % are usual happens on one night in 180 in one of many small groups: no news."""

    def level(k: int) -> Measurement:
        value = 2 * np.arcsin(np.sqrt(k / 170)) - 2 * np.arcsin(np.sqrt(0.03))
        return Measurement(metric="level_shift", subject="job:farmer", family=Family.DRIFT, kind=Kind.NUMBER, n=170,
                           value=float(value), variance=1 / 170, parts=(k, 170, 300, 10_000), unit="arcsine",
                           worse=Worse.AWAY, baseline=0.0, yardstick="h")  # fmt: skip

    rng = np.random.default_rng(3)
    past = [night(b, judged(level(int(rng.binomial(170, 0.03)))), rows=170) for b in range(56, 0, -1)]
    rules = Rules(drift=(Rule(metric="level_shift", surprise=True),))
    facts = Facts(night=NIGHT, as_of=NIGHT)
    (none,) = judge([level(0)], rules, past, facts)
    (many,) = judge([level(25)], rules, past, facts)
    assert (none.state, many.state) == (State.OK, State.WARN)
    assert "sd of a usual night from 2.76 %" in many.reason


def test_a_share_that_moves_twenty_points_is_a_breach_at_once():
    past = [night(b, judged(share(900 + b % 7, 1000))) for b in range(40, 0, -1)]
    rules = Rules(performance=(Rule(metric="accuracy", surprise=True),))
    (found,) = judge([share(650, 1000)], rules, past, Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0))
    assert (found.state, found.hard) == (State.BREACH, True)
    assert "a share that moved -25 points" in found.reason


def test_a_large_move_the_good_way_is_no_jump():
    def recall(k: int) -> Measurement:
        return share(k, 1000, metric="recall", worse=Worse.LOWER)

    rules = Rules(performance=(Rule(metric="recall", surprise=True),))
    rng = np.random.default_rng(4)
    past = [night(back, judged(recall(int(rng.binomial(1000, 0.6))))) for back in range(42, 0, -1)]
    facts = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
    better, worse = (judge([recall(k)], rules, past, facts)[0] for k in (900, 300))
    assert (better.state, worse.state, worse.hard) == (State.OK, State.BREACH, True)


def test_traffic_that_collapses_to_a_few_rows_is_no_lack_of_rows():
    rules = Rules(service=(Rule(metric="volume", surprise=True),))
    rng = np.random.default_rng(5)
    past = [night(back, judged(volume(int(rng.normal(10_000, 300))))) for back in range(42, 0, -1)]
    (found,) = judge([volume(5)], rules, past, Facts(night=NIGHT, as_of=NIGHT))
    assert found.state is State.WARN


def test_volume_is_compared_on_a_scale_of_ratios():
    past = [night(b, judged(volume(1000 + 30 * (b % 5)))) for b in range(40, 0, -1)]
    rules = Rules(service=(Rule(metric="volume", surprise=True, floor=0.25),))
    facts = Facts(night=NIGHT, as_of=NIGHT)
    assert judge([volume(870)], rules, past, facts)[0].state is State.OK
    (half,) = judge([volume(500)], rules, past, facts)
    assert half.state is State.WARN
    assert "rows, its place" in half.reason


def test_what_gets_better_is_no_news_for_a_one_sided_metric():
    past = [night(b, judged(share(800 + b % 9, 1000))) for b in range(40, 0, -1)]
    rules = Rules(performance=(Rule(metric="accuracy", surprise=True),))
    facts = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
    assert judge([share(900, 1000)], rules, past, facts)[0].state is State.OK
    assert judge([share(700, 1000)], rules, past, facts)[0].state is State.WARN


def test_gaps_in_the_history_are_left_out():
    past = [r for i, r in enumerate(quiet(60)) if i % 4]
    assert tonight(past)["f3"].state is State.OK
    assert tonight(past, 0.3)["f3"].state is State.WARN


def test_a_score_that_never_moves_is_ok_until_it_does():
    past = [night(b, judged(place("f3", 0.0)), rows=9) for b in range(40, 0, -1)]
    facts = Facts(night=NIGHT, as_of=NIGHT)
    assert judge([place("f3", 0.0)], RULES, past, facts)[0].state is State.OK
    assert judge([place("f3", 0.4)], RULES, past, facts)[0].state is State.WARN


@pytest.mark.parametrize("span", ["32", "2026-02-30", "monday", "2026-01-01..x"])
def test_a_day_that_no_calendar_has_is_refused(span):
    with pytest.raises(ValueError, match="is no day; write"):
        Surprise(calendar={"x": (span,)})


def test_spans_that_end_before_they_begin_are_refused():
    with pytest.raises(ValueError, match="lies after"):
        Surprise(since=date(2026, 2, 1), until=date(2026, 1, 1))


def test_a_verdict_that_was_stored_before_tickets_is_read():
    old = judged(place("f3", 0.0)).model_dump(mode="json")
    del old["ticket"]
    assert Verdict.model_validate(old).ticket is False


def season(nights: int, *, seed: int = 5):
    """Every feature follows a year: up to 0.02 sd a night."""
    rng = np.random.default_rng(seed)
    wave = [1.2 * np.sin(2 * np.pi * n / 365) for n in range(nights + 1)]
    return wave[-1], [
        night(nights - n, *(judged(place(f, wave[n] + rng.normal(0, SPREAD))) for f in FEATURES), rows=10_000)
        for n in range(nights)
    ]


def test_a_rolling_window_learns_the_season_that_the_first_nights_call_drift_and_still_sees_a_fault():
    """Nights are judged one after another, so that what is a breach is left out, as it would be."""
    alarms = {"first": 0, "rolling": 0}
    for window in alarms:
        settings = Surprise(window=window, nights=28)
        for known in range(60, 360, 20):
            here, past = season(known)
            made = [place(f, here) for f in FEATURES]
            judged_night = judge(made, RULES, past, Facts(night=NIGHT, as_of=NIGHT, surprise=settings))
            alarms[window] += any(v.state is not State.OK for v in judged_night)
            if window == "rolling":
                faulty = [place(f, here + (0.5 if f == "f3" else 0.0)) for f in FEATURES]
                seen = judge(faulty, RULES, past, Facts(night=NIGHT, as_of=NIGHT, surprise=settings))
                assert {v.subject for v in seen if v.state is not State.OK} == {"f3"}
    assert alarms["rolling"] == 0
    assert alarms["first"] >= 12


def test_a_rolling_window_has_no_last_night():
    with pytest.raises(ValueError, match="leave one of them out"):
        Surprise(window="rolling", until=NIGHT)
    assert Surprise(window="rolling", since=NIGHT).since == NIGHT
