"""The pieces of work of `make bench`, one per fresh process: `python engine_work.py WORK DATA`.

Prints one line of JSON: the process's peak memory, and `seconds` where only the work itself counts (else the whole
process does). Nothing heavy is imported before the work that needs it. Each function stands for what its users do.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

NIGHT = date(2026, 9, 20)
SPENT: dict[str, float] = {}  # processor seconds of the work itself, where only it counts


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float]) -> float:
    SPENT["cpu"] = time.process_time() - start[1]
    return time.perf_counter() - start[0]


# Vigil


def _monitor(data: Path, *, labels: bool = True) -> Any:
    import pyarrow.parquet as pq

    from vigil.config.schema import Monitor

    names = pq.read_schema(data / "reference.parquet").names
    features = {n: "numeric" if n.startswith("x") else "category" for n in names if n[0] in "xc" and n[1].isdigit()}
    protected = [{"attribute": "sex", "reference": "male"}, {"attribute": "region", "reference": "north"}]
    return Monitor.model_validate({
        "version": "vigil/v1", "model": "bench", "environment": "production", "task": "binary",
        "data": {"score": "score"}, "features": features, "suite": "bench",
        "decision": {"positive": "1", "favourable": "0", "deserving": "0"}, "protected": protected if labels else [],
        "people": {"owner": "a@example.com"},
    })  # fmt: skip


def _opened(data: Path, *, labels: bool = True) -> tuple[Any, Any, Any, Any]:
    """(monitor, partition, edges, baseline): edges and baseline are kept state, made once and not counted."""
    from vigil.adapters.parquet_log import ParquetLog
    from vigil.core.window import night_window
    from vigil.profiles.codec import decode
    from vigil.profiles.types import Edges

    monitor = _monitor(data, labels=labels)
    partition = ParquetLog(data / "log").partition(monitor, night_window(NIGHT, "UTC"))
    if not labels:
        partition = partition.model_copy(update={"outcome_files": ()})
    state = data / ("state" if labels else "state-plain")
    edges = Edges.model_validate_json((state / "edges.json").read_text())
    return monitor, partition, edges, decode((state / "baseline.zlib").read_bytes())


def prepare(data: Path) -> None:
    """Kept state: edges, the baseline's profile, tonight's profile, a suite of 50 expectations."""
    import pyarrow.parquet as pq

    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.adapters.parquet_log import ParquetLog
    from vigil.core.window import night_window
    from vigil.core.words import Role
    from vigil.profiles.codec import encode

    reference = pq.read_table(data / "reference.parquet")
    for name, labels in (("state", True), ("state-plain", False)):
        state = data / name
        state.mkdir(exist_ok=True)
        monitor = _monitor(data, labels=labels)
        edges = DuckDBScanner().fit_edges(monitor, reference)
        (state / "edges.json").write_text(edges.model_dump_json())
        base = DuckDBScanner().scan_table(monitor, reference, edges, night=NIGHT, version="2", role=Role.CHAMPION)
        (state / "baseline.zlib").write_bytes(encode(base))
    monitor = _monitor(data)
    partition = ParquetLog(data / "log").partition(monitor, night_window(NIGHT, "UTC"))
    edges = DuckDBScanner().fit_edges(monitor, reference)
    (profile,) = DuckDBScanner().scan(monitor, partition, edges, NIGHT).values()
    (data / "state" / "tonight.zlib").write_bytes(encode(profile))
    small = DuckDBScanner().scan_table(
        monitor, reference.slice(0, 1000), edges, night=NIGHT, version="2", role=Role.CHAMPION
    )
    (data / "state" / "small.zlib").write_bytes(encode(small))
    (data / "suites").mkdir(exist_ok=True)
    (data / "suites" / "bench.json").write_text(json.dumps({"name": "bench", "expectations": suite(reference)}))


def suite(reference: Any) -> list[dict[str, Any]]:
    """Fifty expectations: nulls, ranges, sets, uniqueness, lengths, row count, columns."""
    names = reference.column_names
    numbers, texts = ([n for n in names if n[0] == k and n[1].isdigit()] for k in "xc")
    expectations: list[tuple[str, dict[str, Any]]] = [
        ("expect_table_row_count_to_be_between", {"min_value": 1000}),
        ("expect_table_columns_to_match_set", {"column_set": names[:5], "exact_match": False}),
        ("expect_column_values_to_be_unique", {"column": "prediction_id"}),
        ("expect_column_value_lengths_to_be_between", {"column": "prediction_id", "min_value": 3, "max_value": 20}),
        ("expect_column_values_to_match_regex", {"column": "prediction_id", "regex": "^p[0-9]+$"}),
    ]
    for name in numbers:
        expectations.append(("expect_column_values_to_not_be_null", {"column": name, "mostly": 0.95}))
        expectations.append(
            ("expect_column_values_to_be_between", {"column": name, "min_value": -50, "max_value": 5000})
        )
    for name in texts:
        expectations.append(("expect_column_values_to_not_be_null", {"column": name}))
        expectations.append(
            ("expect_column_values_to_be_in_set", {"column": name, "value_set": [f"level{k}" for k in range(11)]})
        )
    for name in numbers:
        expectations.append(("expect_column_mean_to_be_between", {"column": name, "min_value": -5, "max_value": 50}))
    return [{"type": kind, "kwargs": kwargs, "severity": "critical", "meta": {}} for kind, kwargs in expectations][:50]


def vigil_full(data: Path) -> None:
    """A night: scan with labels and groups, suite compiled, every metric of the catalogue."""
    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.adapters.duckdb_suite import CompiledSuite
    from vigil.adapters.file_artifacts import FileArtifacts
    from vigil.metrics.catalog import CATALOG
    from vigil.metrics.evaluate import evaluate
    from vigil.usecases.nights import view

    monitor, partition, edges, baseline = _opened(data)
    compiled = CompiledSuite(data / "suites", FileArtifacts(data / "artifacts", "http://127.0.0.1:1"))
    outcome = compiled.scan(monitor, partition, night=NIGHT)
    (profile,) = DuckDBScanner().scan(monitor, partition, edges, NIGHT).values()
    numbers = evaluate(profile, baseline, view(monitor), yardstick="holdout", ruled=CATALOG, edges=edges)
    assert profile.rows >= 1000
    assert len(numbers) > 100
    assert outcome is not None
    assert len(outcome.verdicts) == 50


def vigil_plain(data: Path) -> None:
    """A night without labels and groups: scan and drift metrics."""
    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.metrics.evaluate import evaluate
    from vigil.usecases.nights import view

    monitor, partition, edges, baseline = _opened(data, labels=False)
    (profile,) = DuckDBScanner().scan(monitor, partition, edges, NIGHT).values()
    assert evaluate(profile, baseline, view(monitor), yardstick="holdout", edges=edges)


def vigil_drift_warm(data: Path) -> float:
    """Drift of every feature from the two profiles and the rows, imports and opening not counted."""
    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.metrics.evaluate import evaluate
    from vigil.usecases.nights import view

    monitor, partition, edges, baseline = _opened(data, labels=False)
    drift = ["js", "psi", "ks", "wasserstein", "chi_square", "mean_shift", "share_shift", "missing"]
    start = _now()
    (profile,) = DuckDBScanner().scan(monitor, partition, edges, NIGHT).values()
    evaluate(profile, baseline, view(monitor), yardstick="holdout", only=drift, edges=edges)
    return _since(start)


def _scan_seconds(data: Path, *, labels: bool, files: int | None = None) -> float:
    from vigil.adapters.duckdb_rows import connect
    from vigil.adapters.duckdb_scan import DuckDBScanner

    monitor, partition, edges, _ = _opened(data, labels=labels)
    if files:
        file_subset = {"files": partition.files[:files], "outcome_files": partition.outcome_files[:files]}
        partition = partition.model_copy(update=file_subset)
    with connect():
        pass  # DuckDB is imported
    start = _now()
    DuckDBScanner().scan(monitor, partition, edges, NIGHT)
    return _since(start)


def vigil_scan_plain(data: Path) -> float:
    """The scan alone, without labels and groups."""
    return _scan_seconds(data, labels=False)


def vigil_scan_full(data: Path) -> float:
    """The scan alone, with everything."""
    return _scan_seconds(data, labels=True)


def vigil_scan_many(data: Path) -> float:
    """The scan of all files."""
    return _scan_seconds(data, labels=True)


def vigil_scan_few(data: Path) -> float:
    """The scan of a tenth of the files, times ten."""
    return 10 * _scan_seconds(data, labels=True, files=4)


def _floor(data: Path, *, labels: bool) -> float:
    from vigil.adapters.duckdb_rows import READ, connect

    files = [str(p) for p in sorted((data / "log" / "predictions").rglob("*.parquet"))]
    outcomes = [str(p) for p in sorted((data / "log" / "outcomes").rglob("*.parquet"))]
    with connect() as db:
        start = _now()
        for read in (files, outcomes) if labels else (files,):
            kinds = db.execute(f"DESCRIBE SELECT * FROM {READ}", [read]).fetchall()
            groups = () if labels else ("sex", "region")
            sums = [_added(name, kind) for name, kind, *_ in kinds if name not in groups]
            db.execute(f"SELECT {', '.join(sums)} FROM {READ}", [read]).fetchall()
        return _since(start)


def _added(name: str, kind: str) -> str:
    if kind == "VARCHAR":
        return f"sum(strlen({name}))"
    return f"sum(epoch_us({name}))" if kind.startswith("TIMESTAMP") else f"sum({name})"


def duckdb_floor_plain(data: Path) -> float:
    """Reading the columns that the plain profile reads, and adding them up (texts: their lengths)."""
    return _floor(data, labels=False)


def duckdb_floor_full(data: Path) -> float:
    """The same of those that the whole profile reads: protected attributes and the outcomes too."""
    return _floor(data, labels=True)


def _window(data: Path, name: str) -> float:
    from vigil.profiles.codec import decode
    from vigil.profiles.merge import merge_all

    stored = (data / "state" / name).read_bytes()
    decode(stored)  # imports
    start = _now()
    merge_all([decode(stored) for _ in range(28)])
    return _since(start)


def vigil_window(data: Path) -> float:
    """28 stored profiles read and added."""
    return _window(data, "tonight.zlib")


def vigil_window_small(data: Path) -> float:
    """The same of nights of 1,000 rows."""
    return _window(data, "small.zlib")


def vigil_fairness(data: Path) -> float:
    """From rows in memory to every fairness metric with its interval."""
    import pyarrow.parquet as pq

    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.core.words import Family, Role
    from vigil.metrics.catalog import CATALOG
    from vigil.metrics.evaluate import evaluate
    from vigil.usecases.nights import view

    monitor, partition, edges, _ = _opened(data)
    rows = pq.read_table(list(partition.files))
    rows = rows.append_column("label", pq.read_table(list(partition.outcome_files))["label"])
    rows = rows.select(["sex", "region", "prediction", "score", "label", *monitor.features])
    fair = [e.name for e in CATALOG.values() if e.family is Family.FAIRNESS]
    start = _now()
    profile = DuckDBScanner().scan_table(monitor, rows, edges, night=NIGHT, version="2", role=Role.CHAMPION)
    evaluate(profile, None, view(monitor), yardstick="", only=fair)
    return _since(start)


def vigil_suite(data: Path) -> None:
    """The suite, compiled."""
    from vigil.adapters.duckdb_suite import CompiledSuite
    from vigil.adapters.file_artifacts import FileArtifacts

    monitor, partition, _, _ = _opened(data)
    compiled = CompiledSuite(data / "suites", FileArtifacts(data / "artifacts", "http://127.0.0.1:1"))
    outcome = compiled.scan(monitor, partition, night=NIGHT)
    assert outcome is not None
    assert len(outcome.verdicts) == 50


# peers


def gx_suite(data: Path) -> None:
    """The suite on pandas, by Great Expectations alone."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    files = sorted((data / "log" / "predictions").rglob("*.parquet"))
    frame = pd.concat([pd.read_parquet(f) for f in files], ignore_index=True)
    document = json.loads((data / "suites" / "bench.json").read_text())
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    expectation_suite = gx.ExpectationSuite(name="bench", expectations=document["expectations"])
    batch = context.data_sources.add_pandas("n").add_dataframe_asset("r").add_batch_definition_whole_dataframe("all")
    check = gx.ValidationDefinition(name="n", data=batch, suite=context.suites.add(expectation_suite))
    run = context.validation_definitions.add(check).run
    result = run(batch_parameters={"dataframe": frame}, result_format={"result_format": "SUMMARY"})
    assert len(result.results) == 50


