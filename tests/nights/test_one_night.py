"""One night is one sequence: the tasks of the nightly DAG and `vigil night --respond` leave the same in the stores."""

import ast
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from past import FIRST, Past, night
from sqlalchemy import MetaData, select
from stage import Bank
from typer.testing import CliRunner

from vigil.adapters.sql_engine import open_read_only
from vigil.cli import app
from vigil.core.stages import TASKS, Stage
from vigil.settings import Settings
from vigil.usecases.night.run import STAGES, run_night

ROOT = Path(__file__).resolve().parents[2]
SERVED = FIRST + timedelta(days=3)
# What differs from one run of the same night to another: its times, and names of places and runs.
ELSEWHERE = {"at", "hash", "previous", "evaluated_at", "labels_through", "mlflow_run", "run_url", "id", "result_id",
             "expires_at", "holder", "in_flight_at"}  # fmt: skip
STEPS = {"intake", "quality", "profile", "judge", "report", "correlate", "account"}


def unfair(rows: pd.DataFrame) -> pd.DataFrame:
    """Most women get the unfavourable answer."""
    women = (rows["sex"] == "f") & (np.arange(len(rows)) % 8 > 0)
    return rows.assign(prediction=np.where(women, "1", rows["prediction"]))


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose past was judged as the DAG does it; a night that is unfair to women waits in its source.

    The source lies beside the homes that are copied: a batch of the log is named by the file that it was read from.
    """
    log = tmp_path_factory.mktemp("log")
    source = {"predictions": f"{log}/*.parquet", "served_at": {"column": "served_at"}}
    past = Past(tmp_path_factory.mktemp("evening") / "home", source=source).referenced()
    for n in range(3):
        arrive(log, night(FIRST + timedelta(days=n)))
        _tasks(past.home, FIRST + timedelta(days=n), "judge")
    arrive(log, unfair(night(SERVED, rows=960)))
    return past.home


def arrive(log: Path, rows: pd.DataFrame) -> None:
    rows.drop(columns=["environment"]).to_parquet(log / f"{rows['prediction_id'][0]}.parquet", index=False)


def _tasks(home: Path, day: date, *tasks: str) -> None:
    """The tasks of the nightly DAG, all or some, in the order in which the DAG file wires them, without Airflow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIGIL_HOME", str(home))
        patch.syspath_prepend(str(ROOT / "dags"))
        from vigil_shell import connections, night_tasks

        patch.setattr(connections, "_slack", lambda: None)  # Airflow's connection: there is none
        progress = None
        for task in tasks or TASKS:
            made = night_tasks.run_task(task, "credit", day.isoformat(), progress, run_url="scheduled__1")
            progress = progress if task == "report" else json.loads(json.dumps(made))  # as XCom keeps it


def _command(home: Path, day: date, *words: str) -> str:
    done = CliRunner(env={"VIGIL_HOME": str(home), "COLUMNS": "200"}).invoke(app, ["night", "credit", f"{day}", *words])
    assert done.exit_code == 2, f"{done.output}\n{done.exception!r}"
    return done.output


def stored(home: Path) -> Mapping[str, Any]:
    """Every table of the database, every note and the names of all other files, without times and places."""
    settings = Settings(home=home)
    engine, tables = open_read_only(settings.database), MetaData()
    tables.reflect(engine)
    with engine.connect() as db:
        rows = {
            name: sorted(json.dumps(plain(dict(row._mapping)), sort_keys=True, default=str)
                         for row in db.execute(select(table)) if row._mapping.get("stream") != "system")
            for name, table in tables.tables.items()
        }  # fmt: skip
    engine.dispose()
    files = [f for f in settings.artifacts_dir.rglob("*") if f.is_file()]
    notes = {str(f.relative_to(home)): json.loads(f.read_text()) if f.suffix == ".json" else None for f in files}
    return {**rows, "notes": notes}


def plain(value: Any) -> Any:
    """Without what differs from run to run, also inside of JSON texts: two threads add up sums in either order, so that
    the last digits of a number are chance (4e-14 of it was seen)."""
    if isinstance(value, bytes):
        return plain(json.loads(zlib.decompress(value)))
    if isinstance(value, float):
        return round(float(f"{value:.10g}"), 12)
    if isinstance(value, str) and value.startswith(("{", "[")):
        return plain(json.loads(value))
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items() if key not in ELSEWHERE}
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_dag_and_the_command_leave_the_same_in_the_stores(evening: Path, tmp_path: Path) -> None:
    by_dag, by_command = (Path(copytree(evening, tmp_path / name)) for name in ("dag", "command"))
    _tasks(by_dag, SERVED)
    told = _command(by_command, SERVED, "--respond")
    dag, command = stored(by_dag), stored(by_command)
    assert dag.keys() == command.keys()
    for name in dag:
        assert dag[name] == command[name], name
    types = {json.loads(event)["type"] for event in command["events"]}
    assert {"opened", "replayed", "night_judged"} <= types, "the night must reach every stage"
    assert any(name.endswith("report.html") for name in command["notes"])
    assert "took       960 new of " in told
    assert f"incident   {SERVED:%Y%m%d}-credit-production" in told
    assert "planned    " in told


@pytest.mark.slow
def test_without_respond_the_command_judges_and_tells_nobody(evening: Path, tmp_path: Path) -> None:
    home = Path(copytree(evening, tmp_path / "home"))
    before = stored(home)["events"]
    _command(home, SERVED)
    after = stored(home)["events"]
    assert [e for e in after if e not in before and json.loads(e)["stream"].startswith("incident/")] == []


def test_the_tasks_of_the_dag_run_every_stage_once_and_in_order() -> None:
    assert [stage for stages in TASKS.values() for stage in stages] == list(Stage)
    assert list(STAGES) == list(Stage)


def test_a_report_that_fails_stops_no_stage_and_is_raised_at_the_end(bank: Bank) -> None:
    class Torn:
        def render(self, *_: Any, **__: Any) -> None:
            raise OSError("the disk is full")

    bank.serve(date(2026, 9, 20))
    ended = []
    with pytest.raises(OSError, match="the disk is full"):
        run_night(
            replace(bank.ports, reporter=Torn()), bank.monitor, date(2026, 9, 20),
            after=lambda stage, _: ended.append(stage),
        )  # fmt: skip
    assert ended == [stage for stage in Stage if stage is not Stage.REPORT]


@pytest.mark.parametrize("folder", ["include/vigil", "dags", "demo", "examples", "benchmarks", "plugins"])
def test_no_code_but_run_night_puts_the_steps_of_a_night_in_a_sequence(folder: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py") if calls(path)}
    assert found <= {"include/vigil/usecases/night/run.py"}


def calls(path: Path) -> set[str]:
    """Steps of a night that a module takes from `usecases.nightly` to call them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "vigil.usecases"
        for alias in node.names
        if alias.name == "nightly"
    }
    direct = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "vigil.usecases.nightly"
        for alias in node.names
    }
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported
    }
    return STEPS & (direct | used)
