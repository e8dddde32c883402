"""The report says what the verdicts say, loads nothing, and takes no value for markup."""

import http.server
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.evidently_columns import LEVELS_SHOWN, LONGEST, OTHERS, Column, columns, plain
from vigil.adapters.evidently_report import EvidentlyReporter
from vigil.config.schema import Monitor
from vigil.core.words import Family, Role
from vigil.metrics.evaluate import evaluate
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.profiles.types import Edges
from vigil.usecases.nights import view
from vigil.verdicts.types import Budget, NightResult, State, Verdict

NIGHT = date(2026, 9, 1)
EVIL = "<script>window.pwned=1</script>"
BREAKOUT = "</script><img src=x onerror=window.pwned=1>"


def monitor(**changes: Any) -> Monitor:
    features = {"amount": "numeric", "score_like": "numeric", "channel": "category"}
    return Monitor.model_validate(
        {
            "version": "vigil/v1",
            "model": "shop",
            "task": "binary",
            "data": {"score": "score"},
            "features": features,
            "decision": {"favourable": "approve", "deserving": "0"},
            "people": {"owner": "o@example.com", "on_call": ["o@example.com"]},
            "bins": 8,
            **changes,
        }
    )


def rows(count: int, seed: int, *, shift: float = 0.0, levels: tuple[str, ...] = ("web", "shop", "phone")) -> pa.Table:
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(1 + shift, 1, count)
    amount[rng.random(count) < 0.05] = np.nan
    amount[0] = np.inf
    score = rng.beta(2 + shift, 5, count)
    frame = pd.DataFrame(
        {
            "prediction_id": [f"{seed}-{i}" for i in range(count)],
            "served_at": pd.Timestamp("2026-09-01T10:00Z"),
            "model_version": "1",
            "role": "champion",
            "status": "ok",
            "latency_ms": 5.0,
            "environment": "production",
            "pipeline_version": "p",
            "amount": amount,
            "score_like": rng.random(count),
            "channel": rng.choice(levels, count),
            "score": score,
            "prediction": np.where(score > 0.3, "deny", "approve"),
        }
    )
    frame.loc[3:9, "channel"] = None
    return pa.Table.from_pandas(frame, preserve_index=False)


def result(verdicts: tuple[Verdict, ...] = (), **more: Any) -> NightResult:
    return NightResult(
        monitor="shop",
        environment="production",
        night=NIGHT,
        partition_digest="p",
        config_digest="c",
        edges_digest="e",
        versions={"7": 1234},
        rows=1234,
        verdicts=verdicts,
        **more,
    )


def said(metric: str, subject: str, state: State, *, family: Family = Family.DRIFT, **more: Any) -> Verdict:
    return Verdict(
        metric=metric, subject=subject, family=family, state=state, reason=f"{metric}({subject}) reason", **more
    )


def psi_of(subject: str, value: float) -> Measurement:
    return Measurement(
        metric="psi",
        subject=subject,
        family=Family.DRIFT,
        kind=Kind.NUMBER,
        value=value,
        n=10,
        unit="nats",
        worse=Worse.HIGHER,
    )


def drawn(current: pa.Table, reference: pa.Table, found: NightResult, edges: Edges) -> dict[str, Column]:
    return {c.name: c for c in columns(monitor(), current, reference, found, edges)[0]}


def render(to: Path, current: pa.Table, reference: pa.Table, found: NightResult) -> str:
    edges = DuckDBScanner().fit_edges(monitor(), reference)
    EvidentlyReporter().render(monitor(), current=current, reference=reference, result=found, edges=edges, to=to)
    return to.read_text(encoding="utf-8")


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_the_psi_of_the_report_is_the_psi_of_the_metric_for_numbers_categories_and_scores(shift: float) -> None:
    scanner, watched = DuckDBScanner(), monitor()
    reference = rows(3000, 1)
    current = rows(900, 2, shift=shift, levels=("web", "web", "new", EVIL))
    edges = scanner.fit_edges(watched, reference)
    now, was = (
        scanner.scan_table(watched, t, edges, night=NIGHT, version="1", role=Role.CHAMPION)
        for t in (current, reference)
    )
    numbers = {m.id: m.value for m in evaluate(now, was, view(watched), yardstick="holdout")}
    found = drawn(current, reference, result(), edges)
    for name in watched.features:
        assert found[name].value == pytest.approx(numbers[f"psi/{name}"], abs=1e-12)
    assert found["score"].value == pytest.approx(numbers["prediction_psi/all"], abs=1e-12)


