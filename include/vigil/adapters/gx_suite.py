"""Great Expectations over a night's rows: suites in GX's own JSON, its results as verdicts, its data docs kept."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.words import Family
from vigil.metrics.intervals import wilson
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.ports import Artifacts, QualityOutcome
from vigil.verdicts.types import Cause, State, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

DOCS = "data_docs.html"


class GxSuite:
    """Implements the QualitySuite port."""

    def __init__(self, expectations: Path, artifacts: Artifacts) -> None:
        self._expectations = Path(expectations)
        self._artifacts = artifacts

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome:
        """Each expectation becomes a verdict. A suite that is missing or unreadable is `unknown`, never silence."""
        try:
            suite = self._load(monitor)
        except DataError as error:
            return QualityOutcome(verdicts=(_cannot("suite", str(error)).model_dump(mode="json"),))
        validated = _validate(suite, rows)
        verdicts = [_verdict(r) for r in validated["results"]]
        gates = [
            v.subject for r, v in zip(validated["results"], verdicts, strict=True) if _gate(r) and not r["success"]
        ]
        page = self._artifacts.path(monitor.model, night, DOCS)
        page.write_text(_docs(validated), encoding="utf-8")
        return QualityOutcome(
            verdicts=tuple(v.model_dump(mode="json") for v in verdicts),
            failed_gates=tuple(gates),
            docs_url=self._artifacts.url(monitor.model, night, DOCS),
        )

    def _load(self, monitor: Monitor) -> dict[str, Any]:
        path = self._expectations / f"{monitor.suite}.json"
        try:
            suite: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DataError(
                f"there is no suite {path.parent.name}/{path.name}; see `suite:` of {monitor.model}"
            ) from error
        except (OSError, ValueError) as error:
            raise DataError(f"{path.parent.name}/{path.name} is not a suite in JSON: {error}") from error
        if not isinstance(suite.get("expectations"), list):
            raise DataError(f"{path.parent.name}/{path.name} has no list of expectations")
        return suite


def _validate(suite: dict[str, Any], rows: pa.Table) -> dict[str, Any]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("night").add_dataframe_asset("rows")
    definition = asset.add_batch_definition_whole_dataframe("all")
    loaded = gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"], meta=suite.get("meta"))
    check = gx.ValidationDefinition(name="night", data=definition, suite=context.suites.add(loaded))
    result = context.validation_definitions.add(check).run(
        batch_parameters={"dataframe": rows.to_pandas()}, result_format="SUMMARY"
    )
    raw: dict[str, Any] = result.to_json_dict()
    raw["rendered"] = result
    return raw


def _gate(result: dict[str, Any]) -> bool:
    meta = result["expectation_config"].get("meta") or {}
    return bool((meta.get("vigil") or {}).get("gate"))


def _subject(config: dict[str, Any]) -> str:
    kwargs = config["kwargs"]
    column = kwargs.get("column") or ",".join(kwargs.get("column_list", []))
    return f"{config['type'].removeprefix('expect_')}({column})"


def _verdict(result: dict[str, Any]) -> Verdict:
    config, subject = result["expectation_config"], _subject(result["expectation_config"])
    broken = result.get("exception_info") or {}
    raised = broken if "raised_exception" in broken else next(iter(broken.values()), {})
    if isinstance(raised, dict) and raised.get("raised_exception"):
        why = str(raised.get("exception_message", "")).splitlines()
        return _cannot(subject, f"the check itself failed: {why[0][:200] if why else 'no message'}")
    measurement = _measurement(subject, result["result"])
    severity = config.get("severity") or "critical"
    failed = State.BREACH if severity == "critical" else State.WARN
    state = State.OK if result["success"] else failed
    return Verdict(
        metric="expectation",
        subject=subject,
        family=Family.QUALITY,
        state=state,
        reason=f"{subject}: {_words(config['kwargs'])}; {measurement.detail}",
        measurement=measurement,
        limit=f"{severity}{', gate' if _gate(result) else ''}",
    )


def _measurement(subject: str, found: dict[str, Any]) -> Measurement:
    """The share of unexpected rows; for a check of the whole table 0 or 1 and what was observed."""
    n, bad = int(found.get("element_count") or 0), found.get("unexpected_count")
    share = {
        "metric": "expectation",
        "subject": subject,
        "family": Family.QUALITY,
        "unit": "share",
        "worse": Worse.HIGHER,
    }
    if bad is None or not n:
        observed = found.get("observed_value")
        return Measurement(**share, kind=Kind.COUNT, value=None, n=n, detail=f"observed {observed}")
    low, high = wilson(bad, n)
    detail = f"{bad:,} of {n:,} rows are not as expected"
    return Measurement(
        **share, kind=Kind.PROPORTION, value=bad / n, low=low, high=high, n=n, parts=(bad, n), detail=detail
    )


def _words(kwargs: dict[str, Any]) -> str:
    shown = {k: v for k, v in kwargs.items() if k not in ("batch_id", "column") and v is not None}
    return ", ".join(f"{k} {v}" for k, v in shown.items()) or "as declared"


def _cannot(subject: str, why: str) -> Verdict:
    return Verdict(
        metric="expectation",
        subject=subject,
        family=Family.QUALITY,
        state=State.UNKNOWN,
        cause=Cause.CHECK_FAILED,
        reason=f"{subject}: {why}",
        overdue=True,
    )


def _docs(validated: dict[str, Any]) -> str:
    """GX's own page of the validation."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    page = ValidationResultsPageRenderer().render(validated["rendered"])
    html: str = DefaultJinjaPageView().render(page)
    return html
