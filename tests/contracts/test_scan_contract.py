"""What a scanner must count: the same as a slow and plain count of the same rows, cell by cell.

Another engine joins by one line in SCANNERS. Whole numbers are equal; sums of floats agree to nine digits.
"""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.contracts.slow_profile import night_of, text
from tests.unit.adapters.log_stage import LATER, NIGHT, monitor
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.core.window import night_window
from vigil.core.words import Role
from vigil.ports import Partition, Scanner
from vigil.profiles.edges import fit
from vigil.profiles.merge import merge_all
from vigil.profiles.types import Edges, Profile

SCANNERS = {"duckdb": DuckDBScanner}
WINDOW = night_window(NIGHT, "Europe/Berlin")
EDGES = Edges(
    numeric={
        "income": (-1.0, 0.25, 50.0, 200.0), "age": (18.0, 30.0, 65.0), "n": (0.0, 1.0), "same": (-5e-324, 0.0),
        "prediction": (0.0, 10.0, 20.0), "price": (0.0,),
    },
    levels={"city": ("Bonn", "Köln"), "code": ("0", "1"), "x": ("a", "b"), "word": ("the", "of")},
    tails={"city": ("Aachen", "Ulm", "🦜")},
    open=("word",),
)  # fmt: skip
NASTY = [
    "Bonn",
    "Köln",
    "Ulm",
    "Aachen",
    "🦜",
    "<script>",
    "o'clock; --",
    'q"',
    "",
    "(missing)",
    "a\tb\n",
    "é",
    "e\u0301",
]
TEXTS = ["12", " 7.5 ", "abc", "", "nan", "-inf", "1e3", None, "12,5", "0.25", "-1", "200", "200.0000001"]
BINARY = {
    "timezone": "Europe/Berlin",
    "data": {"score": "score", "sampling_weight": "weight"},
    "features": {"income": "numeric", "age": "numeric", "n": "numeric", "same": "numeric", "city": "category",
                 "code": "category", "x": "category", "word": "category"},
    "protected": [{"attribute": "sex", "reference": "m"}, {"attribute": "g0", "reference": "1"}],
    "intersections": [["sex", "g0"], ["g0", "sex"]],
    "strata": "region",
    "flags": {"refusal": ["refused"], "pii": ["leak", "leak_text"]},
    "sums": ["amount", "income"],
}  # fmt: skip
CLASSES = BINARY | {"task": "multiclass", "data": {"prediction": "v", "ranking": "order"}, "protected": [],
                    "intersections": [], "decision": None, "strata": None}  # fmt: skip
VALUE = BINARY | {"task": "regression", "data": {"prediction": "price"}, "protected": [], "intersections": [],
                  "decision": None, "strata": None}  # fmt: skip
TASKS = {"binary": BINARY, "multiclass": CLASSES, "regression": VALUE}


def drawn(count: int, seed: int) -> list[dict]:
    """Rows as bad as they come: every column has values that some engine gets wrong."""
    chance = np.random.default_rng(seed)

    def one_of(values):
        return values[int(chance.integers(len(values)))]

    found = []
    for i in range(count):
        number = float(chance.normal(40, 30))
        found.append({
            "prediction_id": one_of([f"p{i}"] * 8 + [f"p{i // 3}", "p1", None, "", " \t"]),
            "served_at": WINDOW.start + timedelta(seconds=int(chance.integers(-3600, 26 * 3600)), microseconds=i),
            "environment": one_of(["staging"] * 9 + ["production"]),
            "model_version": one_of(["1"] * 6 + ["2", None]),
            "role": one_of(["champion"] * 6 + ["challenger", "fallback"]),
            "status": one_of(["ok"] * 8 + ["error", "timeout", "teapot", None]),
            "latency_ms": one_of([abs(number), 0.0, 1.0, 1e9, None, math.nan, math.inf]),
            "pipeline_version": one_of(["p1", "p2", None, ""]),
            "income": one_of(TEXTS),
            "age": one_of([number, number, number, 18.0, 65.0, -0.0, math.nan, math.inf, -math.inf, None, 1e-300]),
            "n": int(chance.integers(-1, 3)),
            "same": 0.0,
            "city": one_of(NASTY),
            "code": one_of([0.0, 1.0, 2.0, math.nan, None]),
            "x": one_of(["", "a", None, "x" * 300, "x" * 299 + "y"]),
            "word": one_of(["the", "of", "to", "🦜", None]),
            "sex": one_of(["m", "f", "o'x", None, "", "(missing)"]),
            "g0": one_of([1.0, 2.0, math.nan, None]),
            "region": one_of(["north", "south", None]),
            "score": one_of([float(chance.uniform())] * 5 + [0.0, 1.0, 0.5, None, math.nan, math.inf]),
            "prediction": one_of(["0", "1", "1", None]),
            "weight": one_of([1.0, 2.5, 0.0, -1.0, None, math.nan, math.inf]),
            "refused": one_of([True, False, None]),
            "leak": one_of([0, 1, 7, None]),
            "leak_text": one_of(["true", " Yes ", "NO", "maybe", "", None]),
            "amount": one_of([number, 0.1, -3.0, None, math.nan, math.inf]),
            "contrib__age": one_of([number / 10, None, None, math.nan]),
            "v": one_of(["setosa", "virginica", "<b>", None]),
            "order": one_of(["setosa|virginica|<b>", "<b> | setosa", "", None, "|".join(f"c{j}" for j in range(12))]),
            "price": one_of([number, number, 0.0, -1.0, None, math.nan, math.inf]),
        })  # fmt: skip
    return found


