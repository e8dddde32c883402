"""A log that lies in a database: a real PostgreSQL is asked, and is also where Vigil's own state may be."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from vigil import wiring
from vigil.adapters.source_reader import SourceReader
from vigil.adapters.sql_engine import open_engine, upgrade
from vigil.config.schema import Monitor
from vigil.core.errors import DataError, VigilError
from vigil.settings import Settings
from vigil.usecases import nightly
from vigil.usecases.ingest import ingest

pytestmark = pytest.mark.slow

NIGHT = date(2026, 11, 20)
PREDICTIONS = "SELECT * FROM loans WHERE asked_at >= :start AND asked_at < :end ORDER BY asked_at"
OUTCOMES = "SELECT loan, paid, seen_at FROM payments WHERE seen_at >= :start AND seen_at < :end"
NUMBERS = count(1)


class Bank(NamedTuple):
    """A stranger's database. url: of its reader `ada`, whose password is asked for."""

    url: str
    engine: Any
    home: Path

    def add(self, *loans: tuple[str, str, float, bool]) -> None:
        with self.engine.begin() as db:
            for loan, at, risk, grant in loans:
                db.execute(
                    text("INSERT INTO loans VALUES (:loan, :at, :risk, :grant, 1200.50, 'Bonn')"),
                    {"loan": loan, "at": at, "risk": risk, "grant": grant},
                )

    def pay(self, loan: str, at: str, *, paid: bool | None) -> None:
        with self.engine.begin() as db:
            db.execute(text("INSERT INTO payments VALUES (:l, :p, :at)"), {"l": loan, "p": paid, "at": at})

    def settings(self, **parts: Any) -> Settings:
        return Settings(home=self.home, state=self.home / "state", **parts)

    def ports(self, monkeypatch: pytest.MonkeyPatch, url: str | None = None) -> Any:
        monkeypatch.setenv("BANK_URL", url or self.url)
        return wiring.open_ports(self.settings())


@pytest.fixture
def bank(postgres_server: str, tmp_path: Path) -> Iterator[Bank]:
    name = f"bank_{next(NUMBERS)}"
    admin = create_engine(postgres_server.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(text(f"CREATE DATABASE {name}"))
        db.execute(
            text("DO $$ BEGIN CREATE ROLE ada LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN END $$")
        )
        rules = Path(str(db.execute(text("SHOW hba_file")).scalar()))
        if "ada" not in rules.read_text():
            rules.write_text(f"local all ada scram-sha-256\n{rules.read_text()}")
            db.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    engine = create_engine(postgres_server.format(name=name))
    with engine.begin() as db:
        db.execute(text("CREATE TABLE loans (loan text, asked_at timestamptz, risk numeric(6, 2), granted boolean, "
                        "income numeric(12, 2), city text)"))  # fmt: skip
        db.execute(text("CREATE TABLE payments (loan text, paid boolean, seen_at timestamptz)"))
        db.execute(text("GRANT SELECT ON loans, payments TO ada"))
    socket = make_url(postgres_server).query["host"]
    yield Bank(f"postgres://ada:right@/{name}?host={socket}", engine, tmp_path)
    engine.dispose()


def monitor(**source: Any) -> Monitor:
    return Monitor.model_validate({
        "version": "vigil/v1", "model": "loans", "task": "binary", "timezone": "Europe/Berlin",
        "data": {"score": "score", "prediction": "prediction"},
        "source": {
            "predictions": PREDICTIONS, "database": "BANK_URL", "served_at": {"column": "asked_at"},
            "columns": {"prediction_id": "loan", "score": "risk", "prediction": "granted"},
            "values": {"prediction": {"1": "grant", "0": "deny"}}, "score_scale": 100,
            "outcomes": {"where": OUTCOMES, "label": "paid", "observed_at": {"column": "seen_at"}},
            **source,
        },
        "features": {"income": "numeric", "city": "category"},
        "decision": {"positive": "0", "threshold": 0.5, "favourable": "grant", "deserving": "1"},
        "rules": {"quality": [{"metric": "missing", "breach": "> 0.5"}]},
        "people": {"owner": "ada@example.com", "on_call": ["ada@example.com"]},
    })  # fmt: skip


def taken(ports: Any, nights: int = 3) -> list[dict[str, Any]]:
    found = []
    for n in range(nights):
        window = ports.log.partition(monitor(), nightly_window(NIGHT - timedelta(days=n)))
        found += ports.log.sample(monitor(), window, rows=1000).to_pylist()
    return sorted(found, key=lambda row: row["prediction_id"])


def nightly_window(night: date) -> Any:
    from vigil.core.window import night_window

    return night_window(night, "Europe/Berlin")


# the SELECT


def test_only_the_span_is_asked_for_and_values_arrive_in_vigil_s_words(bank, monkeypatch):
    bank.add(("007", "2026-11-19 23:30+01", 20.5, True), ("008", "2026-11-20 23:59:59+01", 80, False),
             ("009", "2026-11-21 00:00+01", 5, True))  # fmt: skip
    ports = bank.ports(monkeypatch)
    told = ingest(ports, monitor(), NIGHT, NIGHT)
    assert (told.rows, told.new) == (1, 1)
    (row,) = taken(ports)
    assert (row["prediction_id"], row["prediction"], row["score"]) == ("008", "deny", 0.8)
    assert (row["income"], row["city"]) == (1200.5, "Bonn")
    assert row["served_at"].astimezone(UTC) == datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)


