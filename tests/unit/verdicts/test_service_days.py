"""On which weekdays a model serves: declared, or learnt from its nights, and never from a silence."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.verdicts.history import in_place
from vigil.verdicts.scored_nights import reference_nights
from vigil.verdicts.service_days import (
    WEEKDAYS,
    ServiceDays,
    learnt,
    night_before,
    nights_of_service,
    service_days,
    service_note,
)
from vigil.verdicts.spent import nights_spent
from vigil.verdicts.types import Cause, NightResult, Slo, State, Surprise, Verdict

MONDAY = date(2026, 3, 2)
MON_TO_FRI = frozenset(range(5))


def after(days: int) -> date:
    return MONDAY + timedelta(days=days)


def result(day: date, rows: int = 9, *verdicts: Verdict, rest: bool = False) -> NightResult:
    return NightResult(monitor="m", environment="staging", night=day, partition_digest="", config_digest="",
                       edges_digest="", rows=rows, verdicts=verdicts, rest=rest)  # fmt: skip


def served(days: int, weekdays: frozenset[int] = MON_TO_FRI) -> list[date]:
    """The nights with rows of so many days since a Monday."""
    return [after(n) for n in range(days) if after(n).weekday() in weekdays]


def missing(day: date) -> NightResult:
    gone = Verdict(metric="rows", subject="all", family="quality", state=State.UNKNOWN, cause=Cause.NO_DATA,
                   reason="no predictions", overdue=True)  # fmt: skip
    return result(day, 0, gone)


@given(st.sets(st.sampled_from(range(7)), min_size=1), st.integers(28, 120))
def test_a_week_that_repeats_is_learnt_after_four_weeks_whatever_its_days(weekdays, days):
    calendar = learnt(served(days, frozenset(weekdays)), after(days))
    assert calendar.resting == frozenset(range(7)) - weekdays
    assert calendar.undecided == frozenset()


@given(st.integers(7, 60), st.integers(0, 200))
def test_an_outage_of_whatever_length_makes_no_day_of_rest_of_a_model_that_serves_every_day(days, silence):
    tonight = after(days + silence)
    assert not learnt(served(days, frozenset(range(7))), tonight).rests(tonight)


@given(st.sets(st.dates(MONDAY, after(120)), min_size=1, max_size=40), st.integers(0, 60))
def test_some_weekday_is_always_one_of_service(days, wait):
    tonight = max(days) + timedelta(days=wait)
    calendar = learnt(days, tonight)
    assert len(calendar.resting | calendar.undecided) < 7
    assert not calendar.resting & calendar.undecided


@given(st.sets(st.dates(MONDAY, after(120)), max_size=40), st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_what_is_declared_is_not_learnt(days, weekdays):
    calendar = service_days(tuple(weekdays), [result(day) for day in days], after(121))
    assert {WEEKDAYS[n] for n in range(7) if n not in calendar.resting} == weekdays
    assert not calendar.undecided


def test_the_first_weekend_is_undecided_the_fourth_is_known_and_a_missing_monday_never_is_a_rest():
    assert learnt(served(5), after(5)).waits(after(5))
    assert learnt(served(19), after(19)).waits(after(19))
    assert learnt(served(26), after(26)).resting == {5, 6}
    for weeks in range(1, 12):
        assert not learnt(served(7 * weeks), after(7 * weeks)).rests(after(7 * weeks))


def test_a_new_model_that_falls_silent_is_overdue_on_the_weekdays_it_had_and_on_all_after_a_week():
    calendar = learnt([after(0), after(1)], after(2))
    silent = [n for n in range(2, 16) if calendar.rests(after(n))]
    assert silent == [2, 3, 4, 5, 6]


def test_rows_on_one_saturday_of_many_do_not_make_saturdays_nights_of_service():
    days = [*served(70), after(40)]
    assert after(40).weekday() == 5
    assert learnt(days, after(75)).resting == {5, 6}


def test_two_mondays_of_a_weekly_model_are_the_last_two_nights_and_an_empty_one_keeps_its_place():
    mondays = [after(7 * n) for n in range(6)]
    weekly = learnt(mondays, after(42))
    past = [result(day) for day in mondays]
    assert [r.night for r in in_place(past, after(42), weekly)][-2:] == mondays[-2:]
    assert [(r.night, r.rows) for r in in_place(past[:-1], after(42), weekly)[-2:]] == [(after(28), 9), (after(35), 0)]


def test_rows_on_a_day_of_rest_are_a_night():
    calendar = ServiceDays(resting=frozenset({5, 6}))
    assert nights_of_service({after(5)}, after(7), calendar, count=2) == [after(4), after(5)]
    assert nights_of_service(set(), after(7), calendar, count=2) == [after(3), after(4)]


def test_the_last_two_nights_of_a_weekly_model_do_not_teach_yet():
    nights = [after(7 * n) for n in range(18)]
    taught = reference_nights(nights, after(7 * 18), Surprise())
    assert taught == tuple(nights[:-2])


def test_the_night_before_a_monday_is_friday_and_not_a_day_of_rest():
    friday, saturday = missing(after(4)), result(after(5), 0, rest=True)
    assert night_before([result(after(3)), friday, saturday]) == friday
    assert night_before([saturday]) is None


def test_days_of_rest_spend_no_budget_and_leave_no_gap():
    slo = Slo(name="answers", sli="evaluation_coverage", target=0.9)
    week = [result(day) for day in served(12)]
    rested = [result(after(5), 0, rest=True), result(after(6), 0, rest=True)]
    weekdays = ServiceDays(resting=frozenset({5, 6}))
    stored = sorted([*week, *rested], key=lambda r: r.night)
    assert [n.night for n in nights_spent(slo, stored)] == served(12)
    assert [n.night for n in nights_spent(slo, week, service=weekdays)] == served(12)
    assert len(nights_spent(slo, week)) == 12
    old = sorted(
        [*week, missing(after(5)), missing(after(6))], key=lambda r: r.night
    )  # of a release without days of rest
    assert [n.night for n in nights_spent(slo, old, service=weekdays)] == served(12)
    lost = [r for r in week if r.night != after(2)]
    assert [(n.night, n.overdue) for n in nights_spent(slo, lost, service=weekdays) if n.overdue] == [(after(2), True)]


@pytest.mark.parametrize(
    ("calendar", "day", "rows", "says"),
    [
        (ServiceDays(resting=frozenset({5}), declared=True), 5, 0, "no service on Saturdays: as `serves:` says"),
        (ServiceDays(resting=frozenset({5})), 5, 0, "no service on Saturdays: learnt from the nights before"),
        (ServiceDays(resting=frozenset({5}), declared=True), 5, 1200,
         "1,200 rows, though `serves:` names no Saturdays; they are judged as usual"),
        (ServiceDays(resting=frozenset({5})), 5, 1200, ""),
        (ServiceDays(resting=frozenset({5}), declared=True), 0, 0, ""),
        (ServiceDays(undecided=frozenset({5}), newest=after(4)), 5, 0,
         "no rows, as on all Saturdays so far; whether the model serves on Saturdays is known after 3 weeks, "
         "or from `serves:` in the monitor's file"),
    ],
)  # fmt: skip
def test_the_note_says_what_is_remarkable_about_the_weekday(calendar, day, rows, says):
    assert service_note(calendar, after(day), rows=rows) == says