def _frames(data: Path) -> tuple[Any, Any]:
    """(tonight, reference): the feature columns and the score."""
    import pandas as pd
    import pyarrow.parquet as pq

    names = pq.read_schema(data / "reference.parquet").names
    columns = [n for n in names if n[0] in "xc" and n[1].isdigit()] + ["score"]
    files = sorted((data / "log" / "predictions").rglob("*.parquet"))
    tonight = pd.concat([pd.read_parquet(f, columns=columns) for f in files], ignore_index=True)
    return tonight, pd.read_parquet(data / "reference.parquet", columns=columns)


def _evidently(tonight: Any, reference: Any) -> None:
    from evidently import Report
    from evidently.presets import DataDriftPreset

    Report([DataDriftPreset()]).run(tonight, reference).dict()


def evidently_drift(data: Path) -> None:
    """DataDriftPreset with its defaults."""
    _evidently(*_frames(data))


def evidently_drift_warm(data: Path) -> float:
    """The same without import and load."""
    tonight, reference = _frames(data)
    _evidently(tonight.head(500), reference.head(500))
    start = _now()
    _evidently(tonight, reference)
    return _since(start)


def whylogs_profile(data: Path) -> None:
    """One profile of the night; the reference's is kept, as ours is."""
    import whylogs as why

    tonight, _ = _frames(data)
    why.log(tonight).view().to_pandas()


