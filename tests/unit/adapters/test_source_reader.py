"""Files that others write: found, told apart, read once, and named when they cannot be read."""

import gzip
import json
import re
from datetime import date

import fsspec
import pandas as pd
import pytest

from vigil.adapters import source_reader
from vigil.adapters.source_reader import SourceReader
from vigil.core.errors import DataError
from vigil.core.window import night_window
from vigil.intake.types import Source
from vigil.ports import Unread

NIGHT = night_window(date(2026, 11, 20), "UTC")
CSV = "ref,city\n007,Bonn\n008,Köln\n"


@pytest.fixture
def reader(tmp_path):
    return SourceReader(tmp_path, tmp_path / "done", {})


def source(where="log.csv", **parts) -> Source:
    return Source.model_validate({"predictions": where, "served_at": {"column": "at"}, **parts})


def pieces(reader, where="log.csv", *, model="m", again=False, look=False, **parts):
    return list(reader.pieces(model, source(where, **parts), where, NIGHT, again=again, look=look))


def unread(reader, where="log.csv", **parts) -> list[str]:
    """Why files could not be read."""
    return [one.why for one in pieces(reader, where, **parts) if isinstance(one, Unread)]


def refs(reader, where="log.csv", **parts) -> list[str]:
    return [str(ref) for piece in pieces(reader, where, **parts) for ref in piece.rows["ref"]]


# formats


