"""The nights that teach stay so: they are counted in nights that had rows, however far these lie apart."""

from datetime import date, timedelta

import pytest

from tests.unit.usecases.memory_stage import MODEL, MemoryStage, monitor
from vigil.usecases.baseline import past_nights
from vigil.verdicts.history import in_place
from vigil.verdicts.scored_nights import reference_nights
from vigil.verdicts.types import NightResult

FIRST = date(2024, 1, 1)  # a Monday
SATURDAY = 5


def nights(stage, days, *, rows=100):
    for day in days:
        result = NightResult(monitor=MODEL, environment="production", night=day, partition_digest=f"p{day}", rows=rows,
                             config_digest="c", edges_digest="e", verdicts=())  # fmt: skip
        stage.results.append(result, evaluated_at=stage.clock.now(), labels_through=None)


def taught(stage, tonight):
    watched = next(iter(stage.monitors.values()))
    past = in_place(past_nights(stage.ports(), watched, tonight, None), tonight)
    return reference_nights([r.night for r in past if r.rows], tonight, watched.surprise)


def days(count, *, first=FIRST, weekend=True):
    found = (first + timedelta(days=n) for n in range(3 * count))
    return [d for d in found if weekend or d.weekday() < SATURDAY][:count]


@pytest.mark.parametrize("empty", [True, False])
def test_on_a_log_of_weekdays_the_first_nights_go_on_teaching(tmp_path, empty):
    """Whether weekends were judged as nights without rows, or not at all."""
    stage = MemoryStage(tmp_path)
    weekdays = days(300, weekend=False)
    nights(stage, weekdays)
    if empty:
        nights(stage, [d for d in days(400) if d.weekday() >= SATURDAY], rows=0)
    for tonight in (weekdays[80], weekdays[140], weekdays[299]):
        assert taught(stage, tonight) == tuple(weekdays[:56])


def test_after_a_gap_of_weeks_the_first_nights_go_on_teaching(tmp_path):
    stage = MemoryStage(tmp_path)
    used = [*days(20), *days(200, first=FIRST + timedelta(days=56))]
    nights(stage, used)
    assert taught(stage, used[70]) == taught(stage, used[-1]) == tuple(used[:56])


def test_a_year_of_weekdays_is_learnt(tmp_path):
    stage = MemoryStage(tmp_path, monitor(surprise={"season": ["weekday", "year"], "nights": 400}))
    weekdays = days(420, weekend=False)
    nights(stage, weekdays)
    assert taught(stage, weekdays[-1]) == tuple(weekdays[:400])


def test_bad_nights_of_one_question_are_replaced_by_later_ones(tmp_path):
    """So many first nights are read that a question with bad ones among them has enough others."""
    stage = MemoryStage(tmp_path)
    used = days(300)
    nights(stage, used)
    past = past_nights(stage.ports(), stage.monitors[MODEL], used[-1], None)
    old = [r.night for r in past if r.night < used[-1] - timedelta(days=90)]
    assert old == used[:112]
