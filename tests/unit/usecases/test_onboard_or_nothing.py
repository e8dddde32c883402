"""`vigil init` does all or nothing: whichever step fails, and however, the home is as it was before, to the byte."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.onboarding.made_log import calls
from tests.unit.usecases.intake_stage import kept, ports
from vigil.adapters.parquet_log import ParquetLog
from vigil.adapters.source_reader import SourceReader
from vigil.adapters.sql_ledger import SqlLedger
from vigil.adapters.sql_profiles import SqlProfiles
from vigil.onboarding.document import Answers
from vigil.onboarding.request import Asked
from vigil.usecases import onboard
from vigil.usecases.fit import fit
from vigil.usecases.look import Looked, look_at

pytestmark = pytest.mark.slow  # Great Expectations tries the suite

ADA = Answers(owner="ada@example.com", favourable="yes")
STEPS = (
    (SourceReader, "_remember"), (ParquetLog, "write_predictions"), (ParquetLog, "write_outcomes"),
    (SqlProfiles, "put_edges"), (ParquetLog, "write_reference"), (SqlProfiles, "put_baseline"), (SqlLedger, "append"),
)  # fmt: skip
ERRORS = (OSError("No space left on device"), KeyboardInterrupt())
Home = dict[str, Any]


def home_of(folder: Path) -> Home:
    """Every file with its content; of the database every row of every table."""
    database = folder / "state" / "vigil.db"
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*") if path.is_file() and not path.name.startswith(database.name)
    }  # fmt: skip
    with sqlite3.connect(database) as db:
        return {**files, "database": list(db.iterdump())}


def looked_at(stores: Any, **asked: Any) -> Looked:
    return look_at(stores, Asked(name="calls", log="calls-*.csv", no_protected=True, **asked))


FITS: dict[int, Any] = {}


def fit_once(stores: Any, looked: Looked, *given: Any) -> Any:
    """The draft is made before anything is written: once for all steps that fail after it."""
    if id(looked) not in FITS:
        FITS[id(looked)] = (fit(stores, looked, *given), looked)
    return FITS[id(looked)][0]


@pytest.fixture(autouse=True, scope="module")
def _fits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onboard, "fit", fit_once)
        yield
    FITS.clear()


def write(stores: Any, looked: Looked, home: Path, *, force: bool = False) -> onboard.Written:
    return onboard.write(stores, looked, ADA, home=home, reference=None, actor="ada", force=force)


@contextmanager
def failing(owner: Any, name: str, error: BaseException, *, done: bool, call: int = 1) -> Iterator[list[int]]:
    """A step that raises at its n-th call, before it did anything or once it is done. Yields the count of calls."""
    real, count = getattr(owner, name), [0]

    def step(*given: Any, **named: Any) -> Any:
        count[0] += 1
        if count[0] == call and not done:
            raise error
        answer = real(*given, **named)
        if count[0] == call:
            raise error
        return answer

    setattr(owner, name, step)
    try:
        yield count
    finally:
        setattr(owner, name, real)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """(home, ports, what was seen of a log) before a first init. Files of one night, and of several."""
    home = tmp_path_factory.mktemp("first")
    return home, *opened(home)


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """(home, ports, what was seen otherwise) where a monitor is, with rows of a service beside those of its log."""
    home = tmp_path_factory.mktemp("again")
    stores, looked = opened(home)
    write(stores, looked, home)
    own = home / "state/predictions/predictions/model=calls/date=2026-10-01"
    (own / "service-1.parquet").write_bytes(next(own.glob("*.parquet")).read_bytes())
    return home, stores, looked_at(stores, exclude=("balance",), timezone="Asia/Tokyo")


def opened(home: Path) -> tuple[Any, Looked]:
    rows = calls()
    for name, cut in (("a", rows.iloc[:40]), ("b", rows.iloc[40:400]), ("c", rows.iloc[400:])):
        cut.to_csv(home / f"calls-{name}.csv", index=False)
    stores = ports(home)
    return stores, looked_at(stores)


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=lambda s: s if isinstance(s, str) else "")
@pytest.mark.parametrize("place", ["first", "again"])
def test_a_step_that_fails_leaves_the_home_as_it_was(request, place, owner, name, error):
    home, stores, looked = request.getfixturevalue(place)
    before = home_of(home)
    for done in (False, True) if name != "append" else (False,):
        with failing(owner, name, error, done=done) as count, pytest.raises(type(error)):
            write(stores, looked, home, force=place == "again")
        assert count == [1]
        assert home_of(home) == before


@pytest.mark.parametrize("place", ["first", "again"])
@pytest.mark.parametrize("call", [2, 5])
def test_a_file_that_fails_to_move_leaves_the_home_as_it_was(request, place, call):
    home, stores, looked = request.getfixturevalue(place)
    before = home_of(home)
    for done in (False, True):
        with failing(Path, "replace", ERRORS[1], done=done, call=call), pytest.raises(KeyboardInterrupt):
            write(stores, looked, home, force=place == "again")
        assert home_of(home) == before


@pytest.mark.parametrize("name", ["calls.yaml", "calls.json"])
@pytest.mark.parametrize("place", ["first", "again"])
def test_a_file_that_cannot_be_put_in_place_leaves_the_home_as_it_was(request, place, name, monkeypatch):
    home, stores, looked = request.getfixturevalue(place)
    before, real = home_of(home), Path.replace

    def replace(path, target):
        if path.suffix == ".draft" and Path(target).name == name:
            raise PermissionError(f"{target} is not yours")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(PermissionError, match="is not yours"):
        write(stores, looked, home, force=place == "again")
    assert home_of(home) == before


def test_after_a_failure_the_same_init_does_what_it_would_have_done(tmp_path):
    stores, looked = opened(tmp_path)
    with failing(SqlProfiles, "put_baseline", OSError("full"), done=True), pytest.raises(OSError, match="full"):
        write(stores, looked, tmp_path)
    done = write(stores, looked, tmp_path)
    assert (done.ingested.new, done.reference_rows) == (600, 200)
    assert len(kept(stores, done.monitor, onboard.nights_of(done.first, done.last))) == 600


def test_what_was_replaced_is_kept_whole_each_time_in_a_place_of_its_own(tmp_path):
    stores, looked = opened(tmp_path)
    log = tmp_path / "state/predictions"
    write(stores, looked, tmp_path)
    was = {p.relative_to(log): p.read_bytes() for p in log.rglob("intake-*")}
    for _ in range(2):
        write(stores, looked_at(stores, exclude=("balance",)), tmp_path, force=True)
    places = sorted((log / "replaced").iterdir())
    assert len(places) == 2
    assert {p.relative_to(places[0]): p.read_bytes() for p in places[0].rglob("intake-*")} == was
