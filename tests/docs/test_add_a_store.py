"""docs/add-a-store.md: its store passes the public contract, and nights are scanned from it."""

import re
import shutil
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vigil import wiring
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.ports import PredictionLog
from vigil.testing import PredictionLogContract
from vigil.testing.credit_log import NIGHT, WINDOW, digest, ids, monitor, outcome, row, rows, table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "add-a-store.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def run(code: str, **names: Any) -> dict[str, Any]:
    space = {"__name__": "page", **names}
    exec(compile(code, "docs/add-a-store.md", "exec"), space)
    return space


SqliteLog = run(blocks("python")[0])["SqliteLog"]
(TESTED,) = [block for block in blocks("py") if "PredictionLogContract" in block]
TestSqliteLog = run(TESTED, SqliteLog=SqliteLog, pytest=pytest, PredictionLogContract=PredictionLogContract)[
    "TestSqliteLog"
]


def test_a_night_is_scanned_from_it(tmp_path):
    log = SqliteLog(tmp_path / "log.sqlite")
    log.write_predictions("credit", table(rows(40)), batch_id="b")
    log.write_outcomes("credit", table([outcome("p0", "1")]), batch_id="o")
    partition, scanner = log.partition(monitor(), WINDOW), DuckDBScanner()
    edges = scanner.fit_edges(monitor(), log.sample(monitor(), partition, rows=40))
    (profile,) = scanner.scan(monitor(), partition, edges, NIGHT).values()
    assert (profile.rows, profile.outcome.labelled) == (40, 1)


def test_another_process_sees_what_is_stored_and_a_lost_copy_is_made_again(tmp_path):
    here, there = SqliteLog(tmp_path / "log"), SqliteLog(tmp_path / "log")
    here.write_predictions("credit", table(rows(3)), batch_id="b")
    assert ids(there) == ["p0", "p1", "p2"]
    before = digest(there)
    shutil.rmtree(tmp_path / "log" / "copy")
    assert digest(there) == before


def test_a_crash_after_the_insert_leaves_the_batch_that_was_inserted(tmp_path, monkeypatch):
    log = SqliteLog(tmp_path / "log")
    with monkeypatch.context() as broken:
        broken.setattr(SqliteLog, "_copy", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            log.write_predictions("credit", table(rows(1)), batch_id="b")
    again = log.write_predictions("credit", table([row("other")]), batch_id="b")
    assert (ids(log), len(again)) == (["p0"], 1)


def test_what_was_replaced_twice_is_kept_in_the_file(tmp_path):
    log = SqliteLog(tmp_path / "log")
    for n in range(3):
        with log.replacing("credit", at=WINDOW.start.replace(minute=n)):
            log.write_predictions("credit", table([row(f"v{n}")]), batch_id="intake-1")
    assert ids(log) == ["v2"]
    assert log._db.execute("SELECT count(*) FROM batches").fetchone() == (3,)


def test_the_lines_of_the_wiring_open_it_by_the_name_of_the_folder(tmp_path, monkeypatch):
    module = ModuleType("vigil.adapters.sqlite_log")
    module.SqliteLog = SqliteLog
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (lines,) = [block for block in blocks("py") if "root.suffix" in block]
    opened = run(f"def open_log(root):\n{textwrap.indent(lines, '    ')}")["open_log"]
    assert isinstance(opened(tmp_path / "predictions.sqlite"), SqliteLog)
    assert opened(tmp_path / "predictions") is None  # and the lines below it go on as before
    assert "def open_log(root: Path) -> PredictionLog:" in Path(wiring.__file__).read_text()
    assert PredictionLog.__name__ in PAGE
