"""The HTML report for people: our verdicts first, then Evidently's picture of the same columns, with the same PSI."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.evidently_columns import USUAL_LIMIT, Column, columns
from vigil.core.words import Family
from vigil.profiles.layout import FeatureType
from vigil.verdicts.row_words import lacks, places
from vigil.verdicts.types import NightResult, State, Verdict
from vigil.verdicts.words import number

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.metrics.types import Measurement
    from vigil.profiles.types import Edges

TEMPLATES = Path(__file__).parent / "templates"
STATISTIC = "vigil_psi"
WORST_FIRST = (State.BREACH, State.UNKNOWN, State.WARN)
BARE = "<!doctype html><html lang='en'><head><meta charset='utf-8'>{viewport}</head><body></body></html>"
VIEWPORT = "<meta name='viewport' content='width=device-width, initial-scale=1'>"


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
        """Writes one self-contained page to `to`, all of it or nothing; no script, style or picture is from elsewhere.

        current: a bounded sample of the night, chosen by the caller. reference: the holdout of the version that served.
        Columns without a value on one side are named and not drawn. Counts and means leave here, rows do not.
        """
        drawn, left_out = columns(monitor, current, reference, result, edges)
        body = _evidently(drawn) if drawn else BARE.format(viewport=VIEWPORT)
        panel = _panel(
            monitor,
            result,
            drawn=bool(drawn),
            left_out=left_out,
            rows=current.num_rows,
            reference_rows=reference.num_rows,
            threshold=USUAL_LIMIT,
        )
        draft = to.with_name(f".{to.name}.draft")
        draft.write_text(_with_panel(body, panel, title=f"{monitor.model} {result.night}"), encoding="utf-8")
        draft.replace(to)
        return to


def _evidently(drawn: list[Column]) -> str:
    """Evidently's page: one row a column with both pictures, then a summary of each."""
    os.environ.setdefault("DO_NOT_TRACK", "true")  # read when Evidently is imported
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataSummaryPreset

    _register_statistic(drawn)
    shape = DataDefinition(
        numerical_columns=[c.name for c in drawn if c.kind is FeatureType.NUMERIC],
        categorical_columns=[c.name for c in drawn if c.kind is FeatureType.CATEGORY],
    )
    now, was = (pd.DataFrame({c.name: getattr(c, side) for c in drawn}) for side in ("now", "was"))
    run = Report([_drift_table()(method=STATISTIC), DataSummaryPreset()]).run(
        Dataset.from_pandas(now, data_definition=shape), Dataset.from_pandas(was, data_definition=shape)
    )
    html: str = run.get_html_str(as_iframe=False)
    return html


@cache
def _drift_table() -> Any:
    """Evidently's drift preset without its headline: "no dataset drift" would contradict a breach of one column."""
    from evidently.presets import DataDriftPreset

    class DriftTable(DataDriftPreset):  # type: ignore[misc]
        def render(self, context: Any, child_widgets: Any = None) -> Any:
            return [w for w in super().render(context, child_widgets) if w.type == "big_table"]

    return DriftTable


def _register_statistic(drawn: list[Column]) -> None:
    """PSI as the verdict has it. Evidently's own bins cover both sides together, so that one outlier hides a shift.

    Evidently takes a statistic by its name only, keeps it for the process, and hands it two series: the column is told
    by the series' name.
    """
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    found = {c.name: (c.value, c.over) for c in drawn}

    def statistic(was: Any, now: Any, _kind: object, _threshold: float) -> tuple[float, bool]:
        return found[str(now.name if now.name is not None else was.name)]

    test = StatTest(
        name=STATISTIC,
        display_name="PSI on the monitor's bins",
        allowed_feature_types=[ColumnType.Numerical, ColumnType.Categorical],
        default_threshold=USUAL_LIMIT,
    )
    register_stattest(test, default_impl=statistic)


def _panel(monitor: Monitor, result: NightResult, **shown: object) -> str:
    from jinja2 import Environment, FileSystemLoader

    fairness = [v for v in result.verdicts if v.family is Family.FAIRNESS and v.measurement is not None]
    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("report_panel.html")
    return page.render(
        monitor=monitor,
        result=result,
        not_ok=_worst_first(result.verdicts),
        ok=sum(v.state is State.OK for v in result.verdicts),
        fairness=fairness,
        yardstick=_yardstick(fairness),
        figure=_figure,
        places=places(result.row_ledger) if result.row_ledger else (),
        lacks=lacks(result.row_ledger) if result.row_ledger else (),
        **shown,
    )


def _worst_first(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    return [v for state in WORST_FIRST for v in verdicts if v.state is state]


def _yardstick(verdicts: list[Verdict]) -> str:
    named = {v.measurement.yardstick for v in verdicts if v.measurement and v.measurement.yardstick}
    return named.pop().capitalize() if len(named) == 1 else "Baseline"


def _figure(measurement: Measurement, value: float | None) -> str:
    """A number of this measurement; differences and ratios need no unit in a table."""
    return number(value, "" if measurement.unit in ("ratio", "difference") else measurement.unit)


def _with_panel(page: str, panel: str, *, title: str) -> str:
    """Our panel as the first thing of the page, and our title."""
    head = re.search(r"<head[^>]*>", page)
    if head is not None:
        page = f"{page[: head.end()]}<title>{title}</title>{page[head.end() :]}"
    body = re.search(r"<body[^>]*>", page)
    if body is None:
        raise ValueError("Evidently's page has no <body>: this version of Evidently is not the one that was tested")
    return page[: body.end()] + panel + page[body.end() :]
