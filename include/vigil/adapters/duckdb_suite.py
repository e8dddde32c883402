"""A suite counted by DuckDB, straight from the files of a night: GX's own JSON, GX's own results, without pandas.

What `duckdb_expectations` cannot say in the very words of GX is run by GX itself, over at most `GX_ROWS` rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_expectations import Plan, compiled
from vigil.adapters.duckdb_night import label_join, make_asked
from vigil.adapters.duckdb_rows import columns_of, connect, quoted, stored_columns
from vigil.adapters.gx_suite import made_suite, validate
from vigil.adapters.suite_file import expected, raw_suite
from vigil.adapters.suite_repeated import add_repeated, repeated_of
from vigil.adapters.suite_results import checked_of, outcome, unreadable
from vigil.adapters.suite_words import words
from vigil.core.errors import DataError
from vigil.ports import Artifacts, Partition, QualityOutcome
from vigil.verdicts.types import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

GX_ROWS = 200_000  # rows that GX is given of a larger night, for what cannot be compiled
CHUNK = 24  # aggregates of one SELECT: one over hundreds of columns collapses
SEVERITIES = ("critical", "warning", "info")
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
        path = self._expectations / f"{monitor.suite}.json"
        try:
            raw = raw_suite(path, monitor)
        except DataError as error:
            return unreadable(str(error))
        labels = "label" in json.dumps(raw)  # where nothing is asked of them, they need not be looked for
        with connect() as db:
            known = partition if labels else partition.model_copy(update={"outcome_files": ()})
            label_join(db, monitor, known, columns=list(stored_columns(db, monitor, partition.files)))
            repeated = make_asked(db, monitor, labels=labels)
            return self._counted(db, monitor, raw, sample, night, repeated)

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome:
        """The suite over rows in memory."""
        path = self._expectations / f"{monitor.suite}.json"
        try:
            raw = raw_suite(path, monitor)
        except DataError as error:
            return unreadable(str(error))
        with connect() as db:
            db.register("asked", rows)
            found = self._counted(db, monitor, raw, lambda most: rows.slice(0, most), night, repeated_of(rows))
            return found or QualityOutcome(verdicts=())

    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """The verdict of each expectation of a suite that is not kept yet, in its order. Writes nothing."""
        with connect() as db:
            db.register("asked", rows)
            result, _ = counted(db, suite, str(suite.get("name")), monitor, lambda _: rows, repeated=repeated_of(rows))
        return tuple(checked_of(each, rows.num_rows).verdict for each in result.results)

    def _counted(
        self, db: Any, monitor: Monitor, raw: Mapping[str, Any], sample: Sample, night: date, repeated: int
    ) -> QualityOutcome | None:
        rows = db.execute("SELECT count(*) FROM asked").fetchone()[0]
        if not rows:
            return None
        shown = f"{self._expectations.name}/{monitor.suite}.json"
        try:
            result, mine = counted(db, raw, shown, monitor, sample, repeated=repeated)
        except DataError as error:
            return unreadable(str(error))
        return outcome(self._artifacts, monitor, night, result, rows, counted=mine)


def counted(
    db: Any, raw: Mapping[str, Any], shown: str, monitor: Monitor, sample: Sample, *, repeated: int = 0
) -> tuple[Counted, int]:
    """A suite's result over the relation `asked`, in the order of the file, and how many of it were compiled.

    repeated: rows that `asked` was left without because their id is in another one.
    """
    kinds = columns_of(db, "asked")
    asked = expected(raw, shown, monitor)
    simple = [_simple(config, place) for place, config in enumerate(asked, 1)]
    plans = [compiled(c.type, c.kwargs, kinds) if c is not None else None for c in simple]
    rest = [place for place, plan in enumerate(plans, 1) if plan is None]
    mine = [
        (config, plan) for config, plan in zip(simple, plans, strict=True) if config is not None and plan is not None
    ]
    results: dict[int, Any] = {c.place: found for (c, _), found in zip(mine, _results(db, mine), strict=True)}
    if rest:
        left = made_suite({**raw, "expectations": [asked[place - 1] for place in rest]}, shown, monitor)
        results |= dict(zip(rest, validate(left, sample(GX_ROWS)).results, strict=True))
    add_repeated(results.values(), monitor.data.prediction_id, repeated)
    name = str(raw.get("name") or monitor.model)
    return Counted(suite_name=name, results=tuple(results[place] for place in sorted(results))), len(mine)


@dataclass(frozen=True, slots=True)
class Config:
    """An expectation as its author wrote it; the names are those of GX's own."""

    type: str
    kwargs: Mapping[str, Any]
    severity: str
    meta: Mapping[str, Any]
    place: int


@dataclass(slots=True)
class Result:
    """What was found of one expectation; the names are those of GX's own."""

    success: bool
    expectation_config: Config
    result: dict[str, Any]
    sentence: str
    exception_info: Mapping[str, Any] = field(default_factory=lambda: dict(NO_ERROR))

    def to_json_dict(self) -> dict[str, Any]:
        """As GX writes it."""
        asked = self.expectation_config
        config = {"type": asked.type, "kwargs": asked.kwargs, "severity": asked.severity, "meta": asked.meta}
        told = {"success": self.success, "result": self.result, "exception_info": self.exception_info}
        return {**told, "expectation_config": config}


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of a suite; the names are those of GX's own."""

    suite_name: str
    results: tuple[Any, ...]

    def to_json_dict(self) -> dict[str, Any]:
        """As GX writes it."""
        good, n = sum(bool(each.success) for each in self.results), len(self.results)
        statistics = {
            "evaluated_expectations": n, "successful_expectations": good, "unsuccessful_expectations": n - good,
            "success_percent": 100 * good / n,
        }  # fmt: skip
        results = [each.to_json_dict() for each in self.results]
        return {"success": good == n, "suite_name": self.suite_name, "statistics": statistics, "results": results}


def _simple(config: Any, place: int) -> Config | None:
    """An expectation without anything that only GX understands, or None."""
    if not isinstance(config, dict) or not set(config) <= {"type", "kwargs", "severity", "meta", "id"}:
        return None
    kwargs, severity, meta = config.get("kwargs"), config.get("severity", "critical"), config.get("meta") or {}
    if not isinstance(config.get("type"), str) or not isinstance(kwargs, dict) or not isinstance(meta, dict):
        return None
    if severity not in SEVERITIES or not isinstance(meta.get("vigil", {}), dict):
        return None
    return Config(config["type"], kwargs, severity, meta, place)


def _results(db: Any, planned: Sequence[tuple[Config, Plan]]) -> Iterator[Result]:
    answers = _sums(db, [plan for _, plan in planned])
    for (config, plan), sums in zip(planned, answers, strict=True):
        found = sums
        if plan.query:
            found = _one(db, plan.query.replace("{rows}", "asked"))
        elif plan.texts is not None:
            seen = _of_texts(db, *plan.texts)
            found = {**sums, "bad": sums["bad"] + seen["bad"]} if plan.sums else seen
        success, result = plan.finish(found)
        yield Result(success, config, result, words(config.type, config.kwargs) or config.type)


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
    """Rows, those with a text and wrong ones: each distinct text is looked at once, by the code that GX would run."""
    x = quoted(column)
    found = db.execute(f"SELECT {x}, count(*) FROM asked WHERE {where} GROUP BY 1")
    n = there = bad = 0
    while batch := found.fetchmany(BATCH):
        for text, rows in batch:
            n += rows
            if text is not None:
                there += rows
                bad += 0 if right(text) else rows
    return {"n": n, "there": there, "bad": bad}