def test_a_night_of_numbers_of_four_bytes_has_no_psi_against_the_same_numbers_of_eight() -> None:
    was = rows(500, 1)
    tenths = pa.array(was["amount"].to_pandas().round(1))
    small = tenths.cast(pa.float32())
    place = was.column_names.index("amount")
    was, now = was.set_column(place, "amount", tenths), was.set_column(place, "amount", small)
    edges = DuckDBScanner().fit_edges(monitor(), was)
    shown = drawn(now, was, result(), edges)["amount"]
    assert (shown.value, shown.now.dtype) == (0.0, "float64")


def test_a_measured_psi_is_shown_rather_than_that_of_the_sample() -> None:
    reference = rows(500, 1)
    edges = DuckDBScanner().fit_edges(monitor(), reference)
    found = drawn(rows(100, 2), reference, result(measurements=(psi_of("amount", 0.1234),)), edges)
    assert found["amount"].value == 0.1234


@pytest.mark.parametrize(
    ("verdict", "value", "over"),
    [
        (said("psi", "amount", State.OK), 0.9, False),
        (said("psi", "amount", State.BREACH), 0.01, True),
        (said("mean_shift", "amount", State.WARN), 0.01, True),
        (said("group_mean_shift", "amount|sex=female", State.BREACH), 0.01, True),
        (said("psi", "amount", State.UNKNOWN), 0.9, True),
        (said("psi", "amount", State.UNKNOWN), 0.01, False),
        (said("psi", "other", State.BREACH), 0.01, False),
        (said("missing", "amount", State.BREACH, family=Family.QUALITY), 0.01, False),
    ],
)
def test_a_column_has_drifted_in_the_report_exactly_where_a_verdict_on_its_drift_is_not_ok(
    verdict: Verdict, value: float, over: bool
) -> None:
    reference = rows(500, 1)
    edges = DuckDBScanner().fit_edges(monitor(), reference)
    found = drawn(rows(100, 2), reference, result((verdict,), measurements=(psi_of("amount", value),)), edges)
    assert found["amount"].over is over


def test_verdicts_on_what_the_model_says_belong_to_its_score_and_to_its_prediction() -> None:
    reference = rows(500, 1)
    edges = DuckDBScanner().fit_edges(monitor(), reference)
    shifted = drawn(reference, reference, result((said("prediction_shift", "all", State.BREACH),)), edges)
    assert (shifted["prediction"].over, shifted["score"].over) == (True, False)
    moved = drawn(reference, reference, result((said("score_shift", "all", State.WARN),)), edges)
    assert (moved["prediction"].over, moved["score"].over) == (False, True)


def test_columns_without_a_value_on_one_side_are_named_and_left_out() -> None:
    reference = rows(200, 1)
    empty = rows(200, 2)
    at = empty.column_names.index("amount")
    empty = empty.set_column(at, "amount", pa.nulls(200, pa.float64())).drop_columns(["channel"])
    edges = DuckDBScanner().fit_edges(monitor(), reference)
    kept, left_out = columns(monitor(), empty, reference, result(), edges)
    assert {c.name for c in kept} == {"score_like", "score", "prediction"}
    assert left_out == ["amount", "channel"]


def test_a_column_of_free_text_is_drawn_as_its_most_frequent_values_and_one_for_the_others() -> None:
    reference = rows(300, 1)
    text = tuple(f"note {i}" for i in range(200))
    edges = DuckDBScanner().fit_edges(monitor(), reference)
    found = drawn(rows(2000, 2, levels=text), reference, result(), edges)["channel"]
    shown = set(found.now.dropna()) | set(found.was.dropna())
    assert len(shown) == LEVELS_SHOWN + 1
    assert OTHERS in shown


@given(st.text())
def test_plain_text_holds_nothing_that_a_page_could_take_for_markup_or_control(text: str) -> None:
    said = plain(text)
    assert not set("<>&") & set(said)
    assert said.isprintable()
    assert len(said) <= LONGEST