def test_a_csv_is_text_so_that_an_id_keeps_its_leading_zeros(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    (piece,) = pieces(reader)
    assert piece.rows.to_dict("list") == {"ref": ["007", "008"], "city": ["Bonn", "Köln"]}
    assert (piece.origin, piece.first) == ("log.csv", 1)


@pytest.mark.parametrize("body", ["ref;city\n007;Bonn\n008;Köln\n", "ref\tcity\n007\tBonn\n008\tKöln\n", "\ufeff" + CSV,
                                  CSV.replace("\n", "\r\n"), 'ref,city\n"007","Bonn"\n"008","Köln"'])  # fmt: skip
def test_other_separators_quotes_ends_of_lines_and_a_byte_order_mark_are_understood(reader, tmp_path, body):
    (tmp_path / "log.csv").write_bytes(body.encode())
    assert pieces(reader)[0].rows.to_dict("list") == {"ref": ["007", "008"], "city": ["Bonn", "Köln"]}


def test_the_first_line_of_a_csv_is_its_header_also_when_all_is_text_and_when_it_is_all(reader, tmp_path):
    (tmp_path / "one.csv").write_text("ref,city\na,Bonn\n")
    (tmp_path / "none.csv").write_text("ref,city\n")
    assert refs(reader, "one.csv") == ["a"]
    assert refs(reader, "none.csv") == []


@pytest.mark.parametrize("name", ["log.csv.gz", "log.gz", "log.jsonl.gz", "log.JSONL", "log.ndjson", "log.json",
                                  "log.parquet", "log.pq", "log.tsv", "log.txt"])  # fmt: skip
def test_the_ending_tells_the_format(reader, tmp_path, name):
    rows = pd.DataFrame({"ref": ["007", "008"]})
    lines = "".join(json.dumps(r) + "\n" for r in rows.to_dict("records"))
    path = tmp_path / name
    if "json" in name.lower():
        body = lines.encode()
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    elif name.endswith((".parquet", ".pq")):
        rows.to_parquet(path)
    else:
        body = rows.to_csv(index=False).encode()
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    assert refs(reader, name) == ["007", "008"]


def test_a_format_can_be_said_where_the_ending_does_not_tell(reader, tmp_path):
    (tmp_path / "export.2026").write_text(CSV)
    assert refs(reader, "export.2026", format="csv") == ["007", "008"]


def test_long_whole_numbers_keep_their_digits_beside_missing_ones(reader, tmp_path):
    pd.DataFrame({"ref": pd.array([2**62 + 1, None], dtype="Int64")}).to_parquet(tmp_path / "log.parquet")
    assert refs(reader, "log.parquet")[0] == str(2**62 + 1)


def test_a_large_file_comes_in_pieces_whose_rows_are_numbered_on(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(source_reader, "ROWS", 2048)
    rows = "".join(f"{n}\n" for n in range(5000))
    (tmp_path / "log.csv").write_text("ref\n" + rows)
    found = pieces(reader)
    assert len(found) > 1
    assert [p.first for p in found] == [1 + sum(len(q.rows) for q in found[:n]) for n in range(len(found))]
    assert [r for p in found for r in p.rows["ref"]] == [str(n) for n in range(5000)]
    assert len({p.batch for p in found}) == len(found)


# addresses


def test_paths_may_have_spaces_umlauts_and_brackets_and_may_be_absolute(reader, tmp_path):
    folder = tmp_path / "Kredit Größe (neu) 日本"
    folder.mkdir()
    (folder / "log 1.csv").write_text(CSV)
    assert refs(reader, f"{folder.name}/log 1.csv") == ["007", "008"]
    assert refs(reader, str(folder / "log 1.csv")) == ["007", "008"]


def test_a_glob_takes_every_file_in_order_and_a_folder_is_a_glob(reader, tmp_path):
    for day in (2, 1, 3):
        (tmp_path / f"logs/day={day}").mkdir(parents=True)
        (tmp_path / f"logs/day={day}/part-0.csv").write_text(f"ref\n{day}\n")
    (tmp_path / "logs/_SUCCESS").write_text("")
    assert refs(reader, "logs/*/*.csv") == ["1", "2", "3"]
    assert refs(reader, "logs") == ["1", "2", "3"]


def test_files_of_the_same_name_in_several_folders_are_told_apart(reader, tmp_path):
    for region in ("eu", "us"):
        (tmp_path / f"logs/{region}").mkdir(parents=True)
        (tmp_path / f"logs/{region}/part-0.csv").write_text(f"ref\n{region}\n")
    found = pieces(reader, "logs/**/*.csv")
    assert [p.origin for p in found] == ["eu/part-0.csv", "us/part-0.csv"]
    assert found[0].batch != found[1].batch


def test_a_file_keeps_its_name_when_others_come_beside_it(reader, tmp_path):
    (tmp_path / "logs/eu").mkdir(parents=True)
    (tmp_path / "logs/eu/part-0.csv").write_text(CSV)
    before = pieces(reader, "logs/**/*.csv")[0].origin
    (tmp_path / "logs/us").mkdir()
    (tmp_path / "logs/us/part-0.csv").write_text(CSV)
    assert pieces(reader, "logs/**/*.csv", again=True)[0].origin == before


def test_other_file_systems_are_read_by_their_address(reader):
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a.csv", CSV.encode())
    memory.pipe("/bucket/b.csv", b"ref,city\n009,Ulm\n")
    try:
        assert refs(reader, "memory://bucket/*.csv") == ["007", "008", "009"]
        assert refs(reader, "memory://bucket/*.csv") == []
        memory.pipe("/bucket/b.csv", b"ref,city\n009,Ulm\n010,Hof\n")
        assert refs(reader, "memory://bucket/*.csv") == ["009", "010"]
    finally:
        memory.rm("/bucket", recursive=True)


# once


def test_a_file_that_was_read_to_its_end_is_not_read_again_until_it_changes(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    assert refs(reader) == ["007", "008"]
    assert refs(reader) == []
    with (tmp_path / "log.csv").open("a") as file:
        file.write("009,Ulm\n")
    assert refs(reader) == ["007", "008", "009"]


def test_again_reads_what_was_read(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    assert refs(reader) == refs(reader, again=True) == ["007", "008"]


def test_looking_takes_nothing(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    assert refs(reader, look=True) == ["007", "008"]
    assert refs(reader) == ["007", "008"]


def test_what_one_model_read_another_has_still_to_read(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    assert refs(reader, model="a") == refs(reader, model="b") == ["007", "008"]


def test_a_reader_that_died_between_two_pieces_reads_the_file_again(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(source_reader, "ROWS", 2048)
    (tmp_path / "log.csv").write_text("ref\n" + "".join(f"{n}\n" for n in range(5000)))
    walk = reader.pieces("m", source(), "log.csv", NIGHT)
    next(walk)
    next(walk)
    walk.close()
    assert len(refs(reader)) == 5000


def test_a_memory_of_files_that_cannot_be_read_only_costs_time(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    refs(reader)
    (note,) = (tmp_path / "done").rglob("*.json")
    note.write_text('{"cut in ha')
    assert refs(reader) == ["007", "008"]
    assert refs(reader) == []


# what cannot be read


def test_a_file_that_is_not_there_says_which_line_to_correct(reader):
    with pytest.raises(DataError, match=r"there is no file gone\.csv: correct `predictions:` \(or `where:`\)"):
        pieces(reader, "gone.csv")
    with pytest.raises(DataError, match=r"there is no file gone/\*\.csv"):
        pieces(reader, "gone/*.csv")


def test_a_file_that_was_removed_after_it_was_taken_is_missed(reader, tmp_path):
    (tmp_path / "log.csv").write_text(CSV)
    refs(reader)
    (tmp_path / "log.csv").unlink()
    with pytest.raises(DataError, match=r"there is no file log\.csv"):
        pieces(reader)


def test_an_address_that_nothing_opens_is_a_sentence(reader):
    with pytest.raises(
        DataError, match=r"nosuch://x/y cannot be opened: .* is the address right, and its driver there"
    ):
        pieces(reader, "nosuch://x/y")


def test_a_parquet_file_that_was_cut_in_half_is_named_and_stays_unread(reader, tmp_path):
    path = tmp_path / "log.parquet"
    pd.DataFrame({"ref": ["a", "b"]}).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert unread(reader, "log.parquet")[0].startswith("log.parquet cannot be read as parquet: ")
    path.write_bytes(whole)
    assert refs(reader, "log.parquet") == ["a", "b"]


MANY = ("ref,city\n" + "".join(f"{n},{n * 7919 % 10007}\n" for n in range(3000))).encode()


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("log.csv.gz", gzip.compress(MANY)[:2000], "Unexpected end of GZIP stream"),
        ("log.jsonl", b'{"ref": "a"}\n{"ref": "b', "Malformed JSON"),
        ("log.parquet", b"", "too small to be a Parquet file"),
        ("log.csv", b"ref,city\na,K\xf6ln\n", "CSV Error on Line: 2; Invalid unicode .* not utf-8 encoded"),
        ("log.csv", b"ref,city\n" + b"a,Ulm\n" * 30 + b"a,Ulm,c\n", "Line: 32; Expected Number of Columns: 2 Found: 3"),
        ("log.csv", b"ref,city\n" + b"a,Ulm\n" * 30 + b"a", "Line: 32; Expected Number of Columns: 2 Found: 1"),
        ("log.csv", b'ref,city\na,"Ulm\nb,Hof\n', "Line: 2; Value with unterminated quote"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong_and_without_its_rows(reader, tmp_path, name, body, why):
    (tmp_path / name).write_bytes(body)
    (told,) = unread(reader, name)
    assert re.match(rf"{name} cannot be read as \w+: .*{why}", told)
    assert "Ulm" not in told


@pytest.mark.parametrize("body", ["", "\n"])
def test_a_csv_without_even_a_header_is_named_and_read_once_it_has_one(reader, tmp_path, body):
    (tmp_path / "log.csv").write_text(body)
    assert unread(reader) == ["log.csv cannot be read as csv: it is empty, without even a header"]
    (tmp_path / "log.csv").write_text(CSV)
    assert refs(reader) == ["007", "008"]


def test_columns_of_a_csv_without_a_name_or_with_the_same_one_are_told_apart(reader, tmp_path):
    (tmp_path / "log.csv").write_text(",it's,it's\n0,a,b\n")
    assert pieces(reader)[0].rows.to_dict("records") == [{"column_0": "0", "it's": "a", "it's_2": "b"}]


def test_one_damaged_file_does_not_make_the_files_before_it_be_read_twice(reader, tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.csv").write_bytes(b"ref,city\na,K\xf6ln\n")
    assert len(unread(reader, "*.csv")) == 1
    (tmp_path / "b.csv").write_text("ref,city\n9,Ulm\n")
    assert refs(reader, "*.csv") == ["9"]


# databases: what needs no server


def test_a_database_without_its_variable_names_the_variable(reader):
    select = "SELECT * FROM loans WHERE at >= :start AND at < :end"
    with pytest.raises(DataError, match="the environment variable LOANS_URL is not set: it must hold the URL"):
        pieces(reader, select, database="LOANS_URL")


@pytest.mark.parametrize(
    "url", ["postgresql//ada:secret@h/d", "postgresql://ada:secret@h:port/d", "nosuch://ada:secret@h/d"]
)
def test_an_address_that_is_none_is_said_without_its_password(tmp_path, url):
    reader = SourceReader(tmp_path, tmp_path / "done", {"LOANS_URL": url})
    with pytest.raises(DataError, match="the URL in LOANS_URL names no database that can be asked") as told:
        pieces(reader, "SELECT 1 WHERE 1 >= :start AND 1 < :end", database="LOANS_URL")
    assert "secret" not in str(told.value)


def test_a_database_is_asked_for_nights(tmp_path):
    reader = SourceReader(tmp_path, tmp_path / "done", {"LOANS_URL": "sqlite://"})
    with pytest.raises(DataError, match="say --from and --to"):
        list(reader.pieces("m", source("SELECT 1 WHERE 1 >= :start AND 1 < :end", database="LOANS_URL"), "x", None))


def test_a_select_without_its_span_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="predictions: a SELECT needs the conditions `>= :start` and `< :end`"):
        source("SELECT * FROM loans", database="LOANS_URL")