def labels(rows: list[dict], task: str, seed: int) -> list[dict]:
    """Late, repeated, contradictory, unknown, and of rows that are not there."""
    chance = np.random.default_rng(seed)
    words = {"binary": ["0", "1", "2", "", " ", None], "multiclass": ["setosa", "virginica", "c9", "c10", None],
             "regression": ["1.5", "0", "12", "nan", "unknown", None]}[task]  # fmt: skip
    ids = [*sorted({r["prediction_id"] for r in rows if r["prediction_id"] and chance.uniform() < 0.6}), "nobody"]
    return [
        {"prediction_id": i, "label": words[int(chance.integers(len(words)))], "observed_at": LATER + timedelta(days=d)}
        for i in ids
        for d in range(int(chance.choice([1, 1, 1, 2, 3])))
    ]


def stored(folder, rows: list[dict], outcomes: list[dict], files: int, window=WINDOW) -> Partition:
    folder.mkdir(parents=True, exist_ok=True)
    schema = pa.Table.from_pylist(rows).schema
    found = []
    for f in range(files):
        found.append(str(folder / f"f{f}.parquet"))
        pq.write_table(pa.Table.from_pylist(rows[f::files], schema=schema), found[-1], row_group_size=50)
    truth = []
    if outcomes:
        truth.append(str(folder / "outcomes.parquet"))
        pq.write_table(pa.Table.from_pylist(outcomes), truth[-1])
    return Partition(
        model="credit", environment="staging", window=window, files=tuple(found), outcome_files=tuple(truth), digest="d"
    )


def differences(found, wanted, where="") -> list[str]:
    if isinstance(wanted, dict):
        keys = sorted({*found, *wanted})
        return [d for k in keys for d in (
            differences(found[k], wanted[k], f"{where}/{k}") if k in found and k in wanted
            else [f"{where}/{k}: {'missing' if k in wanted else 'too much'}"]
        )]  # fmt: skip
    if isinstance(wanted, list) and len(found) == len(wanted):
        return [
            d for i, (a, b) in enumerate(zip(found, wanted, strict=True)) for d in differences(a, b, f"{where}[{i}]")
        ]
    if isinstance(wanted, float) and found is not None:
        same = math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    else:
        same = found == wanted
    return [] if same else [f"{where}: {found!r}, and the slow count is {wanted!r}"]


def plain(profile: Profile) -> dict:
    return profile.model_dump(mode="json")


@pytest.fixture(params=SCANNERS)
def scanner(request) -> Scanner:
    return SCANNERS[request.param]()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", range(3))
def test_a_night_is_counted_as_a_slow_and_plain_count_of_its_rows_says(scanner, tmp_path, task, seed):
    watched = monitor(**{"task": "binary"} | TASKS[task])
    rows = drawn(400, seed)
    outcomes = labels(rows, task, seed)
    partition = stored(tmp_path, rows, outcomes, files=1 + seed)
    found = scanner.scan(watched, partition, EDGES, NIGHT)
    wanted = night_of(rows, outcomes, watched, EDGES, WINDOW, NIGHT)
    assert {(k.version, k.role.value) for k in found} == set(wanted)
    for key, profile in found.items():
        assert differences(plain(profile), wanted[key.version, key.role.value]) == []