def nannyml_drift(data: Path) -> None:
    """Univariate drift with its defaults, fitted on the reference."""
    import nannyml as nml

    tonight, reference = _frames(data)
    calculator = nml.UnivariateDriftCalculator(column_names=list(tonight.columns), chunk_number=1)
    calculator.fit(reference)
    calculator.calculate(tonight).to_df()


def _fairlearn(data: Path, boot: int | None) -> float:
    import pandas as pd
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import precision_score

    files = sorted((data / "log" / "predictions").rglob("*.parquet"))
    rows = pd.concat([pd.read_parquet(f, columns=["sex", "region", "prediction"]) for f in files], ignore_index=True)
    label_files = sorted((data / "log" / "outcomes").rglob("*.parquet"))
    label = pd.concat([pd.read_parquet(f, columns=["label"]) for f in label_files], ignore_index=True)["label"]
    y, predicted = (label == "1").astype(int), (rows["prediction"] == "1").astype(int)
    of = {"rate": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate, "precision": precision_score}
    more = {"n_boot": boot, "ci_quantiles": [0.025, 0.975], "random_state": 1} if boot else {}
    start = _now()
    for attribute in ("sex", "region"):
        frame = MetricFrame(metrics=of, y_true=y, y_pred=predicted, sensitive_features=rows[attribute], **more)
        frame.difference()
        frame.ratio()
    return _since(start)


def fairlearn_plain(data: Path) -> float:
    """MetricFrame of four rates by two attributes, no interval."""
    return _fairlearn(data, None)


def fairlearn_boot(data: Path) -> float:
    """The same with ten bootstraps."""
    return _fairlearn(data, 10)


def main() -> None:
    """Runs one piece of work and tells its peak memory."""
    work: Callable[[Path], float | None] = globals()[sys.argv[1]]
    seconds = work(Path(sys.argv[2]))
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu = SPENT.get("cpu", time.process_time())
    if sys.argv[1] == "vigil_scan_few":  # ten times a tenth
        cpu *= 10
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "cpu": round(cpu, 4), "mb": round(mb, 1)}) + "\n")


if __name__ == "__main__":
    main()
