"""What Airflow knows of a nightly run, in Vigil's words."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from vigil.core.errors import DataError
from vigil.core.run_night import BACKFILL, NightlyRun, night_of

UNFINISHED = ("queued", "running")


def night(dag_run: Any, ti: Any, asset_events: Any, *, timezone: str) -> str:
    """The local day that a run judges. Fails at once, without retries, where the run is refused."""
    extras = [event.extra or {} for events in (asset_events or {}).values() for event in events]
    run_type = _word(dag_run.run_type)
    run = NightlyRun(
        run_type=run_type,
        run_after=dag_run.run_after,
        logical_date=dag_run.logical_date,
        conf={key: value for key, value in (dag_run.conf or {}).items() if value is not None},
        asset_night=next((extra["as_of"] for extra in extras if extra.get("as_of")), None),
        earlier_unfinished=run_type == BACKFILL and _earlier_unfinished(ti),
    )
    try:
        return night_of(run, timezone=timezone, now=datetime.now(UTC)).isoformat()
    except DataError as error:
        raise AirflowFailException(str(error)) from None


def _earlier_unfinished(ti: Any) -> bool:
    earlier = ti.get_previous_dagrun()
    return earlier is not None and _word(earlier.state) in UNFINISHED


def _word(value: object) -> str:
    """Airflow's word, of an enum or of text."""
    return str(getattr(value, "value", value))