def test_times_on_both_sides_of_the_change_of_clocks_are_the_instants_they_say(bank, monkeypatch):
    with bank.engine.begin() as db:
        db.execute(text("ALTER ROLE ada SET timezone TO 'Europe/Berlin'"))
    bank.add(("summer", "2026-10-25 02:30+02", 1, True), ("winter", "2026-10-25 02:30+01", 1, True))
    ports = bank.ports(monkeypatch)
    ingest(ports, monitor(), date(2026, 10, 25), date(2026, 10, 25))
    found = ports.log.partition(monitor(), nightly_window(date(2026, 10, 25)))
    at = {r["prediction_id"]: r["served_at"].hour for r in ports.log.sample(monitor(), found, rows=9).to_pylist()}
    assert at == {"summer": 0, "winter": 1}


def test_late_rows_of_an_old_night_are_taken_and_no_row_is_taken_twice(bank, monkeypatch):
    ports = bank.ports(monkeypatch)
    bank.add(("a", "2026-11-19 10:00+01", 10, True))
    assert ingest(ports, monitor(), NIGHT - timedelta(days=2), NIGHT).new == 1
    bank.add(("late", "2026-11-18 10:00+01", 10, True), ("new", "2026-11-20 10:00+01", 10, True))
    assert ingest(ports, monitor(), NIGHT - timedelta(days=2), NIGHT).new == 2
    assert ingest(ports, monitor(), NIGHT - timedelta(days=2), NIGHT).new == 0
    assert [r["prediction_id"] for r in taken(ports)] == ["a", "late", "new"]


def test_outcomes_are_asked_for_too_and_a_missing_one_is_not_known_yet(bank, monkeypatch):
    bank.add(("a", "2026-11-19 10:00+01", 10, True), ("b", "2026-11-19 11:00+01", 10, True))
    bank.pay("a", "2026-11-20 09:00+01", paid=True)
    bank.pay("b", "2026-11-20 09:00+01", paid=None)
    ports = bank.ports(monkeypatch)
    assert ingest(ports, monitor(), NIGHT - timedelta(days=2), NIGHT).outcomes == 1
    assert {r["prediction_id"]: r["label"] for r in taken(ports)} == {"a": "1", "b": None}
    bank.pay("b", "2026-11-20 12:00+01", paid=False)
    assert ingest(ports, monitor(), NIGHT - timedelta(days=2), NIGHT).outcomes == 1
    assert {r["prediction_id"]: r["label"] for r in taken(ports)} == {"a": "1", "b": "0"}


def test_rows_of_a_database_need_an_id(bank, monkeypatch):
    bank.add(("a", "2026-11-20 10:00+01", 10, True))
    select = PREDICTIONS.replace("*", "asked_at, risk, granted, income, city")
    with pytest.raises(DataError, match=r"no column 'loan'.*Rows of a database need an id: SELECT one"):
        ingest(bank.ports(monkeypatch), monitor(predictions=select), NIGHT, NIGHT)


# what goes wrong; the URL and its password are never said


def failure(bank: Bank, monkeypatch: pytest.MonkeyPatch, url: str, **source: Any) -> str:
    with pytest.raises(DataError) as told:
        ingest(bank.ports(monkeypatch, url), monitor(**source), NIGHT, NIGHT)
    said = str(told.value)
    assert "wrong" not in said
    assert "right@" not in said
    assert "://" not in said
    assert said.startswith("the database of BANK_URL could not be asked: ")
    return said


def test_a_wrong_password_asks_for_the_right_one(bank, monkeypatch):
    said = failure(bank, monkeypatch, bank.url.replace(":right@", ":wrong@"))
    assert 'password authentication failed for user "ada"' in said
    assert said.endswith("Correct the user or the password in the URL")


