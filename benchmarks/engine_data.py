"""Data for `make bench`: one night of a prediction log, labels and a reference, drawn in chunks with fixed seeds.

python engine_data.py NAME FOLDER SCALE     NAME: wide20, wide200, many, fair
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SHAPES = {  # rows, numeric features, category features, files
    "wide20": (1_000_000, 15, 5, 4),
    "wide200": (200_000, 180, 20, 1),
    "many": (10_000_000, 15, 5, 40),
    "fair": (1_000_000, 1, 0, 1),
}
REFERENCE = 100_000  # rows
CHUNK = 250_000  # rows drawn at a time
START = datetime(2026, 9, 20, tzinfo=UTC)


def drawn(seed: int, rows: int, first: int, numeric: int, categories: int, shift: float = 0.0) -> pa.Table:
    """Rows first..first+rows: skewed, heavy and plain numbers, categories, two protected attributes, score, label."""
    rng = np.random.default_rng([seed, first])
    columns: dict[str, object] = {}
    for j in range(numeric):
        kind = j % 3
        x = rng.normal(size=rows) if kind == 0 else rng.lognormal(size=rows) if kind == 1 else rng.standard_t(4, rows)
        x = x + shift * (j == 0)
        if j % 5 == 0:
            x[rng.random(rows) < 0.01] = np.nan
        columns[f"x{j:03d}"] = pa.array(x, mask=np.isnan(x))
    for j in range(categories):
        levels = np.array([f"level{k}" for k in range(3 + 4 * (j % 3))])
        columns[f"c{j:03d}"] = pa.array(levels[rng.integers(0, len(levels), rows)])
    sex, region = rng.random(rows) < 0.4, rng.integers(0, 4, rows)
    columns["sex"] = pa.array(np.where(sex, "female", "male"))
    columns["region"] = pa.array(np.array(["north", "south", "east", "west"])[region])
    first_x = np.nan_to_num(np.asarray(columns["x000"].to_numpy(zero_copy_only=False)))  # type: ignore[attr-defined]
    score = 1 / (1 + np.exp(-(first_x - 0.2 * sex)))
    columns["score"] = score
    columns["prediction"] = pa.array(np.where(score >= 0.5, "1", "0"))
    columns["label"] = pa.array(np.where(rng.random(rows) < score, "1", "0"))
    return pa.table(columns)


def logged(table: pa.Table, first: int, rows: int) -> tuple[pa.Table, pa.Table]:
    """The same as predictions of a log and outcomes."""
    ids = pa.array([f"p{n:09d}" for n in range(first, first + rows)])
    start = int(START.timestamp() * 1_000_000)
    at = pa.array(start + (np.arange(first, first + rows) % 86_000) * 1_000_000, pa.timestamp("us", tz="UTC"))
    same = {"environment": "production", "model_version": "2", "role": "champion", "status": "ok"}
    latency = np.random.default_rng(first).lognormal(3, 0.5, rows)
    log = {"prediction_id": ids, "served_at": at, "latency_ms": pa.array(latency)}
    log |= {k: pa.array([v] * rows).dictionary_encode().dictionary_decode() for k, v in same.items()}
    predictions = table.drop_columns(["label"])
    for name, column in log.items():
        predictions = predictions.append_column(name, column)
    observed_at = pa.array([start + 3_600_000_000] * rows, pa.timestamp("us", tz="UTC"))
    return predictions, pa.table({"prediction_id": ids, "label": table["label"], "observed_at": observed_at})


def main(name: str, folder: Path, scale: float) -> None:
    """Writes predictions/, outcomes/ as the log has them, and reference.parquet."""
    rows, numeric, categories, files = SHAPES[name]
    rows = max(2_000, int(rows * scale))
    places = {k: folder / "log" / k / "model=bench" / "date=2026-09-20" for k in ("predictions", "outcomes")}
    for place in places.values():
        place.mkdir(parents=True)
    first = 0
    for file in range(files):
        end = rows * (file + 1) // files
        writers: dict[str, pq.ParquetWriter] = {}
        while first < end:
            count = min(CHUNK, end - first)
            tables = logged(drawn(1, count, first, numeric, categories, shift=0.1), first, count)
            for kind, table in zip(places, tables, strict=True):
                if kind not in writers:
                    writers[kind] = pq.ParquetWriter(places[kind] / f"part{file:03d}.parquet", table.schema)
                writers[kind].write_table(table, row_group_size=122_880)
            first += count
        for writer in writers.values():
            writer.close()
    reference = drawn(2, min(REFERENCE, rows), 0, numeric, categories)
    pq.write_table(reference, folder / "reference.parquet")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
