"""A column of thousands of names makes no profile of thousands of cells."""

from collections import Counter

import pyarrow as pa
import pytest

from tests.unit.adapters.log_stage import NIGHT, monitor, rows, table
from vigil.adapters.duckdb_bounded import MOST, OTHER
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.window import night_window
from vigil.profiles.codec import encode
from vigil.profiles.types import Edges, Profile

EDGES = Edges(numeric={"income": (0.0, 50.0, 200.0)}, levels={"city": ("Bonn", "Köln")})
ROWS = 3000
MANY = [f"n{i % 997 % (1 + i // 3)}" for i in range(ROWS)]


def scanned(folder, edges=EDGES, parts=(), **columns) -> Profile:
    log, watched = ParquetLog(folder), monitor(**dict(parts))
    given = table(rows(ROWS))
    for name, values in columns.items():
        kept = given.drop_columns([name]) if name in given.column_names else given
        given = kept.append_column(name, pa.array(values))
    log.write_predictions("credit", given, batch_id="b")
    found = DuckDBScanner().scan(watched, log.partition(watched, night_window(NIGHT, "UTC")), edges, NIGHT)
    (profile,) = found.values()
    return profile


def largest(values, known=()) -> set[str]:
    counts = Counter(v for v in values if v not in known)
    return set(sorted(counts, key=lambda v: (-counts[v], v))[:MOST])


def test_the_largest_groups_keep_their_names_and_the_others_are_one(tmp_path):
    profile = scanned(tmp_path, sex=MANY)
    counted = Counter(v if v in largest(MANY) else OTHER for v in MANY)
    assert {g: c.n for g, c in profile.groups["sex"].items()} == counted
    assert set(profile.group_columns) == {f"sex={g}" for g in counted}
    assert profile.group_columns[f"sex={OTHER}"].numeric["income"].rows == counted[OTHER]
    assert sum(sum(b) for b in profile.group_scores[f"sex={OTHER}"].values()) == counted[OTHER]
    assert sum(n for by in profile.hours.values() for g, (n, _) in by.items() if g == f"sex={OTHER}") == counted[OTHER]
    assert len(encode(profile)) < 60_000


def test_groups_that_the_monitor_or_the_baseline_names_are_kept_however_small_and_so_is_what_is_missing(tmp_path):
    values = [*MANY[:-3], "m", "Ulm", None]
    attribute = {"attribute": "city", "reference": "m", "groups": ["none here"]}
    edges = Edges(numeric=EDGES.numeric, levels={"city": ("Ulm", "n1")})
    profile = scanned(tmp_path, edges, {"protected": [attribute]}, city=values)
    expected = {"m", "Ulm", "(missing)", "n1", *largest(values[:-3], ("n1",)), OTHER}
    assert set(profile.groups["city"]) == expected
    assert profile.columns.category["city"].levels == {"Ulm": 1, "n1": values.count("n1")}


@pytest.mark.parametrize("count", [MOST, MOST + 1])
def test_as_many_names_as_there_is_room_for_are_all_kept(tmp_path, count):
    values = [f"n{i % count}" for i in range(ROWS)]
    profile = scanned(tmp_path, parts={"protected": [{"attribute": "g0", "reference": "x"}]}, g0=values)
    assert len(profile.groups["g0"]) == count
    assert (OTHER in profile.groups["g0"]) is (count > MOST)


def test_strata_and_pipelines_are_bounded_too(tmp_path):
    profile = scanned(tmp_path, parts={"strata": "branch"}, branch=MANY, pipeline_version=MANY)
    rest = sum(v not in largest(MANY) for v in MANY)
    assert profile.pipelines[OTHER] == rest
    assert len(profile.pipelines) == MOST + 1
    assert profile.strata["sex"][OTHER] == {"f": (rest, rest)}
    assert len(profile.strata["sex"]) == MOST + 1


def test_rows_in_memory_are_bounded_too():
    given = table(rows(ROWS)).drop_columns(["sex"]).append_column("sex", pa.array(MANY))
    profile = DuckDBScanner().scan_table(monitor(), given, EDGES, night=NIGHT, version="1", role="champion")
    assert len(profile.groups["sex"]) == MOST + 1
