"""Folders that are more than files: a writer's own names, partitions, and tables that only their readers can read."""

import sys

import pandas as pd
import pytest

from vigil.adapters.source_reader import SourceReader
from vigil.core.errors import DataError
from vigil.intake.types import Source
from vigil.ports import Unread


def rows(home, where, **how) -> list[dict]:
    """The rows of an address; a file that cannot be read fails the test."""
    source = Source.model_validate({"predictions": where, "served_at": {"column": "at"}})
    found = list(SourceReader(home, home / ".done", {}).pieces("m", source, where, None, **how))
    assert not [one for one in found if isinstance(one, Unread)]
    return [row for piece in found for row in piece.rows.to_dict("records")]


def put(path, *refs) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"ref": refs}).to_parquet(path)


@pytest.mark.parametrize("name", ["_temporary/0/task_1/part-1.parquet", ".part-1.parquet", "_staging.parquet",
                                  "day=1/_temporary/part-1.parquet", "day=1/.part-1.parquet"])  # fmt: skip
@pytest.mark.parametrize("where", ["log", "log/**/*.parquet"])
def test_files_that_a_writer_has_not_committed_are_nobodys(tmp_path, name, where):
    put(tmp_path / "log/day=1/part-0.parquet", "a")
    put(tmp_path / "log" / name, "uncommitted")
    assert [row["ref"] for row in rows(tmp_path, where)] == ["a"]


def test_a_writers_own_names_are_only_looked_for_below_the_address(tmp_path):
    put(tmp_path / ".cache/_exports/part-0.parquet", "a")
    assert [row["ref"] for row in rows(tmp_path, ".cache/_exports/*.parquet")] == ["a"]


def test_a_folder_of_uncommitted_files_alone_says_so(tmp_path):
    put(tmp_path / "log/_temporary/0/part-0.parquet", "a")
    with pytest.raises(DataError, match=r"all 1 files there are a writer's own \(part-0\.parquet\).*not committed"):
        rows(tmp_path, "log")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_what_the_names_of_folders_say_is_a_column_and_the_files_own_column_counts_more(tmp_path, ending):
    frame = pd.DataFrame({"ref": ["a"], "city": ["Bonn"]})
    for folder in ("date=2026-01-01/city=Ulm", "date=__HIVE_DEFAULT_PARTITION__"):
        path = tmp_path / "log" / folder / f"part-0.{ending}"
        path.parent.mkdir(parents=True)
        if ending == "parquet":
            frame.to_parquet(path)
        elif ending == "csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_json(path, orient="records", lines=True)
    one, other = rows(tmp_path, "log")
    assert (one["date"], one["city"]) == ("2026-01-01", "Bonn")
    assert other["date"] is None


# tables


def loans(folder):
    """A folder as Delta writes it, with a file whose rows were removed."""
    put(folder / "part-0.parquet", "removed")
    (folder / "_delta_log").mkdir()
    (folder / "_delta_log/00000000000000000000.json").write_text("{}")
    return folder


@pytest.mark.parametrize("where", ["lake/loans", "lake/loans/*.parquet", "lake/**/*.parquet", "lake/*/*.parquet"])
def test_a_delta_table_without_its_reader_is_refused_with_the_way_to_get_it(tmp_path, monkeypatch, where):
    loans(tmp_path / "lake/loans")
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(DataError, match=r"loans is a table \(delta\): .*not installed: pip install 'vigil\[delta\]'"):
        rows(tmp_path, where)


@pytest.mark.parametrize("where", ["lake/loans", "lake/loans/data/*.parquet", "lake/**/*.parquet"])
def test_an_iceberg_table_without_its_reader_is_refused_with_the_way_to_get_it(tmp_path, monkeypatch, where):
    put(tmp_path / "lake/loans/data/part-0.parquet", "removed")
    (tmp_path / "lake/loans/metadata").mkdir()
    (tmp_path / "lake/loans/metadata/v1.metadata.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "pyiceberg.table", None)
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    with pytest.raises(DataError, match=r"loans is a table \(iceberg\): .*pip install 'vigil\[iceberg\]'"):
        rows(tmp_path, where)


def test_a_hudi_table_is_refused(tmp_path):
    put(tmp_path / "loans/part-0.parquet", "replaced")
    (tmp_path / "loans/.hoodie").mkdir()
    with pytest.raises(DataError, match=r"loans is a Hudi table: .*Export it to Parquet"):
        rows(tmp_path, "loans/*.parquet")


@pytest.mark.parametrize("where", ["loans/part-0.parquet", "loans/date=2026-01-01/*.parquet", "loans/date=*/*.parquet"])
def test_a_part_of_a_table_is_refused(tmp_path, where):
    loans(tmp_path / "loans")
    put(tmp_path / "loans/date=2026-01-01/part-1.parquet", "a")
    with pytest.raises(DataError, match=r"is a part of the table .*/loans, .* give its folder"):
        rows(tmp_path, where)


def test_rows_that_were_deleted_from_a_delta_table_are_not_read_and_a_new_version_is_read_again(tmp_path):
    delta = pytest.importorskip("deltalake")
    where = str(tmp_path / "loans")
    delta.write_deltalake(where, pd.DataFrame({"ref": ["a", "b"], "day": ["1", "2"]}), partition_by=["day"])
    delta.DeltaTable(where).delete("ref = 'b'")
    assert rows(tmp_path, "loans") == [{"ref": "a", "day": "1"}]
    assert rows(tmp_path, "loans") == []
    delta.write_deltalake(where, pd.DataFrame({"ref": ["c"], "day": ["1"]}), mode="append")
    assert {row["ref"] for row in rows(tmp_path, "loans")} == {"a", "c"}


def test_rows_that_were_deleted_from_an_iceberg_table_are_not_read(tmp_path):
    sql = pytest.importorskip("pyiceberg.catalog.sql")
    arrow = pytest.importorskip("pyarrow")
    catalog = sql.SqlCatalog("x", uri=f"sqlite:///{tmp_path}/c.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("n")
    some = arrow.table({"ref": ["a", "b"]})
    table = catalog.create_table("n.loans", some.schema, location=f"file://{tmp_path}/loans")
    table.append(some)
    table.delete("ref = 'b'")
    assert rows(tmp_path, "loans") == [{"ref": "a"}]
    assert rows(tmp_path, "loans/data/*.parquet", again=True) == [{"ref": "a"}]
