"""Great Expectations over a night's rows: suites in GX's own JSON, its results as verdicts, its data docs kept.

GX says what it saw; the severity that a suite's author wrote says what that means: critical -> breach, warning and info
-> warn, a check that could not be made -> unknown. No value of a row leaves here: results are asked for without them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.suite_file import expected, raw_suite
from vigil.adapters.suite_repeated import add_repeated, repeated_of
from vigil.adapters.suite_results import checked_of, ours, outcome, unreadable
from vigil.core.errors import DataError
from vigil.ports import Artifacts, QualityOutcome
from vigil.verdicts.types import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

# no examples of unexpected values: they are rows
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


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
        return outcome(self._artifacts, monitor, night, _validated(suite, rows, monitor), rows.num_rows)

    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """The verdict of each expectation of a suite that is not kept yet, in its order. Writes nothing."""
        made = made_suite(dict(suite), str(suite.get("name")), monitor)
        return tuple(checked_of(each, rows.num_rows).verdict for each in _validated(made, rows, monitor).results)


def read_suite(path: Path, monitor: Monitor) -> Any:
    """GX's suite. Raises DataError with the file, what is wrong with it, and the next step."""
    return made_suite(raw_suite(path, monitor), f"{path.parent.name}/{path.name}", monitor)


def made_suite(raw: Mapping[str, Any], shown: str, monitor: Monitor) -> Any:
    """GX's suite of a parsed file. Raises DataError with what is wrong with it."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when GX is imported
    from great_expectations import ExpectationSuite

    asked = expected(raw, shown, monitor)
    made = ExpectationSuite(name=str(raw.get("name") or monitor.model), meta=raw.get("meta"))
    for place, config in enumerate(asked, 1):
        made.expectations.append(_expectation(config, place, f"{shown}, expectation {place}"))
    return made


def _expectation(config: Any, place: int, where: str) -> Any:
    """GX's expectation. It remembers its place in the file: GX returns results in an order of its own."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    if not isinstance(config, dict) or not isinstance(config.get("type"), str):
        raise DataError(f"{where} has no `type`: write it as GX's `to_json_dict()` does")
    meta = config.get("meta") or {}
    try:
        meta = {**meta, "vigil": {**meta.get("vigil", {}), "place": place}}
        return ExpectationConfiguration(**{**config, "meta": meta}).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError, KeyError, AttributeError) as error:
        why = " ".join(str(error).split())[:300]
        raise DataError(f"{where} ({config['type']}) is not one that GX can make: {why}") from error


def _validated(suite: Any, rows: pa.Table, monitor: Monitor) -> Any:
    """GX's result, in which ids are not unique where rows were left out because they repeat one."""
    result, repeated = validate(suite, rows), repeated_of(rows)
    add_repeated(result.results, monitor.data.prediction_id, repeated)
    if repeated:
        good, n = sum(bool(each.success) for each in result.results), len(result.results)
        result.success = good == n
        counts = {"successful_expectations": good, "unsuccessful_expectations": n - good}
        result.statistics.update(counts, success_percent=100 * good / n)
    return result


def validate(suite: Any, rows: pa.Table) -> Any:
    """GX's result of the suite over the rows, in the order of the file."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("night").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")
    check = gx.ValidationDefinition(name="night", data=batch, suite=context.suites.add(suite))
    result = context.validation_definitions.add(check).run(
        batch_parameters={"dataframe": rows.to_pandas()}, result_format=RESULT_FORMAT
    )
    result.results.sort(key=lambda each: ours(each.expectation_config)["place"])
    return result
