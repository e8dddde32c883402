"""Great Expectations over a night's rows: suites in GX's own JSON, its results as verdicts, its data docs kept.

GX says what it saw; the severity that a suite's author wrote says what that means: critical -> breach, warning and info
-> warn, a check that could not be made -> unknown. No value of a row leaves here: results are asked for without them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.adapters.gx_words import condition_of, failure, observed, sentence
from vigil.core.errors import DataError
from vigil.core.words import Family
from vigil.metrics.intervals import wilson
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.ports import Artifacts, QualityOutcome
from vigil.verdicts.types import Cause, State, Verdict
from vigil.verdicts.words import number

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

METRIC = "expectation"
DOCS, RESULT = "data_docs.html", "gx_validation.json"
TEMPLATES = Path(__file__).parent / "templates"
# no examples of unexpected values: they are rows
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
FAILED = {"critical": State.BREACH, "warning": State.WARN, "info": State.WARN}
ORDER = (State.BREACH, State.UNKNOWN, State.WARN, State.OK)


class Checked(NamedTuple):
    """One expectation after it was checked: what it asks, how grave a failure is, what was found."""

    sentence: str
    severity: str
    gate: bool
    verdict: Verdict


class GxSuite:
    """Implements the QualitySuite port: `expectations/<suite>.json`, run on pandas in memory."""

    def __init__(self, expectations: Path, artifacts: Artifacts) -> None:
        self._expectations = Path(expectations)
        self._artifacts = artifacts

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome:
        """Each expectation becomes a verdict. A suite that is missing or unreadable is `unknown`, never silence.

        A gate that could not be checked counts as failed: nobody knows whether the rows can be trusted.
        """
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when GX is imported
        try:
            suite = _suite(self._expectations / f"{monitor.suite}.json", monitor)
        except DataError as error:
            return QualityOutcome(verdicts=(_cannot("suite", str(error)).model_dump(mode="json"),))
        result = _validate(suite, rows)
        checked = _named_apart([_checked(each, rows.num_rows) for each in result.results])
        self._keep(monitor, night, result, checked)
        return QualityOutcome(
            verdicts=tuple(c.verdict.model_dump(mode="json") for c in checked),
            failed_gates=tuple(c.verdict.subject for c in checked if c.gate and c.verdict.state is not State.OK),
            docs_url=self._artifacts.url(monitor.model, night, DOCS),
        )

    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """The verdict of each expectation of a suite that is not kept yet, in its order. Writes nothing."""
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        made = _made(dict(suite), str(suite.get("name")), monitor)
        result = _validate(made, rows)
        return tuple(_checked(each, rows.num_rows).verdict for each in result.results)

    def _keep(self, monitor: Monitor, night: date, result: Any, checked: list[Checked]) -> None:
        """GX's result as it is, and a page of it."""
        raw = json.dumps(result.to_json_dict(), indent=1, default=str)
        _write(self._artifacts.path(monitor.model, night, RESULT), raw)
        _write(self._artifacts.path(monitor.model, night, DOCS), _page(monitor, night, result, checked))


def _suite(path: Path, monitor: Monitor) -> Any:
    """GX's suite. Raises DataError with the file, what is wrong with it, and the next step."""
    shown = f"{path.parent.name}/{path.name}"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"there is no {shown}: add it, or change `suite:` of monitor {monitor.model}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{shown} is not a suite in JSON ({error}): correct the file") from error
    return _made(raw, shown, monitor)


def _made(raw: Any, shown: str, monitor: Monitor) -> Any:
    """GX's suite of a parsed file. Raises DataError with what is wrong with it."""
    if not isinstance(raw, dict) or not isinstance(raw.get("expectations"), list):
        raise DataError(f"{shown} has no list `expectations`: write it as GX's `suite.to_json_dict()` does")
    from great_expectations import ExpectationSuite

    made = ExpectationSuite(name=str(raw.get("name") or monitor.model), meta=raw.get("meta"))
    for place, config in enumerate(raw["expectations"], 1):
        made.expectations.append(_expectation(config, place, f"{shown}, expectation {place}"))
    if not made.expectations:
        raise DataError(f"{shown} expects nothing: add an expectation, or leave out `suite:` of {monitor.model}")
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


def _validate(suite: Any, rows: pa.Table) -> Any:
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
    result.results.sort(key=lambda each: _ours(each.expectation_config)["place"])
    return result


def _ours(config: Any) -> dict[str, Any]:
    """What an expectation's meta says to us."""
    found: dict[str, Any] = (config.meta or {}).get("vigil") or {}
    return found


