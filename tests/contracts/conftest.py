"""The state ports on every store: in memory, on SQLite, and on a real PostgreSQL where one is installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from vigil.adapters import memory
from vigil.adapters.sql_engine import open_engine, upgrade
from vigil.adapters.sql_lease import SqlLease
from vigil.adapters.sql_ledger import SqlLedger
from vigil.adapters.sql_outbox import SqlOutbox
from vigil.adapters.sql_profiles import SqlProfiles
from vigil.adapters.sql_results import SqlResults

POSTGRES = pytest.param("postgres", marks=pytest.mark.slow)
NUMBERS = count(1)


class State(NamedTuple):
    """All state ports on one store. url is empty for memory; file is where its ledger notes checkpoints."""

    ledger: Any
    results: Any
    profiles: Any
    lease: Any
    outbox: Any
    url: str = ""
    file: Path = Path()


def sql_state(url: str, file: Path) -> State:
    engine = open_engine(url)
    return State(SqlLedger(engine, file), SqlResults(engine), SqlProfiles(engine), SqlLease(engine), SqlOutbox(engine),
                 url, file)  # fmt: skip


def memory_state() -> State:
    return State(memory.MemoryLedger(), memory.MemoryResults(), memory.MemoryProfiles(), memory.MemoryLease(),
                 memory.MemoryOutbox())  # fmt: skip


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at the newest migration, to be copied."""
    path = tmp_path_factory.mktemp("template") / "vigil.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a private PostgreSQL on a Unix socket; its database `vigil` is at the newest migration."""
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not on the PATH")
    user = {"user": "postgres"} if os.geteuid() == 0 else {}  # PostgreSQL refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="vigil-pg-"))
    if user:
        shutil.chown(home, "postgres")

    def run(*command: str) -> None:
        subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)

    data = str(home / "data")
    run("initdb", "-D", data, "-U", "vigil", "-A", "trust", "--no-sync")
    run("pg_ctl", "-D", data, "-w", "-l", str(home / "log"), "-o", f"-k {home} -c listen_addresses=''", "start")
    try:
        admin = open_engine(f"postgresql+psycopg2://vigil@/postgres?host={home}")
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("CREATE DATABASE vigil"))
        engine = open_engine(f"postgresql+psycopg2://vigil@/vigil?host={home}")
        upgrade(engine)
        engine.dispose()
        admin.dispose()
        yield f"postgresql+psycopg2://vigil@/{{name}}?host={home}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home)


def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> State:
    """The state ports on a store of their own."""
    if kind == "memory":
        return memory_state()
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "vigil.db")
        return sql_state(f"sqlite:///{folder / 'vigil.db'}", folder / "checkpoints.jsonl")
    server = request.getfixturevalue("postgres_server")
    name = f"vigil_{next(NUMBERS)}"
    admin = open_engine(server.format(name="postgres"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text(f"CREATE DATABASE {name} TEMPLATE vigil"))
    admin.dispose()
    return sql_state(server.format(name=name), folder / "checkpoints.jsonl")


@pytest.fixture(params=["memory", "sqlite", POSTGRES])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> State:
    """Every kind of store."""
    return opened(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", POSTGRES])
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> State:
    """The kinds of store that several processes share."""
    return opened(request.param, request, tmp_path)
