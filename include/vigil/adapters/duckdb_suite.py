"""A suite counted by DuckDB, straight from the files of a night: GX's own JSON, GX's own results, without pandas.

What `duckdb_expectations` cannot say in the very words of GX is run by GX itself, over at most `GX_ROWS` rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_expectations import Plan, compiled
from vigil.adapters.duckdb_night import EXTRA, label_join
from vigil.adapters.duckdb_rows import columns_of, connect, quoted, stored_columns
from vigil.adapters.gx_suite import made_suite, read_suite, validate
from vigil.adapters.suite_results import checked_of, ours, outcome, unreadable
from vigil.core.errors import DataError
from vigil.ports import Artifacts, Partition, QualityOutcome
from vigil.verdicts.types import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

GX_ROWS = 200_000  # rows that GX is given of a larger night, for what cannot be compiled
CHUNK = 24  # aggregates of one SELECT: one over hundreds of columns collapses
BATCH = 100_000  # distinct texts in memory at a time
NO_ERROR = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
Sample = Callable[[int], "pa.Table"]


class CompiledSuite:
    """Implements the QualitySuite port on DuckDB, and `scan` for nights that are better not held in memory."""

    def __init__(self, expectations: Path, artifacts: Artifacts) -> None:
        self._expectations = Path(expectations)
        self._artifacts = artifacts

    def rows(self, partition: Partition) -> int:
        """Rows in the partition's files, those of other nights in them included: no night has more."""
        with connect() as db:
            sql = "SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata(?)"
            return int(db.execute(sql, [list(partition.files)]).fetchone()[0]) if partition.files else 0

    def scan(self, monitor: Monitor, partition: Partition, sample: Sample, *, night: date) -> QualityOutcome | None:
        """The suite over all rows of a stored night; None where it has none. sample: at most so many of them."""
        try:
            suite = read_suite(self._expectations / f"{monitor.suite}.json", monitor)
        except DataError as error:
            return unreadable(str(error))
        with connect() as db:
            label_join(db, monitor, partition, columns=list(stored_columns(db, monitor, partition.files)))
            left_out = ", ".join(quoted(c) for c in EXTRA)
            db.execute(f"CREATE TEMP VIEW asked AS SELECT * EXCLUDE ({left_out}) FROM night")
            return self._counted(db, monitor, suite, sample, night)

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome:
        """The suite over rows in memory."""
        try:
            suite = read_suite(self._expectations / f"{monitor.suite}.json", monitor)
        except DataError as error:
            return unreadable(str(error))
        with connect() as db:
            db.register("asked", rows)
            return self._counted(db, monitor, suite, rows.slice, night) or QualityOutcome(verdicts=())

    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """The verdict of each expectation of a suite that is not kept yet, in its order. Writes nothing."""
        made = made_suite(dict(suite), str(suite.get("name")), monitor)
        with connect() as db:
            db.register("asked", rows)
            result, _ = counted(db, made, lambda _: rows)
        return tuple(checked_of(each, rows.num_rows).verdict for each in result.results)

    def _counted(self, db: Any, monitor: Monitor, suite: Any, sample: Sample, night: date) -> QualityOutcome | None:
        rows = db.execute("SELECT count(*) FROM asked").fetchone()[0]
        if not rows:
            return None
        result, ours_of = counted(db, suite, sample)
        return outcome(self._artifacts, monitor, night, result, rows, counted=ours_of)


def counted(db: Any, suite: Any, sample: Sample) -> tuple[Any, int]:
    """GX's result of a suite over the relation `asked`, in the order of the file, and how many were compiled."""
    from great_expectations import ExpectationSuite
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult

    kinds = columns_of(db, "asked")
    expectations = list(suite.expectations)
    plans = [compiled(e.configuration.type, e.configuration.kwargs, kinds) for e in expectations]
    rest = [e for e, plan in zip(expectations, plans, strict=True) if plan is None]
    results = list(_results(db, [(e, p) for e, p in zip(expectations, plans, strict=True) if p is not None]))
    if rest:
        left = ExpectationSuite(name=suite.name, expectations=rest, meta=suite.meta)
        results += validate(left, sample(GX_ROWS)).results
    results.sort(key=lambda each: ours(each.expectation_config)["place"])
    good = sum(bool(each.success) for each in results)
    made = ExpectationSuiteValidationResult(
        success=good == len(results),
        results=results,
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": good,
            "unsuccessful_expectations": len(results) - good,
            "success_percent": 100 * good / len(results),
        },
    )
    return made, len(results) - len(rest)


def _results(db: Any, planned: Sequence[tuple[Any, Plan]]) -> Iterator[Any]:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

    answers = _sums(db, [plan for _, plan in planned])
    for (expectation, plan), sums in zip(planned, answers, strict=True):
        found = sums
        if plan.query:
            found = _one(db, plan.query.replace("{rows}", "asked"))
        elif plan.texts is not None:
            found = _of_texts(db, *plan.texts)
        success, result = plan.finish(found)
        yield ExpectationValidationResult(
            success=success, expectation_config=expectation.configuration, result=result, exception_info=NO_ERROR
        )


def _sums(db: Any, plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """The aggregates of each plan, a few at a time. What two expectations both ask is asked once."""
    wanted = list(dict.fromkeys(sql for plan in plans for sql in plan.sums.values()))
    known: dict[str, Any] = {}
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        known |= dict(zip(part, db.execute(f"SELECT {', '.join(part)} FROM asked").fetchone(), strict=True))
    return [{alias: known[sql] for alias, sql in plan.sums.items()} for plan in plans]


def _one(db: Any, sql: str) -> dict[str, Any]:
    found = db.execute(sql)
    return dict(zip([c[0] for c in found.description], found.fetchone(), strict=True))


def _of_texts(db: Any, column: str, where: str, right: Callable[[str], bool]) -> dict[str, int]:
    """Rows, missing values and wrong ones: each distinct text is looked at once, by the code that GX would run."""
    x = quoted(column)
    found = db.execute(f"SELECT {x}, count(*) FROM asked WHERE {where} GROUP BY 1")
    n = missing = bad = 0
    while batch := found.fetchmany(BATCH):
        for text, rows in batch:
            n += rows
            if text is None:
                missing += rows
            elif not right(text):
                bad += rows
    return {"n": n, "missing": missing, "bad": bad}
