"""The listener that hears of runs whose tasks were killed: in a process of its own, as the scheduler has it."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.dags.parse_dags import CHECKOUT
from vigil.adapters.sql_engine import open_engine, upgrade
from vigil.adapters.sql_ledger import SqlLedger
from vigil.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.airflow]

HEARD = """
import os, sys
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo
import vigil_listener

dag_id, conf, after = sys.argv[1], eval(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
dag = SimpleNamespace(timezone=ZoneInfo("Europe/Berlin"))
run = SimpleNamespace(dag_id=dag_id, run_id="1", conf=conf, run_after=after, dag=dag, run_type=sys.argv[4])
vigil_listener.on_dag_run_failed(dag_run=run, msg="killed")
print("vigil" in sys.modules)
try:
    os.wait()
except ChildProcessError:
    print("no process")
"""
AFTER = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # half past midnight of the 22nd in Berlin


def heard(
    folder: Path, dag_id: str, conf: dict[str, str], run_type: str = "scheduled"
) -> tuple[list[str], tuple[str, ...]]:
    """What the listener's process printed, and the incidents in the ledger afterwards."""
    settings = Settings(home=CHECKOUT, state=folder / "state")
    settings.state_dir.mkdir()
    upgrade(open_engine(settings.database))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "VIGIL"))}
    env |= {"AIRFLOW_HOME": str(folder / "airflow"), "VIGIL_HOME": str(CHECKOUT), "VIGIL_STATE": str(folder / "state")}
    env |= {"PYTHONPATH": os.pathsep.join(str(CHECKOUT / part) for part in ("include", "plugins", "."))}
    command = [sys.executable, "-c", HEARD, dag_id, repr(conf), AFTER.isoformat(), run_type]
    ran = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    ledger = SqlLedger(open_engine(settings.database), settings.checkpoints)
    return ran.stdout.splitlines(), ledger.streams("incident/")


def test_a_run_that_died_opens_a_blind_incident_of_its_own_local_night(tmp_path: Path) -> None:
    printed, incidents = heard(tmp_path, "vigil_nightly__iris", {})
    assert incidents == ("incident/20261121-iris-production",)
    assert "False" in printed  # nothing of Vigil was imported into the scheduler


def test_the_night_that_was_asked_for_is_the_one_that_nobody_saw(tmp_path: Path) -> None:
    _, incidents = heard(tmp_path, "vigil_nightly__credit_scoring", {"as_of": "2026-10-03"})
    assert incidents == ("incident/20261003-credit-scoring-staging",)


def test_other_dags_that_fail_are_not_its_business(tmp_path: Path) -> None:
    printed, incidents = heard(tmp_path, "somebody_elses_dag", {})
    assert incidents == ()
    assert "no process" in printed


@pytest.mark.parametrize("conf", [{"asof": "2026-10-03"}, {"as_of": "2999-01-01"}, {"as_of": "yesterday"}])
def test_a_run_that_was_refused_left_no_night_unseen(tmp_path: Path, conf: dict[str, str]) -> None:
    printed, incidents = heard(tmp_path, "vigil_nightly__iris", conf)
    assert incidents == ()
    assert "no process" not in printed


def test_a_backfill_that_failed_pages_nobody(tmp_path: Path) -> None:
    printed, incidents = heard(tmp_path, "vigil_nightly__iris", {}, "backfill")
    assert incidents == ()
    assert "no process" not in printed
