"""Every row of a night's files is in exactly one place, as a plain count of the same rows says."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.file_notes import FileNotes
from vigil.adapters.memory import MemoryProfiles
from vigil.adapters.parquet_log import ParquetLog
from vigil.config.schema import Monitor
from vigil.core.window import night_window
from vigil.ports import Ports
from vigil.profiles.row_ledger import Lack, Place
from vigil.profiles.types import Edges
from vigil.usecases.nights import load_night
from vigil.usecases.row_ledgers import look, row_ledger

NIGHT, MODEL = date(2026, 11, 20), "credit"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EDGES = Edges(numeric={"income": (1.0, 2.0)})
MONITOR = Monitor.model_validate(
    {
        "version": "vigil/v1",
        "model": MODEL,
        "environment": "production",
        "task": "binary",
        "data": {"score": "score"},
        "features": {"income": "numeric"},
        "decision": {"positive": "1", "favourable": "0", "deserving": "0"},
        "protected": [{"attribute": "sex", "reference": "m"}],
        "people": {"owner": "owner@example.com"},
    }
)
TYPES = pa.schema(
    {
        "prediction_id": pa.string(), "served_at": pa.timestamp("us", tz="UTC"), "environment": pa.string(),
        "model_version": pa.string(), "role": pa.string(), "status": pa.string(), "latency_ms": pa.float64(),
        "income": pa.float64(), "sex": pa.string(), "score": pa.float64(), "prediction": pa.string(),
    }
)  # fmt: skip

row = st.fixed_dictionaries(
    {
        "prediction_id": st.sampled_from(["a", "b", "c", "d", "e", "f", "", " ", None]),
        "served_at": st.sampled_from([NOON, NOON, NOON + timedelta(hours=1), NOON + timedelta(days=1), None]),
        "environment": st.sampled_from(["production", "production", "production", "prod", "staging", "", None]),
        "model_version": st.just("1"),
        "role": st.sampled_from(["champion", "champion", "fallback", "challenger"]),
        "status": st.sampled_from(["ok", "error", "timeout", "success", None]),
        "latency_ms": st.sampled_from([1.0, None]),
        "income": st.sampled_from([1.0, 2.0, None]),
        "sex": st.sampled_from(["f", "m", None]),
        "score": st.sampled_from([0.2, 0.8, None, float("nan")]),
        "prediction": st.sampled_from(["0", "1", None]),
    }
)


def ports_of(folder) -> Ports:
    unused = ("clock", "ledger", "results", "registry", "lease", "outbox", "quality", "quality_scan", "reporter",
              "runner", "probe", "intake", "traffic")  # fmt: skip
    return Ports(
        **dict.fromkeys(unused),
        notifier=lambda: None,
        log=ParquetLog(folder / "log"),
        scanner=DuckDBScanner(),
        profiles=MemoryProfiles(),
        artifacts=None,
        notes=FileNotes(FileArtifacts(folder / "artifacts", "http://127.0.0.1:1")),
    )


def counted(ports: Ports):
    """The ledger of the night, and the merged profile of what was served."""
    found = ports.log.partition(MONITOR, night_window(NIGHT, "UTC"))
    look(ports, MONITOR, NIGHT, found)
    profiles = ports.scanner.scan(MONITOR, found, EDGES, NIGHT) if found.files else {}
    if profiles:
        ports.profiles.put_night(profiles, partition_digest=found.digest)
    loaded = load_night(ports, MONITOR, NIGHT)
    return row_ledger(ports, MONITOR, NIGHT, found, loaded)


def is_named(value) -> bool:
    return isinstance(value, str) and bool(value.strip())


def plainly(rows: pd.DataFrame) -> Counter:
    """Place -> rows, one row after the other."""
    told, seen = Counter(), {}
    for r in rows.sort_values("served_at", kind="stable").to_dict("records"):
        own, tonight = r["environment"] == "production", not pd.isna(r["served_at"])
        if pd.isna(r["served_at"]):
            told[Place.NO_TIME if own or not is_named(r["environment"]) else Place.OTHER_ENVIRONMENT] += 1
        elif tonight and r["served_at"].date() != NIGHT:
            told[Place.OTHER_NIGHT] += 1
        elif not is_named(r["environment"]):
            told[Place.NO_ENVIRONMENT] += 1
        elif not own:
            told[Place.OTHER_ENVIRONMENT] += 1
        else:
            seen.setdefault((r["prediction_id"], r["role"] == "challenger"), []).append(r)
    for (name, shadow), same in seen.items():
        place = Place.CHALLENGER if shadow else Place.JUDGED
        if not is_named(name):
            told[place] += len(same)
            continue
        told[place] += 1
        told["again"] += len(same) - 1
    return told


@settings(max_examples=40, deadline=None)
@given(st.lists(row, min_size=1, max_size=40), st.integers(1, 3))
def test_the_places_of_a_night_add_up_to_its_rows_as_a_plain_count_says(tmp_path_factory, given_rows, files):
    folder = tmp_path_factory.mktemp("night")
    ports, day = ports_of(folder), folder / "log" / "predictions" / f"model={MODEL}" / f"date={NIGHT}"
    day.mkdir(parents=True)
    of_the_night = []
    for n in range(files):
        part = given_rows[n::files]
        pq.write_table(pa.Table.from_pylist(part, schema=TYPES), day / f"f{n}.parquet")
        times = [r["served_at"] for r in part]
        if None in times or any(t.date() == NIGHT for t in times):  # else it is a file of other nights alone
            of_the_night += part
    rows = pa.Table.from_pylist(of_the_night, schema=TYPES).to_pandas()
    found, wanted = counted(ports), plainly(rows.astype({"environment": object}))
    again = found.at(Place.REPEATED) + found.at(Place.CONFLICTING)
    assert found.rows == len(rows)
    assert (again, {p: n for p, n in found.places.items() if p not in (Place.REPEATED, Place.CONFLICTING)}) == (
        wanted.pop("again", 0),
        {p: n for p, n in wanted.items() if n},
    )
    there = rows[rows["served_at"].notna() & (rows["served_at"].dt.date == NIGHT)]
    others = there.loc[there["environment"].map(is_named) & (there["environment"] != "production"), "environment"]
    untimed = rows.loc[rows["served_at"].isna() & rows["environment"].isin(["prod", "staging"]), "environment"]
    assert dict(found.environments) == Counter([*others, *untimed])


def stored(folder, rows, name="batch") -> Ports:
    ports = ports_of(folder)
    day = folder / "log" / "predictions" / f"model={MODEL}" / f"date={NIGHT}"
    day.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=TYPES), day / f"{name}.parquet")
    return ports


def one(n: int, **parts) -> dict:
    return {
        "prediction_id": f"p{n}", "served_at": NOON, "environment": "production", "model_version": "1",
        "role": "champion", "status": "ok", "latency_ms": 1.0, "income": 1.0, "sex": "f", "score": 0.5,
        "prediction": "1", **parts,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("second", "place"), [({}, Place.REPEATED), ({"income": 2.0}, Place.CONFLICTING), ({"prediction_id": "p9"}, None)]
)
def test_a_row_that_comes_again_is_repeated_and_one_with_its_id_and_other_content_conflicts(tmp_path, second, place):
    found = counted(stored(tmp_path, [one(1), one(1, **second)]))
    assert dict(found.places) == ({Place.JUDGED: 2} if place is None else {Place.JUDGED: 1, place: 1})


def test_rows_of_another_environment_in_a_file_of_their_own_are_counted(tmp_path):
    stored(tmp_path, [one(n) for n in range(140)])
    found = counted(stored(tmp_path, [one(n, environment="prod") for n in range(140, 200)], name="sdk"))
    assert dict(found.places) == {Place.JUDGED: 140, Place.OTHER_ENVIRONMENT: 60}
    assert dict(found.environments) == {"prod": 60}


def test_rows_without_a_time_beside_another_environment_are_told_as_lost(tmp_path):
    ports = stored(tmp_path, [one(1)])
    stored(tmp_path, [one(2, environment="prod"), one(3, environment=None)], name="mixed")
    found = ports.log.partition(MONITOR, night_window(NIGHT, "UTC"))
    assert [why for _, why in found.broken] == [
        "of its 2 rows 1 without 'environment' are in no night; the others are counted"
    ]
    assert dict(counted(ports).places) == {Place.JUDGED: 1, Place.NO_ENVIRONMENT: 1, Place.OTHER_ENVIRONMENT: 1}


def test_what_judged_rows_are_without_is_counted_by_what_it_is(tmp_path):
    rows = [one(1), one(2, sex=None), one(3, score=float("nan")), one(4, status="success", score=None)]
    found = counted(stored(tmp_path, [*rows, one(5, prediction_id="")]))
    told = {(r.lack, r.subject): (r.rows, r.of) for r in found.remainders}
    assert told == {
        (Lack.GROUP, "sex"): (1, 5),
        (Lack.SCORE, "all"): (1, 4),
        (Lack.STATUS, "all"): (1, 5),
        (Lack.ID, "all"): (1, 5),
        (Lack.LABEL, "all"): (5, 5),
    }


def test_a_night_that_the_scan_refuses_has_its_rows_in_a_place_too(tmp_path):
    ports = stored(tmp_path, [one(1), one(2)])
    found = ports.log.partition(MONITOR, night_window(NIGHT, "UTC"))
    look(ports, MONITOR, NIGHT, found)
    assert dict(row_ledger(ports, MONITOR, NIGHT, found, None).places) == {Place.NOT_PROFILED: 2}
