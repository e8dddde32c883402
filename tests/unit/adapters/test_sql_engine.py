"""The database is opened, brought to the present, and never by two at once."""

import multiprocessing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, insert, inspect, select, text
from sqlalchemy.exc import StatementError

from vigil.adapters.sql_engine import HEAD, MIGRATIONS, open_engine, upgrade
from vigil.adapters.sql_tables import leases, metadata
from vigil.core.errors import VigilError


@pytest.fixture
def engine(tmp_path):
    return open_engine(f"sqlite:///{tmp_path / 'deep' / 'state' / 'vigil.db'}")


def test_the_folder_is_made_and_the_database_is_ready_for_several_processes(engine):
    with engine.connect() as db:
        asked = [db.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "foreign_keys", "synchronous")]
        assert asked == ["wal", 1, 2]
        assert db.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(engine):
    upgrade(engine)
    with engine.connect() as db:
        assert compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata) == []
        for table in metadata.sorted_tables:
            made = {c["name"]: c["nullable"] for c in inspect(db).get_columns(table.name)}
            assert made == {c.name: c.nullable for c in table.columns}, table.name


def test_the_head_that_the_code_names_is_the_newest_migration():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_at_head_one_small_query_is_all_that_an_upgrade_costs(engine):
    upgrade(engine)
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    upgrade(engine)
    assert asked == ["BEGIN", "SELECT version_num FROM alembic_version"]


def test_the_database_of_a_newer_vigil_is_refused_with_the_next_step(engine):
    upgrade(engine)
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(VigilError, match=r"a newer Vigil made this database .*9999.*; upgrade Vigil"):
        upgrade(engine)


def test_a_migration_that_fails_leaves_no_table_behind(engine, monkeypatch):
    def fails(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("alembic.op.create_index", fails)
    with pytest.raises(KeyboardInterrupt):
        upgrade(engine)
    assert inspect(engine).get_table_names() == []
    monkeypatch.undo()
    upgrade(engine)
    assert "events" in inspect(engine).get_table_names()


def test_instants_are_stored_as_utc_and_a_naive_time_is_refused(engine):
    upgrade(engine)
    berlin = datetime(2026, 11, 21, 3, tzinfo=timezone(timedelta(hours=1)))
    row = {"name": "n", "holder": "h", "token": 1}
    with engine.begin() as db:
        db.execute(insert(leases).values(**row, expires_at=berlin))
        stored = db.execute(select(leases.c.expires_at)).scalar()
        assert (stored, stored.tzinfo) == (datetime(2026, 11, 21, 2, tzinfo=UTC), UTC)
    with engine.begin() as db, pytest.raises(StatementError, match="a naive time cannot be stored"):
        db.execute(insert(leases).values(**{**row, "name": "m"}, expires_at=datetime(2026, 11, 21)))  # noqa: DTZ001


def _start(url: str, start) -> None:
    engine = open_engine(url)
    start.wait()
    upgrade(engine)


@pytest.mark.slow
def test_processes_that_start_at_once_on_an_empty_folder_all_come_up(tmp_path: Path):
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    url = f"sqlite:///{tmp_path / 'new' / 'vigil.db'}"
    workers = [spawn.Process(target=_start, args=(url, start)) for _ in range(4)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert [w.exitcode for w in workers] == [0, 0, 0, 0]
