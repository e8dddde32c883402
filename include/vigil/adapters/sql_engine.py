"""Opening Vigil's database, and bringing its tables to the present version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import DateTime, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlalchemy.types import TypeDecorator

from vigil.core.errors import VigilError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0001"  # the newest migration
PRAGMAS = ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")  # FULL: a commit is kept
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_151_515  # PostgreSQL advisory lock while migrating


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Stored as UTC, read back as UTC with its zone; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value}")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """From the database: SQLite hands back naive UTC, PostgreSQL its session's zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def open_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, waits up to 30 s for other writers) or PostgreSQL; makes the SQLite file's folder.

    Raises VigilError for a URL that names neither.
    """
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))  # as providers of databases write it
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ValueError, ImportError) as error:  # never the URL itself: it may hold a password
        raise VigilError(
            "VIGIL_DATABASE_URL cannot be used; write postgresql://user:password@host:5432/name or sqlite:////a/path.db"
            f" ({type(error).__name__})"
        ) from None
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see `writing`
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("vigil_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def open_read_only(url: str) -> Engine | None:
    """An engine that changes nothing: no tables are made or brought up to date. None where there is no database yet.

    Raises VigilError for the database of another release of Vigil.
    """
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "").absolute()
        if not file.exists():
            return None
        wal = file.with_name(f"{file.name}-wal")
        quiet = not wal.exists() or wal.stat().st_size == 0  # else somebody works on it, and its files are there
        how = "immutable=1" if quiet else "mode=ro"
        engine = create_engine(f"sqlite:///file:{quote(str(file))}?{how}&uri=true")
    else:
        engine = open_engine(url)
    found = _revision(engine)
    if found != HEAD:
        raise VigilError(
            f"{engine.url.render_as_string(hide_password=True)} is of another release ({found or 'no version'}; this "
            f"one reads {HEAD}); `vigil ledger verify` brings it up to date"
        )
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that takes the write lock at once, so that what it reads stays true until it commits."""
    with engine.connect().execution_options(vigil_write=True) as connection, connection.begin():
        yield connection


def in_turn(connection: Connection, name: str) -> None:
    """Waits until no other transaction works on `name`; the turn ends with ours.

    SQLite has one writer at a time anyway (`writing`); PostgreSQL takes an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def upgrade(engine: Engine) -> None:
    """Runs the migrations that are missing. Safe when several processes start at once; one query when none is.

    Raises VigilError for the database of a newer Vigil, and for one that cannot be reached.
    """
    try:
        _upgrade(engine)
    except OperationalError as error:
        why = (str(error.orig).strip().splitlines() or ["no answer"])[0]
        raise VigilError(
            f"Vigil's database {engine.url.render_as_string(hide_password=True)} cannot be used: {why}. "
            "Correct VIGIL_DATABASE_URL, or start the server"
        ) from None


def _upgrade(engine: Engine) -> None:
    if _revision(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise VigilError(f"{engine.url!r}: a newer Vigil made this database ({error}); upgrade Vigil") from error


def _revision(engine: Engine) -> str | None:
    """The migration that the database is at; None for a database without any."""
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except (OperationalError, ProgrammingError):  # no such table; a database that is away fails again, in `upgrade`
        return None
    return str(found) if found else None
