"""The watchdog in real Airflow: an incident whose respond run failed (Slack was down) is asked for again each hour."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.airflow]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    """Runs a command of this environment in an Airflow and a state of their own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "VIGIL"))}
    env |= {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "none"),
        "VIGIL_STATE": str(tmp_path / "state"),
        "PYTHONPATH": os.pathsep.join(str(CHECKOUT / part) for part in ("include", "", "dags")),
    }

    def command(module: str, *words: str) -> None:
        ran = subprocess.run(
            [sys.executable, "-m", module, *words], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]

    return command


def test_a_respond_run_that_failed_is_started_again_in_another_run_and_one_that_waits_is_not(
    run: Callable[..., None], tmp_path: Path
) -> None:
    run("airflow", "db", "migrate")
    run("airflow", "dags", "reserialize")
    run("vigil.cli", "blind", "credit_scoring", "--reason", "a step failed")
    database = sqlite3.connect(tmp_path / "airflow.db")

    def asked() -> list[str]:
        run("airflow", "dags", "test", "vigil_watchdog")
        found = database.execute("SELECT run_id FROM dag_run WHERE dag_id = 'vigil_respond' ORDER BY id")
        return [name for (name,) in found]

    first = asked()
    assert len(first) == 1
    assert asked() == first
    database.execute("UPDATE dag_run SET state = 'failed' WHERE dag_id = 'vigil_respond'")
    database.commit()
    again = asked()
    assert again[0] == first[0]
    assert re.fullmatch(re.escape(first[0]) + r"__\d{8}T\d\d", again[1])
