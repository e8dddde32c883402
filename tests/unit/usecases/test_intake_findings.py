"""A night says what its intake did not take: named, tried again, and forgotten once it was taken."""

from datetime import timedelta

import pytest

from tests.unit.usecases.intake_stage import NIGHT, append, loans, monitor, ports
from vigil.usecases import nightly
from vigil.usecases.ingest import Ingested
from vigil.usecases.intake_findings import account, intake_findings, newly_unread, noted
from vigil.verdicts.types import Cause, State

WATCHED = monitor(source={"predictions": "logs/*.csv"})
NEXT = NIGHT + timedelta(days=1)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path


def say(stores, night) -> tuple[State, str] | None:
    found = intake_findings(noted(stores, WATCHED, night))
    return (found[0].state, found[0].reason) if found else None


def test_a_night_without_anything_odd_says_nothing(home):
    stores = ports(home)
    append(home / "logs/a.csv", loans(3))
    nightly.intake(stores, WATCHED, NIGHT)
    assert say(stores, NIGHT) is None
    assert newly_unread(stores, WATCHED, NIGHT) == ()


def test_a_torn_file_is_unknown_until_it_is_whole_and_taints_only_the_night_it_first_lacked(home):
    stores = ports(home)
    append(home / "logs/a.csv", loans(3))
    (home / "logs/b.csv").write_text("ref,asked_on\n1,2,3\n")
    nightly.intake(stores, WATCHED, NIGHT)
    state, reason = say(stores, NIGHT)
    assert state is State.UNKNOWN
    assert reason.startswith("b.csv cannot be read as csv: ")
    assert reason.endswith("The file was not taken, and is tried again next time")
    assert [one.origin for one in newly_unread(stores, WATCHED, NIGHT)] == ["b.csv"]
    result = nightly.night_result(stores, WATCHED, NIGHT, as_of=NIGHT)
    (verdict,) = (v for v in result.verdicts if v.metric == "intake")
    assert (verdict.cause, verdict.overdue) == (Cause.CHECK_FAILED, True)

    nightly.intake(stores, WATCHED, NEXT)
    assert say(stores, NEXT)[0] is State.UNKNOWN
    assert newly_unread(stores, WATCHED, NEXT) == ()

    loans(2, first=3).to_csv(home / "logs/b.csv", index=False)
    assert nightly.intake(stores, WATCHED, NEXT).new == 2
    assert say(stores, NIGHT) is say(stores, NEXT) is None
    assert newly_unread(stores, WATCHED, NIGHT) == ()


def test_what_a_step_rejected_is_said_although_the_step_ran_twice(home):
    stores = ports(home)
    append(home / "logs/a.csv", loans(4, asked_on=["2026-11-20 09:00"] * 3 + ["soon"]))
    for _ in range(2):
        nightly.intake(stores, WATCHED, NIGHT)
    assert say(stores, NIGHT) == (
        State.WARN, "1 of 4 rows of the source were not taken: a.csv, row 4: asked_on is no time",
    )  # fmt: skip


def test_rows_that_changed_and_rows_with_odd_times_are_warnings(home):
    stores = ports(home)
    append(home / "logs/a.csv", loans(3))
    nightly.intake(stores, WATCHED, NIGHT)
    rows = loans(5, income=7.0, asked_on=["2026-11-20 09:00"] * 4 + ["2199-01-01 09:00"])
    rows.to_csv(home / "logs/a.csv", index=False)
    nightly.intake(stores, WATCHED, NEXT)
    state, reason = say(stores, NEXT)
    assert state is State.WARN
    assert "3 rows have an id that is in the log with other values: what is there stays" in reason
    assert "a.csv: 1 rows are dated 2199-01-01, " in reason
    assert " days from the others (2026-11-20), which is in the future (are day and month swapped" in reason


def test_rows_of_nights_that_are_not_judged_again_are_said_but_not_when_a_log_is_taken_for_the_first_time(home):
    stores = ports(home)
    append(home / "logs/a.csv", loans(3, night=NIGHT - timedelta(days=300)))
    nightly.intake(stores, WATCHED, NIGHT)
    assert say(stores, NIGHT) is None
    nightly.judge_night(stores, WATCHED, NIGHT, as_of=NIGHT)
    append(home / "logs/b.csv", loans(2, first=3, night=NIGHT - timedelta(days=299)))
    nightly.intake(stores, WATCHED, NEXT)
    why = "2 of the 2 new rows belong to nights that are not judged again, the oldest to 2026-01-25"
    assert say(stores, NEXT) == (State.WARN, why)


def test_an_intake_that_an_older_release_noted_is_read():
    told = Ingested.model_validate({"rows": 3, "new": 2, "rejected": 1, "examples": ["a.csv, row 1: at is no time"]})
    assert list(account(told)) == ["1 of 3 rows of the source were not taken: a.csv, row 1: at is no time"]


def test_a_night_whose_intake_ran_twice_still_has_each_row_in_one_place(home):
    stores = ports(home)
    append(home / "logs/a.csv", loans(5, asked_on=["2026-11-20 09:00"] * 3 + ["2199-01-01 09:00", "soon"]))
    for _ in range(3):
        nightly.intake(stores, WATCHED, NIGHT)
    seen = noted(stores, WATCHED, NIGHT)
    assert (seen.new, seen.rows_held) == (3, 1)
    parts = (seen.new, seen.known, seen.conflicting, seen.excluded, seen.rejected, seen.rows_held)
    assert seen.rows == sum(parts)
