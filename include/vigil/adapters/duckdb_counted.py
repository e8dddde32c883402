"""What DuckDB counts of a suite over the relation `asked`, in the shape of Great Expectations' results."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vigil.adapters.duckdb_expectations import compiled
from vigil.adapters.duckdb_plan import Plan
from vigil.adapters.duckdb_rows import columns_of, quoted
from vigil.adapters.suite_shape import Result
from vigil.adapters.suite_words import words
from vigil.config.suites import Expectation

CHUNK = 24  # aggregates of one SELECT: one over hundreds of columns collapses
BATCH = 100_000  # distinct texts in memory at a time
Planned = tuple[Expectation, Plan]
log = logging.getLogger("vigil")


def counted(db: Any, asked: Sequence[Expectation]) -> dict[int, Result]:
    """Place -> what was found, of the expectations that can be compiled. The others, and those that raise, are left."""
    import duckdb

    kinds = columns_of(db, "asked")
    plans = ((one, compiled(one.type, one.kwargs, kinds)) for one in asked)
    planned = [(one, plan) for one, plan in plans if plan is not None]
    try:
        return {found.expectation_config.place: found for found in _results(db, planned)}
    except duckdb.Error:
        return {one.place: found for one, plan in planned if (found := _alone(db, one, plan)) is not None}


def _alone(db: Any, one: Expectation, plan: Plan) -> Result | None:
    """One expectation by itself; None where its SQL fails."""
    import duckdb

    try:
        return next(_results(db, [(one, plan)]))
    except duckdb.Error as error:
        log.debug("%s cannot be counted: %s", one.type, type(error).__name__)
        return None


def _results(db: Any, planned: Sequence[Planned]) -> Iterator[Result]:
    answers = _sums(db, [plan for _, plan in planned])
    for (one, plan), sums in zip(planned, answers, strict=True):
        found = sums
        if plan.query:
            found = _one(db, plan.query.replace("{rows}", "asked"))
        elif plan.texts is not None:
            seen = _of_texts(db, *plan.texts)
            found = {**sums, "bad": sums["bad"] + seen["bad"]} if plan.sums else seen
        success, result = plan.finish(found)
        yield Result(bool(success), one, result, words(one.type, one.kwargs) or one.type)


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
