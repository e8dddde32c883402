"""A log that others write becomes Vigil's own: each row once, however often and in whatever pieces it is read."""

import errno
import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tests.unit.usecases.intake_stage import NIGHT, append, kept, loans, monitor
from tests.unit.usecases.intake_stage import stores as opened
from vigil.adapters import parquet_files, source_reader
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.core.errors import DataError
from vigil.core.window import night_window
from vigil.intake.odd_times import OddTime
from vigil.profiles.types import Edges
from vigil.usecases.ingest import Ingested, ingest


@pytest.fixture
def stores(tmp_path):
    return opened(tmp_path)


def take(stores, watched=None, **how) -> Ingested:
    return ingest(stores, watched or monitor(), NIGHT, NIGHT, **how)


def ids(stores, watched=None) -> list[str]:
    return [row["prediction_id"] for row in kept(stores, watched or monitor())]


# each row once


def test_a_file_that_grows_is_taken_row_by_row(stores, tmp_path):
    log = tmp_path / "loans.csv"
    append(log, loans(3))
    assert take(stores) == Ingested(rows=3, new=3, first=NIGHT, last=NIGHT)
    assert take(stores) == Ingested()
    append(log, loans(2, first=3))
    assert take(stores).new == 2
    assert take(stores, again=True) == Ingested(rows=5, known=5)
    assert ids(stores) == [f"{n:05d}" for n in range(5)]


def test_a_file_without_ids_that_grows_is_taken_row_by_row(stores, tmp_path):
    watched = monitor(source={"columns": {"score": "risk", "prediction": "answer"}})
    log = tmp_path / "loans.csv"
    for first in (0, 3):
        append(log, loans(3, first=first, ref=None))
        assert take(stores, watched).new == 3
    assert ids(stores, watched) == [f"loans.csv-{n}" for n in range(1, 7)]


def test_rows_without_ids_in_files_of_the_same_name_are_all_taken(stores, tmp_path):
    watched = monitor(source={"predictions": "logs/**/*.csv", "columns": {"score": "risk", "prediction": "answer"}})
    for region in ("eu", "us"):
        (tmp_path / "logs" / region).mkdir(parents=True)
        append(tmp_path / "logs" / region / "part-0.csv", loans(3, ref=None))
    assert take(stores, watched).new == 6
    assert len(set(ids(stores, watched))) == 6


def test_the_same_rows_in_two_files_are_taken_once(stores, tmp_path):
    watched = monitor(source={"predictions": "*.csv"})
    append(tmp_path / "a.csv", loans(3))
    append(tmp_path / "b.csv", loans(4))
    told = take(stores, watched)
    assert (told.rows, told.new) == (7, 4)


def test_many_files_of_several_formats_are_one_log(stores, tmp_path):
    (tmp_path / "logs").mkdir()
    watched = monitor(source={"predictions": "logs/*"})
    loans(3).to_csv(tmp_path / "logs/a.csv", index=False)
    (tmp_path / "logs/b.csv.gz").write_bytes(gzip.compress(loans(3, first=3).to_csv(index=False).encode()))
    loans(3, first=6).to_json(tmp_path / "logs/c.jsonl", orient="records", lines=True)
    loans(3, first=9).to_parquet(tmp_path / "logs/d.parquet")
    assert take(stores, watched).new == 12
    found = kept(stores, watched)
    assert [row["prediction_id"] for row in found] == [f"{n:05d}" for n in range(12)]
    assert {type(row["income"]) for row in found} == {float}
    assert {row["city"] for row in found} == {"Bonn", "Köln", "Ulm"}


def test_a_crash_between_two_pieces_loses_no_row_and_takes_none_twice(stores, tmp_path, monkeypatch):
    monkeypatch.setattr(source_reader, "ROWS", 2048)
    append(tmp_path / "loans.csv", loans(5000, asked_on=["2026-11-20 09:00"] * 5000))
    write, calls = stores.log.write_predictions, []

    def dies(model, rows, *, batch_id):
        calls.append(batch_id)
        if len(calls) == 2:
            raise OSError(errno.EIO, "the power went off")
        return write(model, rows, batch_id=batch_id)

    monkeypatch.setattr(stores.log, "write_predictions", dies)
    with pytest.raises(OSError, match="power"):
        take(stores)
    assert 0 < len(ids(stores)) < 5000
    monkeypatch.setattr(stores.log, "write_predictions", write)
    assert 0 < take(stores).new < 5000
    assert ids(stores) == [f"{n:05d}" for n in range(5000)]