def _checked(result: Any, rows: int) -> Checked:
    config, subject = result.expectation_config, _subject(result.expectation_config)
    asked = sentence(result)
    severity = str(getattr(config.severity, "value", config.severity) or "critical")
    gate = bool(_ours(config).get("gate"))
    broken = failure(result.exception_info or {})
    absent = config.type == "expect_column_to_exist" and broken is None
    if broken is not None:
        return Checked(asked, severity, gate, _cannot(subject, broken))
    measurement = _measurement(subject, result.result or {}, rows, bool(result.success))
    if measurement.value is None:
        verdict = _cannot(subject, measurement.why_not, measurement)
        return Checked(asked, severity, gate, verdict)
    state = State.OK if result.success else FAILED.get(severity, State.BREACH)
    found = "the rows have no such column" if absent and not result.success else measurement.detail
    reason = f"{asked}: {found}" if found else asked
    verdict = Verdict(
        metric=METRIC,
        subject=subject,
        family=Family.QUALITY,
        state=state,
        reason=reason,
        hard=gate and state is State.BREACH,
        measurement=measurement,
        limit=f"{severity}{', gate' if gate else ''}",
    )
    return Checked(asked, severity, gate, verdict)


def _subject(config: Any) -> str:
    """`column_values_to_be_between(age)`: the same expectation has the same name every night."""
    kwargs = config.kwargs
    pair = [kwargs[k] for k in ("column_A", "column_B") if k in kwargs]
    column = kwargs.get("column") or ",".join(map(str, kwargs.get("column_list") or pair)) or "all"
    condition = f" if {condition_of(kwargs['row_condition'])}" if kwargs.get("row_condition") else ""
    return f"{config.type.removeprefix('expect_')}({column}{condition})"


def _named_apart(checked: list[Checked]) -> list[Checked]:
    """A suite may ask the same of a column twice, with other limits: then the second is `... #2`."""
    seen: Counter[str] = Counter()

    def named(one: Checked) -> Checked:
        subject = one.verdict.subject
        seen[subject] += 1
        if seen[subject] == 1:
            return one
        other = f"{subject} #{seen[subject]}"
        m = one.verdict.measurement
        changed = {"subject": other, "measurement": m.model_copy(update={"subject": other}) if m else None}
        return one._replace(verdict=one.verdict.model_copy(update=changed))

    return [named(each) for each in checked]


def _measurement(subject: str, found: Mapping[str, Any], rows: int, success: bool) -> Measurement:
    """The share of unexpected values among those that are there; of a check of the whole table 0 or 1."""
    share = {"metric": METRIC, "subject": subject, "family": Family.QUALITY, "unit": "share", "worse": Worse.HIGHER}
    bad = found.get("unexpected_count")
    if bad is None:
        value = 0.0 if success else 1.0
        return Measurement(**share, kind=Kind.COUNT, value=value, n=rows, detail=observed(found))
    n, bad = int(found.get("element_count") or 0) - int(found.get("missing_count") or 0), int(bad)
    if n <= 0:
        return Measurement(**share, kind=Kind.PROPORTION, value=None, n=0, why_not="there is no value to check")
    low, high = wilson(bad, n)
    detail = f"{bad:,} of {n:,} are not"
    if bad:
        detail += f", {number(bad / n, 'share')} [{number(low, 'share')}, {number(high, 'share')}]"
    return Measurement(
        **share, kind=Kind.PROPORTION, value=bad / n, low=low, high=high, n=n, parts=(bad, n), detail=detail
    )


def _cannot(subject: str, why: str, measurement: Measurement | None = None) -> Verdict:
    """Unknown: overdue when the check failed (it must not), not when there was nothing to check."""
    return Verdict(
        metric=METRIC,
        subject=subject,
        family=Family.QUALITY,
        state=State.UNKNOWN,
        cause=Cause.NO_DATA if measurement else Cause.CHECK_FAILED,
        reason=f"{subject}: {why}",
        overdue=measurement is None,
        measurement=measurement,
    )


def _page(monitor: Monitor, night: date, result: Any, checked: list[Checked]) -> str:
    """GX's sentences in a page of our own: GX's view loads 17 files from the internet, ours none."""
    from importlib.metadata import version

    from jinja2 import Environment, FileSystemLoader

    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("data_docs.html")
    return page.render(
        monitor=monitor,
        night=night,
        suite=result.suite_name,
        checked=list(_worst_first(checked)),
        counts=Counter(c.verdict.state.value for c in checked),
        gates=sum(c.gate for c in checked),
        version=version("great_expectations"),
    )


def _worst_first(checked: list[Checked]) -> Iterator[Checked]:
    for state in ORDER:
        yield from (c for c in checked if c.verdict.state is state)


def _write(path: Path, text: str) -> None:
    """All of it or nothing: somebody may be reading the file of an earlier try."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
