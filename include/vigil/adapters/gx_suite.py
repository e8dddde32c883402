"""Great Expectations over a night's rows: suites in GX's own JSON, its results as verdicts, its data docs kept.

GX says what it saw; the severity that a suite's author wrote says what that means: critical -> breach, warning and info
-> warn, a check that could not be made -> unknown. No value of a row leaves here: results are asked for without them.
An expectation that raises is that one's own unknown: all others are checked.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_counted import counted
from vigil.adapters.duckdb_rows import connect
from vigil.adapters.suite_file import read_suite, whole_suite
from vigil.adapters.suite_repeated import add_repeated, repeated_of
from vigil.adapters.suite_results import checked_of, ours, outcome, unreadable
from vigil.adapters.suite_shape import SuiteResult, unaskable, unchecked
from vigil.config.suites import Expectation, Suite
from vigil.core.errors import DataError
from vigil.ports import Artifacts, QualityOutcome
from vigil.verdicts.types import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

# no examples of unexpected values: they are rows
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
IN_ORDER = ("expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing")
VACUOUS = "expect_column_distinct_values_to_be_in_set"
# what GX asks of SQL databases only, or cannot answer on pandas: DuckDB counts these of the same rows
NOT_ON_PANDAS = {
    "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_match_like_pattern_list",
    "expect_column_values_to_not_match_like_pattern_list",
    "expect_column_quantile_values_to_be_between",
    "unexpected_rows_expectation",
}
log = logging.getLogger("vigil")


class GxSuite:
    """Implements the QualitySuite port: `expectations/<suite>.json`, run on pandas in memory."""

    def __init__(self, expectations: Path, artifacts: Artifacts) -> None:
        self._expectations = Path(expectations)
        self._artifacts = artifacts

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome:
        """Each expectation becomes a verdict. A suite that is missing or unreadable is `unknown`, never silence."""
        try:
            suite = read_suite(self._expectations / f"{monitor.suite}.json", monitor)
        except DataError as error:
            return unreadable(str(error))
        return outcome(self._artifacts, monitor, night, _checked(suite, rows, monitor), rows.num_rows)

    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """The verdict of each expectation of a suite that is not kept yet, in its order. Writes nothing."""
        made = whole_suite(suite, str(suite.get("name")), monitor)
        return tuple(checked_of(each, rows.num_rows).verdict for each in _checked(made, rows, monitor).results)


def _checked(suite: Suite, rows: pa.Table, monitor: Monitor) -> SuiteResult:
    """What was found of a suite, in which ids are not unique where rows were left out because they repeat one."""
    results: dict[int, Any] = {e.place: unaskable(e, e.problem) for e in suite.expectations if e.problem}
    able = [e for e in suite.expectations if not e.problem]
    elsewhere = [e for e in able if e.type in NOT_ON_PANDAS]
    if elsewhere:
        with connect() as db:
            db.register("asked", rows)
            results |= counted(db, elsewhere)
    left = [e for e in able if e.place not in results]
    results |= gx_results(left, in_time(rows, left, monitor))
    add_repeated(results.values(), monitor.data.prediction_id, repeated_of(rows))
    return SuiteResult(suite.name, tuple(results[place] for place in sorted(results)))


def in_time(rows: pa.Table, asked: Sequence[Expectation], monitor: Monitor) -> pa.Table:
    """The rows as they were served, where an expectation is about their order: stored rows have none of their own."""
    d = monitor.data
    if d.served_at not in rows.column_names or not any(e.type in IN_ORDER for e in asked):
        return rows
    names = [name for name in (d.served_at, d.prediction_id) if name in rows.column_names]
    return rows.sort_by([(name, "ascending") for name in names])


def gx_results(asked: Sequence[Expectation], rows: pa.Table) -> dict[int, Any]:
    """Place -> what GX says of each expectation over these rows. What raises is that expectation's own problem."""
    if not asked:
        return {}
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when GX is imported
    results: dict[int, Any] = {}
    made: list[tuple[Expectation, Any]] = []
    for one in asked:
        try:
            made.append((one, _made(one)))
        except Exception as error:  # noqa: BLE001 - whatever GX raises: the others are checked all the same
            why = " ".join(str(error).split())[:300]
            results[one.place] = unaskable(one, f"Great Expectations cannot make it: {why}")
    if made:
        frame = rows.replace_schema_metadata(None).to_pandas()  # stored rows have no notes of pandas on its types
        results |= _validated(made, frame)
        _say_empty(results.values(), frame)
    return results


def _say_empty(results: Iterable[Any], frame: Any) -> None:
    """All values of a column belong to whatever set where it has none: then there was nothing to check."""
    for each in results:
        config = each.expectation_config
        if config.type == VACUOUS and each.success and frame[config.kwargs["column"]].isna().all():
            each.result["element_count"] = 0


def _made(one: Expectation) -> Any:
    """GX's expectation. It remembers its place in the file: GX returns results in an order of its own."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    meta = {**one.meta, "vigil": {**(one.meta.get("vigil") or {}), "place": one.place}}
    severity = FailureSeverity(one.severity)
    config = ExpectationConfiguration(type=one.type, kwargs=dict(one.kwargs), meta=meta, severity=severity)
    return config.to_domain_obj()


def _validated(made: Sequence[tuple[Expectation, Any]], frame: Any) -> dict[int, Any]:
    """All at once, because GX shares what they have in common; where that raises, each alone."""
    try:
        return {ours(each.expectation_config)["place"]: each for each in _run([e for _, e in made], frame)}
    except Exception as error:  # noqa: BLE001 - whatever GX raises
        log.debug("Great Expectations raised %s", type(error).__name__)
        if len(made) == 1:
            one = made[0][0]
            return {one.place: unchecked(one, f"the check itself failed ({type(error).__name__})")}
    return {place: found for one in made for place, found in _validated([one], frame).items()}


def _run(expectations: Sequence[Any], frame: Any) -> list[Any]:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    suite = gx.ExpectationSuite(name="night")
    suite.expectations.extend(expectations)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("night").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")
    check = gx.ValidationDefinition(name="night", data=batch, suite=context.suites.add(suite))
    found = context.validation_definitions.add(check).run(
        batch_parameters={"dataframe": frame}, result_format=RESULT_FORMAT
    )
    return list(found.results)
