"""Which night a run judges, and which runs are refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from vigil.core.errors import DataError
from vigil.core.run_night import NightlyRun, night_of

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # half past midnight of the 22nd in Berlin


def night(zone: str = "Europe/Berlin", **facts: Any) -> date:
    return night_of(NightlyRun(**{"run_after": NOW, **facts}), timezone=zone, now=NOW)


@pytest.mark.parametrize(("zone", "day"), [("Europe/Berlin", 21), ("UTC", 20)])
def test_a_run_judges_the_local_day_before_it(zone: str, day: int) -> None:
    assert night(zone) == date(2026, 11, day)


def test_the_night_that_is_asked_for_is_judged_and_the_configuration_wins_over_an_asset() -> None:
    assert night(conf={"as_of": "2026-10-03"}) == date(2026, 10, 3)
    assert night(asset_night="2026-10-04") == date(2026, 10, 4)
    assert night(asset_night="2026-10-04", conf={"as_of": "2026-10-03"}) == date(2026, 10, 3)


@pytest.mark.parametrize(
    ("key", "hint"), [("asof", "did you mean 'as_of'"), ("AS_OF", "did you mean"), ("nights", "only key is 'as_of'")]
)
def test_an_unknown_key_is_refused_with_the_known_one(key: str, hint: str) -> None:
    with pytest.raises(DataError, match=hint):
        night(conf={key: "2026-10-03"})


@pytest.mark.parametrize("text", ["yesterday", "03.10.2026", "2026-13-01", 20261003])
def test_what_is_no_date_is_refused(text: object) -> None:
    with pytest.raises(DataError, match="2026-11-20"):
        night(conf={"as_of": text})


def test_a_night_in_the_future_is_refused_by_the_local_clock() -> None:
    assert night(conf={"as_of": "2026-11-22"}) == date(2026, 11, 22)
    with pytest.raises(DataError, match="has not happened yet: it is 2026-11-22 in Europe/Berlin"):
        night(conf={"as_of": "2026-11-23"})


@pytest.mark.parametrize("days", [-30, 3])
def test_a_run_by_hand_for_another_day_needs_the_night(days: int) -> None:
    other = NOW + timedelta(days=days)
    with pytest.raises(DataError, match="as_of"):
        night(run_type="manual", logical_date=other)
    assert night(run_type="manual", logical_date=other, conf={"as_of": "2026-10-03"}) == date(2026, 10, 3)
    assert night(run_type="scheduled", logical_date=other) == date(2026, 11, 21)


def test_a_run_by_hand_for_now_judges_the_day_before() -> None:
    assert night(run_type="manual", logical_date=NOW) == date(2026, 11, 21)
    assert night(run_type="manual") == date(2026, 11, 21)


def test_a_backfill_whose_runs_overtake_each_other_is_refused() -> None:
    assert night(run_type="backfill") == date(2026, 11, 21)
    with pytest.raises(DataError, match="--max-active-runs 1"):
        night(run_type="backfill", earlier_unfinished=True)
