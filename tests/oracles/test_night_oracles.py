"""Whole nights, scanned and measured, against pandas, scipy, scikit-learn and Evidently on the raw rows."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss, precision_score, recall_score

from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.config.schema import Monitor
from vigil.core.words import Role
from vigil.metrics.catalog import CATALOG
from vigil.metrics.evaluate import evaluate
from vigil.profiles.types import Edges
from vigil.usecases.nights import view

NIGHT = date(2026, 9, 1)
LEVELS = ["web", "shop", "phone", "mail"]
DATA = {"score": "score"}


def monitor(task: str = "binary", **more: Any) -> Monitor:
    decision = {"positive": "1", "favourable": "0", "deserving": "0"} if task == "binary" else None
    return Monitor.model_validate({
        "version": "vigil/v1", "model": "bank", "environment": "production", "task": task,
        "data": DATA if task == "binary" else {}, "features": {"x": "numeric", "y": "numeric", "c": "category"},
        **({"decision": decision, "protected": [{"attribute": "sex", "reference": "m"}]} if decision else {}),
        "people": {"owner": "a@example.com"}, **more,
    })  # fmt: skip


def people(seed: int, n: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], n, p=[0.3, 0.7])
    frame = pd.DataFrame({
        "x": rng.lognormal(0, 0.7, n) + shift * (sex == "f"), "y": rng.normal(0, 1 + shift, n),
        "c": rng.choice(LEVELS if shift == 0 else [*LEVELS, "chat"], n), "sex": sex, "score": rng.beta(2, 3, n),
        "status": rng.choice(["ok", "error", "timeout"], n, p=[0.9, 0.07, 0.03]),
        "latency_ms": rng.lognormal(3.5, 0.6, n),
    })  # fmt: skip
    frame["prediction"] = np.where(frame["score"] > 0.5, "1", "0")
    frame["label"] = np.where(rng.random(n) < 0.8, (rng.random(n) < frame["score"]).astype(int).astype(str), None)
    frame.loc[rng.random(n) < 0.05 + shift / 10, "x"] = None
    frame.loc[rng.random(n) < 0.02, "c"] = None
    return frame


def measured(watched: Monitor, now: pd.DataFrame, was: pd.DataFrame) -> tuple[dict[str, Any], Edges]:
    scanner, tables = DuckDBScanner(), [pa.Table.from_pandas(f, preserve_index=False) for f in (now, was)]
    edges = scanner.fit_edges(watched, tables[1])
    a, b = (scanner.scan_table(watched, t, edges, night=NIGHT, version="1", role=Role.CHAMPION) for t in tables)
    found = evaluate(a, b, view(watched), yardstick="holdout", ruled=CATALOG, edges=edges)
    return {m.id: m for m in found}, edges


NOW, WAS = people(1, 6000, shift=0.4), people(2, 8000)


@pytest.fixture(scope="module")
def night() -> tuple[dict[str, Any], Edges]:
    return measured(monitor(), NOW, WAS)


def binned(values: pd.Series, edges: tuple[float, ...]) -> np.ndarray:
    """Left-open, right-closed, with what lies outside at both ends."""
    found = pd.cut(values.dropna(), [-np.inf, *edges, np.inf], labels=False)
    return np.bincount(found, minlength=len(edges) + 1)


def test_what_the_service_did_is_what_pandas_counts(night):
    found, _ = night
    assert found["success_rate/all"].value == pytest.approx((NOW["status"] == "ok").mean(), abs=1e-12)
    assert found["volume/all"].value == len(NOW)
    assert found["fallback_share/all"].value == 0
    assert found["duplicates/all"].value == 0
    for q in (50, 95, 99):
        exact = np.quantile(NOW["latency_ms"], q / 100, method="inverted_cdf")
        assert exact <= found[f"latency_p{q}/all"].value <= exact * 1.1 + 1e-9


def test_what_is_wrong_with_columns_is_what_pandas_counts():
    odd = NOW.astype({"y": object}).copy()
    odd.loc[odd.index[:60], "y"] = "n/a"
    odd["y"] = odd["y"].astype(str)
    odd.loc[odd.index[60:75], "y"] = "nan"
    odd.loc[odd.index[75:80], "y"] = "-inf"
    found, _ = measured(monitor(), odd, WAS)
    n, known = len(odd), odd["c"].dropna()
    assert found["wrong_type/y"].value == pytest.approx(60 / n)
    assert found["not_finite/y"].value == pytest.approx(20 / n)
    assert found["missing/x"].value == pytest.approx(NOW["x"].isna().mean())
    assert found["new_category/c"].value == pytest.approx((~known.isin(LEVELS)).mean())
    inside = NOW["x"].dropna().between(WAS["x"].min(), WAS["x"].max())
    assert found["out_of_range/x"].value == pytest.approx((~inside).mean())


def test_drift_of_numbers_is_that_of_scipy_on_the_same_bins(night):
    found, edges = night
    for name in ("x", "y"):
        p, q = (binned(f[name], edges.numeric[name]) for f in (NOW, WAS))
        assert found[f"js/{name}"].value == pytest.approx(jensenshannon(p, q, base=2), abs=1e-12)
        mass = (q + 0.5) / (q + 0.5).sum()
        z = norm.ppf(mass.cumsum() - mass / 2)
        z = (z - (mass * z).sum()) / np.sqrt((mass * (z - (mass * z).sum()) ** 2).sum())
        resid = z**2 - 1 - (mass * z**3).sum() * z
        width = resid / np.sqrt((mass * resid**2).sum())
        for metric, score in (("position_shift", z), ("width_shift", width)):
            expected = (p * score).sum() / p.sum() - (q * score).sum() / q.sum()
            assert found[f"{metric}/{name}"].value == pytest.approx(expected, abs=1e-9)


def arcsine(p: float) -> float:
    return 2 * np.arcsin(np.sqrt(p))


def test_moves_of_shares_are_those_of_pandas(night):
    found, _ = night
    now, was = (f["c"].value_counts(normalize=True) for f in (NOW, WAS))
    for level in LEVELS:
        assert found[f"level_shift/c:{level}"].value == pytest.approx(arcsine(now[level]) - arcsine(was[level]))
    assert found["level_shift/c:(new)"].value == pytest.approx(arcsine(now["chat"]))
    every = [f["c"].value_counts(normalize=True, dropna=False) for f in (NOW, WAS)]  # what is missing is a level too
    assert found["share_shift/c"].value == pytest.approx(every[0].sub(every[1], fill_value=0).abs().max())
    nulls = [arcsine(f["x"].isna().mean()) for f in (NOW, WAS)]
    assert found["missing_shift/x"].value == pytest.approx(nulls[0] - nulls[1])
    for sex in ("f", "m"):
        shares = [arcsine((f["sex"] == sex).mean()) for f in (NOW, WAS)]
        assert found[f"group_share_shift/sex={sex}"].value == pytest.approx(shares[0] - shares[1])
    said = [arcsine((f["prediction"] == "0").mean()) for f in (NOW, WAS)]
    assert found["class_shift/0"].value == pytest.approx(said[0] - said[1])
    assert found["top_class_share/all"].value == NOW["prediction"].value_counts(normalize=True).max()
    shift = (NOW["score"].mean() - WAS["score"].mean()) / WAS["score"].std(ddof=0)
    assert found["score_shift/all"].value == pytest.approx(shift, abs=1e-9)


GROUPED = ["psi", "js", "ks", "wasserstein", "chi_square", "mean_shift", "position_shift", "width_shift",
           "missing_shift"]  # fmt: skip


@pytest.mark.parametrize("group", ["f", "m"])
def test_drift_in_a_group_is_the_drift_of_its_rows_alone(night, group):
    found, edges = night
    scanner, watched = DuckDBScanner(), monitor()
    alone = [pa.Table.from_pandas(f[f["sex"] == group], preserve_index=False) for f in (NOW, WAS)]
    a, b = (scanner.scan_table(watched, t, edges, night=NIGHT, version="1", role=Role.CHAMPION) for t in alone)
    expected = {m.id: m for m in evaluate(a, b, view(watched), yardstick="holdout", ruled=CATALOG, edges=edges)}
    for metric in GROUPED:
        for name in ("x", "y") if metric not in ("psi", "js", "chi_square", "missing_shift") else ("x", "y", "c"):
            inside = found[f"group_{metric}/{name}|sex={group}"]
            assert inside.value == pytest.approx(expected[f"{metric}/{name}"].value, abs=1e-9)
    assert found[f"group_level_shift/c:web|sex={group}"].value == expected["level_shift/c:web"].value


def test_coverage_of_labels_is_what_pandas_counts(night):
    found, _ = night
    known = NOW["label"].notna()
    assert found["label_coverage/all"].value == pytest.approx(known.mean())
    for group, share in known.groupby(NOW["sex"]).mean().items():
        assert found[f"group_label_coverage/sex={group}"].value == pytest.approx(share)


def test_every_class_has_the_precision_and_recall_of_scikit_learn():
    rng = np.random.default_rng(5)
    frames = []
    for n in (3000, 2000):
        frame = people(n, n).drop(columns="score")
        frame["label"] = rng.choice(["a", "b", "d"], n, p=[0.5, 0.3, 0.2])
        frame["prediction"] = np.where(rng.random(n) < 0.7, frame["label"], rng.choice(["a", "b", "d"], n))
        frames.append(frame)
    found, _ = measured(monitor("multiclass"), *frames)
    y, p = frames[0]["label"], frames[0]["prediction"]
    for j, name in enumerate(("a", "b", "d")):
        assert found[f"class_precision/{name}"].value == pytest.approx(precision_score(y, p, average=None)[j])
        assert found[f"class_recall/{name}"].value == pytest.approx(recall_score(y, p, average=None)[j])


def test_quantile_losses_and_label_shift_of_a_regression_are_those_of_scikit_learn_and_pandas():
    rng = np.random.default_rng(6)
    frames = []
    for n, move in ((3000, 1.0), (2000, 0.0)):
        frame = people(n, n).drop(columns="score")
        frame["label"] = rng.normal(10 + move, 2, n)
        frame["prediction"] = frame["label"] + rng.normal(0.3, 1, n)
        frames.append(frame)
    found, _ = measured(monitor("regression"), *frames)
    y, p = frames[0]["label"], frames[0]["prediction"]
    for tau in (10, 90):
        assert found[f"pinball_loss_{tau}/all"].value == pytest.approx(mean_pinball_loss(y, p, alpha=tau / 100))
    shift = (y.mean() - frames[1]["label"].mean()) / frames[1]["label"].std(ddof=0)
    assert found["label_shift/all"].value == pytest.approx(shift, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["psi", "js"])
def test_evidently_with_our_bins_registered_as_its_test_says_the_same(night, metric):
    from evidently import Report
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType
    from evidently.metrics import ValueDrift

    from vigil.metrics.drift import divergence

    found, edges = night
    of = {"psi": divergence.psi, "js": lambda p, q: jensenshannon(p, q, base=2)}[metric]

    def counted(reference: Any, current: Any, feature_type: Any, threshold: float) -> tuple[float, bool]:
        p, q = (binned(values, edges.numeric["x"]) for values in (current, reference))
        value = float(of(p.tolist(), q.tolist()))
        return value, value > threshold

    name = f"vigil_oracle_{metric}"
    test = StatTest(name=name, display_name=name, allowed_feature_types=[ColumnType.Numerical], default_threshold=0.1)
    register_stattest(test, default_impl=counted)
    report = Report([ValueDrift(column="x", method=name)]).run(NOW[["x", "y"]], WAS[["x", "y"]]).dict()
    assert report["metrics"][0]["value"] == pytest.approx(found[f"{metric}/x"].value, abs=1e-9)