@pytest.mark.slow
def test_the_page_tells_verdicts_worst_first_then_fairness_with_intervals_then_budgets(tmp_path: Path) -> None:
    ratio = Measurement(
        metric="selection_rate_ratio",
        subject="sex=female",
        family=Family.FAIRNESS,
        kind=Kind.RATIO,
        value=0.612,
        low=0.551,
        high=0.684,
        n=952,
        unit="ratio",
        worse=Worse.LOWER,
        baseline=1.04,
        yardstick="holdout of version 2",
    )
    fair = said("selection_rate_ratio", "sex=female", State.BREACH, family=Family.FAIRNESS, measurement=ratio,
                limit="< 0.8")  # fmt: skip
    spent = Budget(slo="fair-nights", target=0.893, nights=28, good=26, total=28, attained=0.9286, left=-0.5, burn=2.0,
                   judged_nights=27, unjudged_nights=1)  # fmt: skip
    verdicts = (said("psi", "score_like", State.OK), said("mean_shift", "amount", State.WARN), fair)
    html = render(
        tmp_path / "r.html", rows(100, 2), rows(300, 1), result(verdicts, budgets=(spent,), notes=("a <b>note</b>",))
    )
    panel = html[html.index('<section class="vigil">') : html.index("</section>")]
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", panel))
    order = ["selection_rate_ratio(sex=female) reason", "mean_shift(amount) reason", "1 further verdicts are ok",
             "Holdout of version 2", "0.612", "0.551 to 0.684", "952", "1.04", "&lt; 0.8", "fair-nights", "89.3 %",
             "92.86 %", "-50 %", "27 of 28", "a &lt;b&gt;note&lt;/b&gt;", "100 rows of the night"]  # fmt: skip
    places = [told.find(each) for each in order]
    assert -1 not in places, told
    assert places == sorted(places)
    assert "<title>shop 2026-09-01</title>" in html


@pytest.mark.slow
def test_the_page_loads_nothing_from_elsewhere_and_no_value_reaches_it_as_markup(tmp_path: Path) -> None:
    evil = rows(200, 2, levels=(EVIL, BREAKOUT, "web"))
    verdict = said("new_category", "channel", State.BREACH, family=Family.QUALITY)
    html = render(
        tmp_path / "r.html", evil, rows(300, 1), result((verdict.model_copy(update={"reason": f"saw {BREAKOUT}"}),))
    )
    assert "window.pwned=1</script>" not in html
    assert "<img src=x" not in html
    assert json.dumps(plain(EVIL)) in html  # a level that people can read
    own = re.sub(r"<script>.*?</script>|&lt;.*?&gt;", "", html, flags=re.DOTALL)  # libraries; text that is escaped
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!data:|#)\w""", own)
    assert not re.search(r"url\(\s*['\"]?http|@import", own)


@pytest.mark.slow
def test_a_night_with_nothing_to_draw_still_has_its_verdicts(tmp_path: Path) -> None:
    nothing = rows(5, 2).select(["prediction_id", "served_at"])
    html = render(tmp_path / "r.html", nothing, rows(300, 1), result((said("psi", "amount", State.BREACH),)))
    assert "psi(amount) reason" in html
    assert "There is nothing to draw" in html
    assert "amount, score_like, channel, score, prediction" in html


@pytest.mark.slow
def test_two_reports_in_one_process_each_show_their_own_psi(tmp_path: Path) -> None:
    for value in (0.123456, 0.654321):
        html = render(tmp_path / "r.html", rows(100, 2), rows(300, 1), result(measurements=(psi_of("amount", value),)))
        assert str(value) in html
    assert "0.123456" not in html
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


class Sandboxed(http.server.SimpleHTTPRequestHandler):
    """Serves a report under the policy that the plugin sends with it."""

    def end_headers(self) -> None:
        policy = (
            "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
            "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; frame-ancestors 'self'"
        )
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Sandboxed, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser_under_the_sandbox_the_report_is_drawn_and_runs_no_value_as_code(
    tmp_path: Path, width: int
) -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    evil = rows(200, 2, shift=1.0, levels=(EVIL, BREAKOUT, "web"))
    render(tmp_path / "report.html", evil, rows(300, 1), result((said("psi", "amount", State.BREACH),)))
    options = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
                 "--disable-background-networking", "--disable-component-update", "--no-first-run",
                 "--no-proxy-server", f"--window-size={width},1400",
                 f"--user-data-dir={tmp_path / 'profile'}"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with served(tmp_path) as address:
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            driver.get(f"{address}/report.html")
            shown = "return document.body.innerText"
            WebDriverWait(driver, 60).until(lambda d: "Drift is detected for" in d.execute_script(shown))
            text = driver.execute_script(shown)
            problems = [entry for entry in driver.get_log("browser") if "favicon" not in entry["message"]]
            pwned = driver.execute_script("return window.pwned")
            panel = driver.find_element(By.CSS_SELECTOR, "section.vigil")
            wide = driver.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth + 1", panel)
        finally:
            driver.quit()
    assert "psi(amount) reason" in text
    assert "PSI on the monitor's bins" in text
    assert pwned is None
    assert not wide
    assert [p["message"] for p in problems if p["level"] == "SEVERE"] == []
