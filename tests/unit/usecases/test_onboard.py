"""From a stranger's log to a watched monitor, at the second attempt too; and nothing half-written where it fails."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.onboarding.made_log import calls
from tests.unit.usecases.intake_stage import kept, ports
from vigil.core.errors import DataError
from vigil.core.words import Family
from vigil.intake.types import Source
from vigil.onboarding.document import Answers
from vigil.onboarding.request import Asked
from vigil.usecases import onboard
from vigil.usecases.ingest import ingest
from vigil.usecases.look import look_at, reference_from
from vigil.verdicts.types import State, Verdict

pytestmark = pytest.mark.slow  # Great Expectations tries the suite

ADA = Answers(owner="ada@example.com", favourable="yes")


@pytest.fixture
def stores(tmp_path):
    calls().to_csv(tmp_path / "calls.csv", index=False)
    return ports(tmp_path)


def init(stores, home, *, reference=None, force=False, **asked: Any):
    looked = look_at(stores, Asked(**{"name": "calls", "log": "calls.csv", "no_protected": True, **asked}))
    return onboard.write(stores, looked, ADA, home=home, reference=reference, actor="ada", force=force)


def files(home: Path) -> set[str]:
    return {str(p.relative_to(home)) for folder in ("monitors", "expectations") for p in (home / folder).rglob("*")}


def rows(stores, written):
    return kept(stores, written.monitor, onboard.nights_of(written.first, written.last))


def test_a_log_becomes_a_monitor_a_suite_its_rows_and_a_reference(stores, tmp_path):
    done = init(stores, tmp_path)
    assert files(tmp_path) == {"monitors/calls.yaml", "expectations/calls.json"}
    assert (done.ingested.new, done.ingested.outcomes) == (600, 520)
    assert (done.reference, done.reference_rows, done.dropped) == ("the log's first 5 nights", 200, ())
    assert len(rows(stores, done)) == 600
    assert stores.profiles.baseline("calls", "reference").rows == 200
    assert ingest(stores, done.monitor, done.first, done.last).rows == 0


def test_looking_alone_writes_nothing_and_takes_nothing(stores, tmp_path):
    looked = look_at(stores, Asked(name="calls", log="calls.csv"))
    assert (looked.files, looked.draft.rows) == (1, 600)
    assert files(tmp_path) == set()
    source = Source.model_validate({"predictions": "calls.csv", "served_at": {"column": "called_on"}})
    assert sum(len(p.rows) for p in stores.intake.pieces("calls", source, "calls.csv", None)) == 600


def test_a_holdout_can_be_the_reference(stores, tmp_path):
    calls(300).drop(columns=["call_ref", "called_on"]).to_csv(tmp_path / "holdout.csv", index=False)
    done = init(stores, tmp_path, reference="holdout.csv")
    assert (done.reference, done.reference_rows) == ("holdout.csv", 300)


def test_a_reference_with_other_columns_is_refused_and_leaves_no_monitor(stores, tmp_path):
    calls(300).drop(columns=["balance"]).to_csv(tmp_path / "holdout.csv", index=False)
    with pytest.raises(DataError, match=r"holdout\.csv: there is no column 'balance'\. It has: .* has every feature"):
        init(stores, tmp_path, reference="holdout.csv")
    assert files(tmp_path) == set()


def test_an_expectation_that_would_fire_on_the_reference_itself_is_left_out_and_said(stores, tmp_path):
    class Strict:
        """Finds the third expectation wrong."""

        def check(self, monitor, made, rows):
            state = dict.fromkeys(range(99), State.OK) | {2: State.BREACH}
            rest = {"metric": "expectation", "family": Family.QUALITY, "reason": ""}
            return [Verdict(subject=str(n), state=state[n], **rest) for n in range(len(made["expectations"]))]

    done = init(replace(stores, quality=Strict()), tmp_path)
    assert done.dropped == ("expect_column_values_to_not_be_null(prediction_id)",)
    kinds = {(e["type"], e["kwargs"].get("column")) for e in json.loads(done.suite.read_text())["expectations"]}
    assert ("expect_column_values_to_not_be_null", "prediction_id") not in kinds
    assert ("expect_column_values_to_be_between", "balance") in kinds


def test_a_failure_after_the_rows_were_taken_takes_them_out_again(stores, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(onboard, "set_reference", full)
    with pytest.raises(OSError, match="No space left on device"):
        init(stores, tmp_path)
    assert files(tmp_path) == set()
    assert not list((tmp_path / "state/predictions/predictions").rglob("*.parquet"))
    assert stores.profiles.edges("calls") is None
    assert stores.profiles.baseline("calls", "reference") is None


def test_a_draft_that_cannot_be_made_takes_no_row_and_keeps_no_reference(stores, tmp_path):
    with pytest.raises(DataError, match=r"there is no file gone\.csv"):
        init(stores, tmp_path, reference="gone.csv")
    assert files(tmp_path) == set()
    assert not list((tmp_path / "state").rglob("*.parquet"))
    assert not list((tmp_path / "state").rglob("intake/**/*.json"))
    assert stores.profiles.edges("calls") is None


# the second attempt


def test_a_monitor_that_is_there_is_only_replaced_by_force(stores, tmp_path):
    before = init(stores, tmp_path).yaml.read_text()
    with pytest.raises(
        DataError, match=r"calls\.yaml is there already; choose another name, or replace it with --force"
    ):
        init(stores, tmp_path, timezone="Asia/Tokyo")
    assert (tmp_path / "monitors/calls.yaml").read_text() == before


def test_the_second_attempt_reads_the_log_anew_and_keeps_the_rows_of_the_first_elsewhere(stores, tmp_path):
    first = init(stores, tmp_path, exclude=("balance",), timezone="Asia/Tokyo")
    assert "balance" not in rows(stores, first)[0]
    second = init(stores, tmp_path, force=True)
    found = rows(stores, second)
    assert (second.ingested.new, len(found)) == (600, 600)
    assert all(row["balance"] is not None for row in found)
    assert {row["served_at"].hour for row in found} <= {9, 10, 11, 12}  # UTC, not Tokyo
    assert list((tmp_path / "state/predictions/replaced").rglob("*.parquet"))
    assert "balance" in stores.profiles.edges("calls").numeric


def test_an_attempt_after_one_that_failed_does_not_trip_over_what_that_one_took(stores, tmp_path):
    with pytest.raises(DataError, match=r"there is no file gone\.csv"):
        init(stores, tmp_path, reference="gone.csv", exclude=("balance",))
    assert files(tmp_path) == set()
    done = init(stores, tmp_path)
    assert all(row["balance"] is not None for row in rows(stores, done))


# disks that are full


@pytest.mark.parametrize("at", ["calls.draft", "monitors/calls.draft"])
def test_a_disk_that_fills_up_leaves_neither_a_monitor_nor_half_of_one(stores, tmp_path, monkeypatch, at):
    written = Path.write_text

    def full(path, text, **how):
        if str(path).endswith(at) and (at != "calls.draft" or path.parent.name == "expectations"):
            written(path, text[:20], **how)
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return written(path, text, **how)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device"):
        init(stores, tmp_path)
    assert files(tmp_path) == set()


def test_a_disk_that_fills_up_leaves_the_monitor_that_was_there(stores, tmp_path, monkeypatch):
    done = init(stores, tmp_path)
    before = (done.yaml.read_text(), done.suite.read_text())
    written = Path.write_text

    def full(path, text, **how):
        if path.parent.name == "expectations":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return written(path, text, **how)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device"):
        init(stores, tmp_path, exclude=("balance",), force=True)
    assert (done.yaml.read_text(), done.suite.read_text()) == before


# files that cannot be read, and files of something else


def test_a_torn_file_and_one_of_something_else_are_left_out_and_named(stores, tmp_path):
    (tmp_path / "logs").mkdir()
    calls(600).to_csv(tmp_path / "logs/a.csv", index=False)
    (tmp_path / "logs/b.csv").write_text("call_ref,called_on\n1\n")
    (tmp_path / "logs/manifest.csv").write_text("name,size\na.csv,600\n")
    looked = look_at(stores, Asked(name="calls", log="logs/*.csv"))
    assert [one.origin for one in looked.unread] == ["b.csv", "manifest.csv"]
    assert "it has other columns than the rest of the log" in looked.unread[1].why
    assert (looked.draft.rows, "size" in looked.draft.features) == (600, False)


def test_a_log_of_torn_files_alone_is_refused(stores, tmp_path):
    (tmp_path / "torn.csv").write_text("call_ref,called_on\n1\n")
    with pytest.raises(DataError, match=r"torn\.csv cannot be read as csv"):
        look_at(stores, Asked(name="calls", log="torn.csv"))


def test_a_reference_of_which_a_file_is_torn_is_refused(stores, tmp_path):
    done = init(stores, tmp_path)
    (tmp_path / "good").mkdir()
    calls(300).to_csv(tmp_path / "good/a.csv", index=False)
    (tmp_path / "good/b.csv").write_text("call_ref,called_on\n1\n")
    with pytest.raises(DataError, match=r"b\.csv.*rows to compare with must be whole"):
        reference_from(stores, done.monitor, "good")
