"""Which night a run of the nightly DAG judges: never guessed where the run says something else than it would get."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from vigil.core.errors import DataError
from vigil.core.spec import Spec

KEY = "as_of"
MANUAL, BACKFILL = "manual", "backfill"  # Airflow's own words for run types


class NightlyRun(Spec):
    """What Airflow knows of a run.

    run_type: Airflow's word. run_after: when it may start, time zone aware. logical_date: None in runs without one.
    conf: what was given at the trigger. asset_night: from the asset event that triggered it.
    earlier_unfinished: an earlier run of the same DAG is still queued or running.
    """

    run_type: str = "scheduled"
    run_after: datetime
    logical_date: datetime | None = None
    conf: Mapping[str, Any] = {}
    asset_night: str | None = None
    earlier_unfinished: bool = False


def night_of(run: NightlyRun, *, timezone: str, now: datetime) -> date:
    """The monitor's local day to judge: the one that is asked for, else the day before the run.

    Raises DataError for an unknown key in `conf`, a text that is no date, a night in the future, a run that was
    triggered by hand for another day without `as_of`, and a backfill whose runs overtake each other: nights learn from
    the nights before.

    >>> from datetime import UTC
    >>> three = datetime(2026, 11, 21, 3, tzinfo=UTC)
    >>> night_of(NightlyRun(run_after=three), timezone="UTC", now=three)
    datetime.date(2026, 11, 20)
    >>> night_of(NightlyRun(run_after=three, conf={"as_of": "2026-11-02"}), timezone="UTC", now=three)
    datetime.date(2026, 11, 2)
    """
    zone = ZoneInfo(timezone)
    _known_keys(run.conf)
    wanted = run.conf.get(KEY) or run.asset_night
    night = _date(wanted) if wanted else _day_before(run, zone)
    today = now.astimezone(zone).date()
    if night > today:
        raise DataError(f"the night of {night} has not happened yet: it is {today} in {timezone}")
    if run.run_type == BACKFILL and run.earlier_unfinished:
        raise DataError(
            f"the run before the one of {night} has not ended, and a night learns from those before it: create the "
            "backfill with one active run at a time (--max-active-runs 1), oldest first; or use `vigil backfill`"
        )
    return night


def _known_keys(conf: Mapping[str, Any]) -> None:
    unknown = sorted(set(conf) - {KEY})
    if unknown:
        near = get_close_matches(unknown[0].lower(), [KEY], n=1, cutoff=0.5)
        hint = f"did you mean {KEY!r}?" if near else f"the only key is {KEY!r}, a local day such as 2026-11-20"
        raise DataError(f"unknown key {unknown[0]!r} in the run's configuration; {hint}")


def _date(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise DataError(f"{KEY} is {text!r}; write a local day such as 2026-11-20") from None


def _day_before(run: NightlyRun, zone: ZoneInfo) -> date:
    day = run.run_after.astimezone(zone).date()
    if run.run_type == MANUAL and run.logical_date is not None and run.logical_date.astimezone(zone).date() != day:
        logical = run.logical_date.astimezone(zone).date()
        raise DataError(
            f"this run was triggered by hand with the logical date {logical}, which does not say which night is meant; "
            f'trigger it with the configuration {{"{KEY}": "{logical}"}}, or another local day'
        )
    return day - timedelta(days=1)