def test_a_full_disk_leaves_nothing_half_written_and_the_next_time_all_is_taken(stores, tmp_path, monkeypatch):
    append(tmp_path / "loans.csv", pd.concat([loans(3), loans(3, first=3, night=NIGHT.replace(day=19))]))
    write, written = parquet_files._write, []

    def full(rows, draft):
        written.append(draft)
        if len(written) == 2:
            draft.write_bytes(b"PAR1 half a file")
            raise OSError(errno.ENOSPC, "No space left on device", str(draft))
        write(rows, draft)

    monkeypatch.setattr(parquet_files, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        take(stores)
    assert kept(stores, monitor(), (NIGHT, NIGHT.replace(day=19))) == []
    assert not written[1].exists()
    monkeypatch.setattr(parquet_files, "_write", write)
    assert take(stores).new == 6
    assert len(kept(stores, monitor(), (NIGHT, NIGHT.replace(day=19)))) == 6


# correcting the source


def test_rows_that_a_corrected_source_finds_in_a_file_that_was_read_are_taken(stores, tmp_path):
    append(tmp_path / "loans.csv", loans(4, model=["ours", "theirs", "ours", "theirs"]))
    assert take(stores, monitor(source={"only": {"model": "ours"}})).new == 2
    assert take(stores, monitor(source={"only": {"model": "theirs"}}), again=True).new == 2
    assert ids(stores) == ["00000", "00001", "00002", "00003"]


def test_a_label_that_was_corrected_is_taken_beside_the_old_one_and_the_newest_counts(stores, tmp_path):
    truth = {"label": "paid", "observed_at": {"column": "on"}}
    watched = monitor(source={"outcomes": truth})
    rows = loans(2, paid=["paid", "default"], on=["2026-12-01"] * 2)
    rows.to_csv(tmp_path / "loans.csv", index=False)
    assert take(stores, watched).outcomes == 2
    rows.assign(paid=["paid", "paid"], on=["2026-12-01", "2026-12-02"]).to_csv(tmp_path / "loans.csv", index=False)
    assert take(stores, watched).outcomes == 1
    assert [row["label"] for row in kept(stores, watched)] == ["paid", "paid"]


# outcomes


def test_labels_inside_that_are_filled_in_later_are_taken_when_they_are(stores, tmp_path):
    watched = monitor(source={"outcomes": {"label": "paid", "after_days": 3}})
    loans(3, paid=None).assign(paid=None).to_csv(tmp_path / "loans.csv", index=False)
    assert take(stores, watched).outcomes == 0
    loans(3).assign(paid=["paid", None, "default"]).to_csv(tmp_path / "loans.csv", index=False)
    told = take(stores, watched)
    assert (told.new, told.outcomes) == (0, 2)
    assert [row["label"] for row in kept(stores, watched)] == ["paid", None, "default"]


def test_labels_that_are_true_or_false_are_alike_whether_some_are_missing_or_not(stores, tmp_path):
    watched = monitor(source={"predictions": "*.parquet", "outcomes": {"label": "paid", "after_days": 3}})
    loans(2).assign(paid=[True, False]).to_parquet(tmp_path / "a.parquet")
    loans(2, first=2).assign(paid=pd.Series([True, None], dtype=object)).to_parquet(tmp_path / "b.parquet")
    take(stores, watched)
    assert [row["label"] for row in kept(stores, watched)] == ["1", "0", "1", None]


def test_outcomes_in_a_log_of_their_own_are_joined_whenever_they_come(stores, tmp_path):
    truth = {"where": "paid/*.jsonl", "label": "result", "prediction_id": "loan", "observed_at": {"column": "on"}}
    watched = monitor(source={"outcomes": truth})
    append(tmp_path / "loans.csv", loans(3))
    (tmp_path / "paid").mkdir()
    (tmp_path / "paid/1.jsonl").write_text('{"loan": "00001", "result": "default", "on": "2026-12-01T09:00:00Z"}\n')
    assert take(stores, watched).outcomes == 1
    (tmp_path / "paid/2.jsonl").write_text('{"loan": "00002", "result": "paid", "on": "2026-12-02T09:00:00Z"}\n')
    assert take(stores, watched).outcomes == 1
    assert [row["label"] for row in kept(stores, watched)] == [None, "default", "paid"]


# decisions that the log has not


@pytest.mark.parametrize(("positive", "favourable", "deserving", "made"), [
    ("default", "grant", "paid", ["grant", "not_grant"]),  # a high score is bad for the person
    ("responds", "invite", "responds", ["not_invite", "invite"]),  # a high score is good for the person
])  # fmt: skip
def test_decisions_are_made_of_scores_alone_in_both_directions(stores, tmp_path, positive, favourable, deserving, made):
    decision = {"positive": positive, "threshold": 0.3, "favourable": favourable, "deserving": deserving}
    watched = monitor(source={"columns": {"prediction_id": "ref", "score": "risk"}}, decision=decision)
    append(tmp_path / "loans.csv", loans(2, risk=[0.29, 0.3], answer=None))
    take(stores, watched)
    assert [row["prediction"] for row in kept(stores, watched)] == made


# rows that are not taken


def test_a_row_without_a_time_is_named_with_its_file_and_number_and_the_others_are_taken(stores, tmp_path):
    append(tmp_path / "loans.csv", loans(6).assign(asked_on=lambda f: f["asked_on"].where(f.index < 2, "n/a")))
    told = take(stores)
    assert (told.rows, told.new, told.rejected) == (6, 2, 4)
    assert told.examples == tuple(f"loans.csv, row {n}: asked_on is no time" for n in (3, 4, 5))


def test_a_row_that_was_rejected_is_taken_once_it_has_a_time(stores, tmp_path):
    rows = loans(3)
    rows.assign(asked_on=rows["asked_on"].where(rows.index != 1, "soon")).to_csv(tmp_path / "loans.csv", index=False)
    assert take(stores).rejected == 1
    rows.to_csv(tmp_path / "loans.csv", index=False)
    told = take(stores)
    assert (told.new, told.rejected) == (1, 0)


def test_a_monitor_without_a_source_takes_nothing(stores):
    assert take(stores, monitor().model_copy(update={"source": None})) == Ingested()


def test_what_was_taken_before_a_broken_file_stays(stores, tmp_path):
    watched = monitor(source={"predictions": "*.csv"})
    append(tmp_path / "a.csv", loans(3))
    (tmp_path / "b.csv").write_text("ref,asked_on\n1,2,3\n")
    told = take(stores, watched)
    assert told.new == len(ids(stores, watched)) == 3
    assert "b.csv cannot be read as csv" in told.unread[0].why


def test_a_column_that_the_log_lost_is_named(stores, tmp_path):
    append(tmp_path / "loans.csv", loans(3).rename(columns={"risk": "risks"}))
    (unread,) = take(stores).unread
    assert unread.why.startswith("columns.score: there is no column 'risk'; did you mean 'risks'?")


# whatever a monitor reads


def test_what_kpis_weights_strata_rankings_flags_and_contributions_need_is_taken_too(stores, tmp_path):
    watched = monitor(
        data={"score": "score", "prediction": "prediction", "sampling_weight": "weight", "ranking": "order"},
        features={"income": "numeric", "city": "category"},
        protected=[{"attribute": "sex", "reference": "m"}],
        strata="branch", sums=["amount"], flags={"refusal": ["refused"], "pii": ["leaks"]},
        source={"decimal": ",", "bands": {"branch": {"column": "branch_no", "edges": [10],
                                                        "labels": ["old", "new"]}},
                "columns": {"prediction_id": "ref", "score": "risk", "prediction": "answer", "amount": "sum_eur",
                            "refused": "declined"}},
    )  # fmt: skip
    more = {"sum_eur": "12,50", "weight": "2", "order": "grant|deny", "branch_no": 12, "declined": "true", "leaks": 0}
    append(tmp_path / "loans.csv", loans(2, sex="f", nobody="reads this", contrib__income="0,25", **more))
    assert take(stores, watched).new == 2
    row, _ = kept(stores, watched)
    told = {name: row[name] for name in ("amount", "weight", "order", "refused", "leaks", "contrib__income", "sex")}
    assert told == {"amount": 12.5, "weight": 2, "order": "grant|deny", "refused": "1", "leaks": "0",
                    "contrib__income": 0.25, "sex": "f"}  # fmt: skip
    assert row["branch"] == "new"
    assert "nobody" not in row
    edges = Edges(numeric={"income": (0.0, 2000.0)}, levels={"city": ("Bonn",)})
    part = stores.log.partition(watched, night_window(NIGHT, watched.timezone))
    (profile,) = DuckDBScanner().scan(watched, part, edges, NIGHT).values()
    assert profile.sums["amount"]["all"] == 25.0
    assert profile.flags == {"refused": (2, 2), "leaks": (0, 2)}
    assert profile.contributions["income"].n == 2


# files that cannot be taken


TORN = {
    "a torn line": ("b.csv", b"ref,asked_on,risk,answer,income,city\n00009,2026-11-20 09:00\n"),
    "a cut archive": ("b.csv.gz", gzip.compress(loans(500).to_csv(index=False).encode())[:900]),
    "one bad line": ("b.jsonl", b'{"ref": "1", "asked_on": "2026-11-20 09:00"}\n{"ref": \n'),
    "no bytes, parquet": ("b.parquet", b""),
    "no bytes, csv": ("b.csv", b""),
    "a file of something else": ("b.csv", b"name,size\nmanifest,7\n"),
    "no Parquet at all": ("b.parquet", b"PAR1 not really PAR1"),
}


@pytest.mark.parametrize("what", TORN)
def test_a_file_that_cannot_be_taken_keeps_no_other_from_being_taken_and_is_tried_again(stores, tmp_path, what):
    watched = monitor(source={"predictions": "logs/*"})
    (tmp_path / "logs").mkdir()
    name, body = TORN[what]
    append(tmp_path / "logs/a.csv", loans(3))
    (tmp_path / "logs" / name).write_bytes(body)
    append(tmp_path / "logs/c.csv", loans(2, first=3))
    told = take(stores, watched)
    assert (told.new, [one.origin for one in told.unread]) == (5, [name])
    again = take(stores, watched)
    assert (again.rows, [one.origin for one in again.unread]) == (0, [name])
    (tmp_path / "logs" / name).unlink()
    append(tmp_path / "logs/b.csv", loans(4, first=5))
    assert (take(stores, watched).new, len(ids(stores, watched))) == (4, 9)


# rows that are there already


def test_a_row_that_is_there_with_other_values_is_told_apart_from_one_that_was_seen_before(stores, tmp_path):
    rows = loans(4)
    rows.to_csv(tmp_path / "loans.csv", index=False)
    take(stores)
    rows.assign(income=[1000.0, 9, 1014.0, 9]).to_csv(tmp_path / "loans.csv", index=False)
    told = take(stores)
    assert (told.rows, told.new, told.known, told.conflicting) == (4, 0, 2, 2)
    assert [row["income"] for row in kept(stores, monitor())] == [1000.0, 1007.0, 1014.0, 1021.0]


@pytest.mark.parametrize("written", [[1000, 1001], ["1000", "1001"], [1000.0, 1001.0], [1000.0, None]])
def test_the_same_number_in_another_type_is_the_same_content(stores, tmp_path, written):
    watched = monitor(source={"predictions": "*.parquet"})
    loans(2, income=[1000.0, written[1] and 1001.0]).to_parquet(tmp_path / "a.parquet")
    loans(2, income=pd.Series(written)).to_parquet(tmp_path / "b.parquet")
    told = take(stores, watched)
    assert (told.new, told.known, told.conflicting) == (2, 2, 0)


def test_a_column_that_the_monitor_reads_since_yesterday_makes_no_row_another_one(stores, tmp_path):
    append(tmp_path / "loans.csv", loans(3, age=30))
    take(stores)
    more = monitor(features={"income": "numeric", "city": "category", "age": "numeric"})
    told = take(stores, more, again=True)
    assert (told.known, told.conflicting) == (3, 0)


def test_a_challengers_answer_to_a_request_that_was_logged_is_a_row_of_its_own(stores, tmp_path):
    watched = monitor(source={"predictions": "*.csv"})
    append(tmp_path / "a.csv", loans(3, role="champion"))
    append(tmp_path / "b.csv", loans(3, role="challenger", risk=0.9))
    told = take(stores, watched)
    assert (told.new, told.known, told.conflicting) == (6, 0, 0)


# rows with times that can hardly be


def test_half_a_file_with_day_and_month_swapped_is_held_back_and_taken_once_a_person_says_so(stores, tmp_path):
    rows = loans(200, night=NIGHT.replace(month=7, day=11))
    swapped = rows["asked_on"].str.replace("2026-07-11", "2026-11-07").where(rows.index % 2 == 0, rows["asked_on"])
    rows.assign(asked_on=swapped).to_csv(tmp_path / "loans.csv", index=False)
    told = take(stores)
    (held,) = told.held
    assert (told.new, held.rows, held.why, held.first, held.others) == (
        100, 100, OddTime.FAR, NIGHT.replace(month=7, day=11), (NIGHT.replace(day=7), NIGHT.replace(day=7)),
    )  # fmt: skip
    assert take(stores).held == told.held  # read again
    asked = []
    assert take(stores, accept=lambda one: asked.append(one) or True).new == 100
    assert asked == [held]
    assert take(stores) == Ingested()


@pytest.mark.parametrize(("at", "why"), [
    ("2027-03-01 09:00", OddTime.FUTURE), ("9999-12-31 00:00", None), ("1970-01-01 00:00", OddTime.ANCIENT),
    ("1900-01-01 00:00", OddTime.ANCIENT), ("0026-11-20 09:00", None), ("26-11-20 09:00", None),
    ("2026-02-20 09:00", OddTime.FAR), ("2026-11-01 09:00", OddTime.FAR),
])  # fmt: skip
def test_a_time_that_can_hardly_be_is_never_taken_silently(stores, tmp_path, at, why):
    append(tmp_path / "loans.csv", loans(5, asked_on=["2026-11-20 09:00"] * 4 + [at]))
    told = take(stores)
    assert [one.why for one in told.held] == ([why] if why else [])
    assert (told.new, told.rejected + told.rows_held) == (4, 1)


@pytest.mark.parametrize(("format", "odd"), [("epoch_ms", "1795165200"), ("epoch_s", "1795165200000")])
def test_seconds_among_milliseconds_are_not_taken_silently(stores, tmp_path, format, odd):
    watched = monitor(source={"served_at": {"column": "asked_on", "format": format}})
    right = "1795165200" if format == "epoch_s" else "1795165200000"
    append(tmp_path / "loans.csv", loans(4, asked_on=[right] * 3 + [odd]))
    told = take(stores, watched)
    assert (told.new, told.rejected + told.rows_held) == (3, 1)


def test_rows_of_a_future_that_has_come_are_taken(tmp_path):
    append(tmp_path / "loans.csv", loans(3))
    early = opened(tmp_path, datetime(2026, 11, 20, 6, tzinfo=UTC))
    assert (take(early).new, take(early).rows_held) == (0, 3)
    assert take(opened(tmp_path, datetime(2026, 11, 20, 9, tzinfo=UTC))).new == 3


@pytest.mark.parametrize("days", [
    range(60), range(0, 360, 30), [0, 1, 2, 3, 12], [*range(40), *range(62, 70)], [0, 7, 14, 21, 42], [0],
    [*range(0, 100, 7), 130],
])  # fmt: skip
def test_a_log_with_gaps_as_logs_have_them_is_taken(stores, tmp_path, days):
    for day in days:
        append(tmp_path / "loans.csv", loans(2, first=2 * day, night=NIGHT - timedelta(days=365 - day)))
    assert take(stores).held == ()


def test_a_label_that_will_be_known_next_year_is_held_back_and_a_reckoned_one_is_not(stores, tmp_path):
    truth = {"label": "paid", "observed_at": {"column": "on"}}
    append(tmp_path / "loans.csv", loans(2, paid="1", on=["2026-12-01", "2027-12-01"]))
    told = take(stores, monitor(source={"outcomes": truth}))
    assert (told.new, told.outcomes, told.labels.held, told.rows_held) == (2, 1, 1, 0)
    later = monitor(source={"outcomes": {"label": "paid", "after_days": 300}})
    assert take(stores, later, again=True).outcomes == 2


def test_a_table_of_rows_without_ids_is_not_taken(stores, tmp_path, monkeypatch):
    append(tmp_path / "loans.csv", loans(2, ref=None))
    pieces = [replace(p, numbered=False) for p in read(stores)]
    monkeypatch.setattr(stores.intake, "pieces", lambda *_, **__: iter(pieces))
    (unread,) = take(stores).unread
    assert "Rows of a table come in no order that stays, so they need an id" in unread.why


def read(stores) -> list:
    return list(stores.intake.pieces("loans", monitor().source, "loans.csv", None, look=True))


@pytest.mark.parametrize("folder", [True, False], ids=["an empty folder", "no folder"])
def test_outcomes_that_nobody_wrote_yet_keep_no_predictions_from_being_taken(stores, tmp_path, folder):
    if folder:
        (tmp_path / "paid").mkdir()
    truth = {"where": "paid/*.jsonl", "label": "result", "prediction_id": "loan", "observed_at": {"column": "on"}}
    append(tmp_path / "loans.csv", loans(4))
    told = take(stores, monitor(source={"outcomes": truth}))
    assert (told.new, told.outcomes, told.unread) == (4, 0, ())


def test_predictions_that_are_nowhere_are_an_error_that_names_the_address(stores):
    with pytest.raises(DataError, match=r"there is no file .*loans\.csv"):
        take(stores, monitor())