def test_rows_that_are_there_once_are_counted_the_same_way(scanner, tmp_path):
    watched = monitor(**BINARY)
    rows = [r | {"prediction_id": f"p{i}"} for i, r in enumerate(drawn(300, 11))]
    outcomes = labels(rows, "binary", 11)
    found = scanner.scan(watched, stored(tmp_path, rows, outcomes, files=2), EDGES, NIGHT)
    wanted = night_of(rows, outcomes, watched, EDGES, WINDOW, NIGHT)
    for key, profile in found.items():
        assert profile.duplicates == 0
        assert differences(plain(profile), wanted[key.version, key.role.value]) == []
    assert sum(p.rows for p in found.values()) > 200


@pytest.mark.parametrize("task", TASKS)
def test_rows_in_memory_are_counted_as_the_same_rows_of_a_log(scanner, task):
    watched = monitor(**{"task": "binary"} | TASKS[task])
    rows = [r | {"label": r["prediction"], "model_version": "7", "role": "challenger"} for r in drawn(200, 5)]
    if task == "regression":
        rows = [r | {"label": r["age"]} for r in rows]
    found = scanner.scan_table(
        watched, pa.Table.from_pylist(rows), EDGES, night=NIGHT, version="7", role=Role.CHALLENGER
    )
    every = [
        r | {"prediction_id": f"q{i}", "environment": "staging", "served_at": WINDOW.start} for i, r in enumerate(rows)
    ]
    truth = [{"prediction_id": r["prediction_id"], "label": r["label"], "observed_at": LATER} for r in every]
    wanted = night_of(every, truth, watched, EDGES, WINDOW, NIGHT)["7", "challenger"]
    assert differences(plain(found), wanted | {"hours": {}, "hours_service": {}}) == []


def test_the_night_that_clocks_go_back_has_its_hours_counted_as_the_local_clock_says(scanner, tmp_path):
    day = date(2026, 10, 25)
    window = night_window(day, "Europe/Berlin")
    rows = [r | {"served_at": window.start + timedelta(minutes=7 * i)} for i, r in enumerate(drawn(230, 3))]
    watched = monitor(**BINARY)
    found = scanner.scan(watched, stored(tmp_path, rows, [], files=1, window=window), EDGES, day)
    wanted = night_of(rows, [], watched, EDGES, window, day)
    for key, profile in found.items():
        assert differences(plain(profile), wanted[key.version, key.role.value]) == []


def test_the_profiles_of_two_halves_of_the_ids_add_up_to_the_whole_night(scanner, tmp_path):
    watched, rows = monitor(**BINARY), [r for r in drawn(400, 4) if (r["prediction_id"] or "").strip()]
    outcomes = labels(rows, "binary", 4)
    halves = [[r for r in rows if int(r["prediction_id"][1:]) % 2 == side] for side in (0, 1)]

    def whole(name, part):
        return merge_all(list(scanner.scan(watched, stored(tmp_path / name, part, outcomes, 1), EDGES, NIGHT).values()))

    both = merge_all([whole("a", halves[0]), whole("b", halves[1])])
    assert differences(plain(whole("all", rows)), plain(both)) == []


def test_edges_are_the_quantiles_and_the_most_frequent_levels_of_the_reference(scanner):
    watched = monitor(levels=3, bins=8, features={"age": "numeric", "city": "category", "code": "category"})
    rows = drawn(500, 9)
    edges = scanner.fit_edges(watched, pa.Table.from_pylist(rows))
    assert edges.numeric["age"] == fit(np.array([r["age"] for r in rows], dtype=float), 8)
    counts = {}
    for r in rows:
        if (city := text(r["city"])) is not None:
            counts[city] = counts.get(city, 0) + 1
    order = sorted(counts, key=lambda c: (-counts[c], c))
    assert edges.levels["city"] == tuple(sorted(order[:3]))
    assert edges.tails["city"] == tuple(sorted(order[3:]))
    assert edges.levels["code"] == ("0", "1", "2")
    assert (set(edges.tails), edges.open) == ({"city"}, ())


def test_a_night_without_rows_has_no_profile(scanner, tmp_path):
    rows = [r | {"served_at": datetime(2020, 1, 1, tzinfo=UTC)} for r in drawn(5, 0)]
    assert scanner.scan(monitor(**BINARY), stored(tmp_path, rows, [], 1), EDGES, NIGHT) == {}