def test_a_server_that_is_down_is_asked_after(bank, monkeypatch, tmp_path):
    said = failure(bank, monkeypatch, bank.url.partition("?")[0] + f"?host={tmp_path}")
    assert said.endswith("Is the server running, and are the host, the port and the database in the URL right?")
    said = failure(bank, monkeypatch, "postgres://ada:wrong@127.0.0.1:1/bank")
    assert "Connection refused" in said


def test_a_database_that_does_not_exist_is_asked_after(bank, monkeypatch):
    said = failure(bank, monkeypatch, bank.url.replace("/bank_", "/tank_"))
    assert 'database "tank_' in said


@pytest.mark.parametrize(("select", "why"), [
    (PREDICTIONS.replace("loans", "role_connections"), 'relation "role_connections" does not exist'),
    (PREDICTIONS.replace("*", "lone"), 'column "lone" does not exist'),
    (PREDICTIONS.replace("SELECT", "SELEC"), "syntax error"),
])  # fmt: skip
def test_a_select_that_does_not_work_is_to_be_corrected(bank, monkeypatch, select, why):
    said = failure(bank, monkeypatch, bank.url, predictions=select)
    assert why in said
    assert said.endswith("Correct the SELECT, or the rights of the user")


def test_a_table_that_may_not_be_read_is_a_matter_of_rights(bank, monkeypatch):
    with bank.engine.begin() as db:
        db.execute(text("REVOKE SELECT ON loans FROM ada"))
    assert "permission denied for table loans" in failure(bank, monkeypatch, bank.url)


def test_two_columns_of_one_name_are_to_be_renamed(bank, monkeypatch):
    bank.add(("a", "2026-11-20 10:00+01", 10, True))
    with pytest.raises(DataError, match="the SELECT gives two columns the name 'city'; rename one with AS"):
        ingest(bank.ports(monkeypatch), monitor(predictions=PREDICTIONS.replace("*", "*, city")), NIGHT, NIGHT)


def test_a_reader_leaves_no_connection_behind(bank):
    reader = SourceReader(bank.home, bank.home / "done", {"BANK_URL": bank.url})
    for _ in range(3):
        list(reader.pieces("loans", monitor().source, PREDICTIONS, nightly_window(NIGHT)))

    @retry(retry=retry_if_result(bool), stop=stop_after_delay(10), wait=wait_fixed(0.1),
           retry_error_callback=lambda state: state.outcome.result())  # fmt: skip
    def left() -> int:
        """A server's process ends a moment after its client has gone."""
        with bank.engine.connect() as db:
            idle = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ada' AND state = 'idle'"
            return int(db.execute(text(idle)).scalar() or 0)

    assert left() == 0


# PostgreSQL as the place of Vigil's own state


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_night_is_judged_with_the_state_in_postgresql_however_its_url_is_spelled(bank, monkeypatch, scheme):
    bank.add(*((f"l{n}", f"2026-11-20 10:{n:02d}+01", n, n % 2 == 0) for n in range(60)))
    own = bank.engine.url.set(drivername=scheme, username="vigil").render_as_string(hide_password=False)
    monkeypatch.setenv("BANK_URL", bank.url)
    monkeypatch.setenv("VIGIL_DATABASE_URL", own)
    ports = wiring.open_ports(bank.settings())
    ingest(ports, monitor(), NIGHT, NIGHT)
    nightly.profile(ports, monitor(), NIGHT, nights=[NIGHT])
    nightly.judge(ports, monitor(), NIGHT, nights=[NIGHT])
    result = wiring.open_ports(bank.settings()).results.latest("loans", "production", NIGHT)
    assert result is not None
    assert result.verdicts
    assert not (bank.home / "state" / "vigil.db").exists()


def test_a_wrong_password_of_vigil_s_own_database_is_a_sentence_without_it(bank, monkeypatch):
    monkeypatch.setenv("VIGIL_DATABASE_URL", bank.url.replace(":right@", ":wrong@"))
    with pytest.raises(VigilError, match='password authentication failed for user "ada"') as told:
        wiring.open_ports(bank.settings())
    assert "wrong" not in str(told.value)
    assert "Correct VIGIL_DATABASE_URL, or start the server" in str(told.value)


@pytest.mark.parametrize(
    "url", ["postgres//ada:secret@h/d", "postgresql://ada:secret@h:port/d", "nosuch://ada:secret@h/d"]
)
def test_an_address_of_vigil_s_own_database_that_is_none_is_said_without_its_password(url):
    with pytest.raises(
        VigilError, match="VIGIL_DATABASE_URL cannot be used; write postgresql://user:password@"
    ) as told:
        upgrade(open_engine(url))
    assert "secret" not in str(told.value)
