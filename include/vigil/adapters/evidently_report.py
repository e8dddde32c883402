"""The HTML report for people: our verdicts first, then Evidently's picture of the same columns on the same bins."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.core.words import Family
from vigil.metrics.drift.divergence import psi
from vigil.profiles.layout import FeatureType
from vigil.verdicts.types import State
from vigil.verdicts.words import number

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.profiles.types import Edges
    from vigil.verdicts.types import NightResult

TEMPLATE = Path(__file__).parent / "templates"
STATISTIC = "vigil_psi"
THRESHOLD = 0.25  # where Evidently's chart turns red; the verdict is ours


class EvidentlyReporter:
    """Implements the Reporter port."""

    def render(
        self,
        monitor: Monitor,
        *,
        current: pa.Table,
        reference: pa.Table,
        result: NightResult,
        edges: Edges,
        to: Path,
    ) -> Path:
        """Writes one self-contained page: no script, style or picture comes from elsewhere."""
        now, was = _frames(monitor, current, reference)
        body = _evidently(monitor, now, was, edges) if len(now.columns) else ""
        page = _with_panel(body, _panel(monitor, result, len(now)))
        draft = to.with_name(f".{to.name}.draft")
        draft.write_text(page, encoding="utf-8")
        draft.replace(to)
        return to


def _frames(monitor: Monitor, current: pa.Table, reference: pa.Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and predictions that both sides have values of: Evidently raises on an empty column."""
    import numpy as np
    import pandas as pd

    wanted = {**monitor.features}
    if monitor.data.score:
        wanted[monitor.data.score] = FeatureType.NUMERIC
    wanted[monitor.data.prediction] = FeatureType.CATEGORY
    now, was = pd.DataFrame(), pd.DataFrame()
    for name, kind in wanted.items():
        if name not in current.column_names or name not in reference.column_names:
            continue
        pair = [_series(t.column(name), kind).replace([np.inf, -np.inf], np.nan) for t in (current, reference)]
        if all(s.notna().any() for s in pair):
            now[name], was[name] = pair
    return now, was


def _series(column: pa.ChunkedArray, kind: FeatureType) -> pd.Series[Any]:
    import pandas as pd

    values: pd.Series[Any] = column.to_pandas()
    if kind is FeatureType.NUMERIC:
        values = pd.to_numeric(values, errors="coerce").astype("float64")
    else:
        values = values.astype("string").map(_safe, na_action="ignore").astype(object)
    return values


def _safe(text: str) -> str:
    """A category as text that no page can take for markup."""
    return text[:60].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _evidently(monitor: Monitor, now: pd.DataFrame, was: pd.DataFrame, edges: Edges) -> str:
    os.environ.setdefault("DO_NOT_TRACK", "true")
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift
    from evidently.presets import DataSummaryPreset

    _register_statistic(edges)
    numeric = [c for c in now.columns if monitor.features.get(c) is FeatureType.NUMERIC or c == monitor.data.score]
    category = [c for c in now.columns if c not in numeric]
    shape = DataDefinition(numerical_columns=numeric, categorical_columns=category)
    drifts = [ValueDrift(column=c, method=STATISTIC if c in edges.numeric else "psi", threshold=THRESHOLD) for c in now]
    run = Report([*drifts, DataSummaryPreset()]).run(
        Dataset.from_pandas(now, data_definition=shape), Dataset.from_pandas(was, data_definition=shape)
    )
    html: str = run.get_html_str(as_iframe=False)
    return html


def _register_statistic(edges: Edges) -> None:
    """PSI on the monitor's own bins, so that the page and the verdict cannot contradict each other.

    Evidently hands a statistic two series and no name; the column is told by the series' name.
    """
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    def statistic(was: Any, now: Any, _kind: object, threshold: float) -> tuple[float, bool]:
        import numpy as np

        cuts = edges.numeric.get(str(now.name)) or edges.numeric.get(str(was.name))
        if cuts is None:
            cuts = tuple(np.unique(np.quantile(was.dropna(), np.linspace(0.1, 0.9, 9))))
        bins = [
            np.bincount(np.searchsorted(cuts, s.dropna(), side="left"), minlength=len(cuts) + 1) for s in (now, was)
        ]
        value = psi(bins[0].tolist(), bins[1].tolist())
        return value, value >= threshold

    test = StatTest(
        name=STATISTIC,
        display_name="PSI on the monitor's bins",
        allowed_feature_types=[ColumnType.Numerical],
        default_threshold=THRESHOLD,
    )
    register_stattest(test, default_impl=statistic)


def _panel(monitor: Monitor, result: NightResult, rows: int) -> str:
    from jinja2 import Environment, FileSystemLoader

    page = Environment(loader=FileSystemLoader(TEMPLATE), autoescape=True).get_template("report_panel.html")
    fairness = [v for v in result.verdicts if v.family is Family.FAIRNESS and v.measurement is not None]
    return page.render(
        monitor=monitor,
        result=result,
        rows=rows,
        not_ok=[v for v in result.verdicts if v.state is not State.OK],
        ok=sum(v.state is State.OK for v in result.verdicts),
        fairness=fairness,
        number=number,
    )


def _with_panel(body: str, panel: str) -> str:
    """Our panel as the first thing of Evidently's page; alone when there was nothing to draw."""
    if not body:
        return f"<!doctype html><html><head><meta charset='utf-8'></head><body>{panel}</body></html>"
    found = re.search(r"<body[^>]*>", body)
    at = found.end() if found else 0
    return body[:at] + panel + body[at:]
