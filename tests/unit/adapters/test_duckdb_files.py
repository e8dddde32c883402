"""Files that gave one column different types are read as if they had agreed."""

from decimal import Decimal
from itertools import product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.adapters.log_stage import LATER, NIGHT, monitor, row, table
from vigil.adapters.duckdb_files import files_of, rows_of
from vigil.adapters.duckdb_rows import columns_of, connect
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.window import night_window
from vigil.profiles.types import Edges, Profile

WINDOW = night_window(NIGHT, "UTC")
EDGES = Edges(numeric={"income": (0.0, 50.0, 200.0)}, levels={"city": ("0", "1")})
WORDS = pa.array(["0", "1", None])
ALIKE = {
    "real": pa.array([0.0, 1.0, float("nan")]),
    "small": pa.array([0.0, 1.0, None], pa.float32()),
    "flag": pa.array([False, True, None]),
    "whole": pa.array([0, 1, None], pa.int64()),
    "decimal": pa.array([Decimal("0.00"), Decimal("1.00"), None]),
}


def batch(log: ParquetLog, name: str, values: pa.Array, *columns: str, **parts: object) -> None:
    given = table([row(f"{name}{i}", **parts) for i in range(len(values))])
    for column in columns:
        given = given.set_column(given.column_names.index(column), column, values)
    log.write_predictions("credit", given, batch_id=name)


def scanned(log: ParquetLog, edges: Edges = EDGES) -> Profile:
    (found,) = DuckDBScanner().scan(monitor(), log.partition(monitor(), WINDOW), edges, NIGHT).values()
    return found


@pytest.mark.parametrize("kind", ALIKE)
def test_a_column_that_is_text_in_one_file_keeps_the_names_of_its_values_in_the_others(tmp_path, kind):
    log = ParquetLog(tmp_path)
    for name, values in (("a", WORDS), ("b", ALIKE[kind])):
        batch(log, name, values, "city", "sex", "prediction")
    found = scanned(log)
    assert found.outcome.predictions == {"0": 2, "1": 2}
    assert (found.columns.category["city"].levels, found.columns.category["city"].new) == ({"0": 2, "1": 2}, 0)
    assert {g: c.n for g, c in found.groups["sex"].items()} == {"0": 2, "1": 2}
    assert sum(c.favourable for c in found.groups["sex"].values()) == 2


def test_files_of_more_than_two_types_are_read_alike_too(tmp_path):
    log = ParquetLog(tmp_path)
    for name, values in (("a", WORDS), *ALIKE.items(), ("z", pa.nulls(3))):
        batch(log, name, values, "city")
    city = scanned(log).columns.category["city"]
    assert (city.levels, city.new, city.nulls) == ({"0": 6, "1": 6}, 0, 9)


def test_a_number_that_is_text_in_one_file_is_still_a_number_and_what_is_none_is_still_told(tmp_path):
    log = ParquetLog(tmp_path)
    batch(log, "a", pa.array([10.0, float("nan"), 1e300]), "income")
    batch(log, "b", pa.array(["10", "ten", "10.50"]), "income")
    income = scanned(log).columns.numeric["income"]
    assert (income.bins, income.nans, income.wrong_type, income.nulls) == ((0, 3, 0, 1), 1, 1, 0)


def test_a_small_float_among_large_ones_is_the_number_that_was_written(tmp_path):
    log = ParquetLog(tmp_path)
    batch(log, "a", pa.array([0.1, 0.7]), "income", "city")
    batch(log, "b", pa.array([0.1, 0.7], pa.float32()), "income", "city")
    found = scanned(log, Edges(numeric={"income": (0.0, 0.1, 0.7)}, levels={"city": ("0.1", "0.7")}))
    assert found.columns.numeric["income"].bins == (0, 2, 2, 0)
    assert found.columns.category["city"].levels == {"0.1": 2, "0.7": 2}


def test_labels_of_files_that_disagree_about_their_type_have_one_name(tmp_path):
    log = ParquetLog(tmp_path)
    batch(log, "p", WORDS)
    for answered, label in (("p0", pa.array(["1"])), ("p1", pa.array([1.0]))):
        folder = tmp_path / "outcomes" / "model=credit" / "date=2026-11-25"
        folder.mkdir(parents=True, exist_ok=True)
        given = pa.table({"prediction_id": [answered], "label": label, "observed_at": [LATER]})
        pq.write_table(given, folder / f"{answered}.parquet")
    found = scanned(log)
    assert found.outcome.labelled == 2
    assert found.outcome.confusion == {"not 1\t1": 2}


def test_a_row_that_is_repeated_in_a_file_of_another_type_is_dropped_there_alone(tmp_path):
    log = ParquetLog(tmp_path)
    batch(log, "p", WORDS, "city")
    given = table([row("p0"), row("q0", city="1")]).drop_columns(["city"]).append_column("city", pa.array([7.0, 1.0]))
    log.write_predictions("credit", given, batch_id="again")
    found = scanned(log)
    assert (found.rows, found.duplicates) == (4, 1)


def test_files_that_agree_are_read_in_one_go_and_so_are_whole_numbers_among_reals(tmp_path):
    log = ParquetLog(tmp_path)
    for name, values in (("a", ALIKE["real"]), ("b", ALIKE["whole"]), ("c", ALIKE["flag"]), ("d", ALIKE["real"])):
        batch(log, name, values, "city")
    files = log.partition(monitor(), WINDOW).files
    with connect() as db:
        assert "UNION" not in rows_of(db, files)


def test_every_pair_of_types_keeps_the_number_of_rows_and_where_each_of_them_is(tmp_path):
    log = ParquetLog(tmp_path)
    for name, values in {"text": WORDS, **ALIKE}.items():
        batch(log, name, values, "city")
    files = log.partition(monitor(), WINDOW).files
    with connect() as db:
        for pair in product(files, files):
            sql = rows_of(db, pair)
            count = db.execute(f"SELECT count(DISTINCT (vigil_file, vigil_row)), count(*) FROM {sql}").fetchall()[0]
            assert count == (6, 6)
            assert set(columns_of(db, sql)) - {"vigil_file", "vigil_row"} == set(columns_of(db, files_of(pair)))
