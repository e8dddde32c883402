"""The rest of the catalogue, scanned from rows and measured, against pandas, scikit-learn and numpy on these rows."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import top_k_accuracy_score

from tests.oracles.test_night_oracles import WAS, measured, monitor, people
from tests.unit.adapters.log_stage import NIGHT as LOGGED
from tests.unit.adapters.log_stage import NINE, row
from tests.unit.adapters.log_stage import monitor as logged
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.parquet_log import ParquetLog
from vigil.config.schema import Monitor
from vigil.core.window import night_window
from vigil.core.words import Role
from vigil.intake.text_columns import text_columns
from vigil.intake.text_facts import TextRules
from vigil.metrics.catalog import CATALOG
from vigil.metrics.evaluate import evaluate
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES
from vigil.profiles.merge import merge, merge_all
from vigil.profiles.types import Edges, Profile
from vigil.usecases.nights import view

NOW = people(3, 5000, shift=0.4)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return measured(monitor(), NOW, WAS)[0]


def scanned(watched: Monitor, rows: pd.DataFrame, version: str) -> Profile:
    scanner, table = DuckDBScanner(), pa.Table.from_pandas(rows, preserve_index=False)
    edges = scanner.fit_edges(watched, pa.Table.from_pandas(WAS, preserve_index=False))
    return scanner.scan_table(watched, table, edges, night=date(2026, 9, 1), version=version, role=Role.CHAMPION)


def test_completeness_of_the_log_and_strangers_among_versions_are_what_pandas_counts():
    night = merge(scanned(monitor(), NOW.head(3000), "2"), scanned(monitor(), NOW.tail(500), "1"))
    facts = view(monitor()).model_copy(update={"requests": 4000, "expected_versions": ("2",)})
    told = {m.id: m for m in evaluate(night, None, facts, yardstick="holdout")}
    assert told["log_completeness/all"].value == pytest.approx(3500 / 4000)
    assert told["version_integrity/all"].value == pytest.approx(3000 / 3500)


def test_the_share_within_a_latency_is_exact_at_the_edges_that_are_counted_and_never_too_high_between():
    edge = next(e for e in LATENCY_EDGES_MS if e > 40)
    between = edge * 1.01
    facts = view(monitor()).model_copy(update={"latency_ms": (edge, between)})
    told = [
        m for m in evaluate(scanned(monitor(), NOW, "1"), None, facts, yardstick="") if m.metric == "latency_within"
    ]
    exact = [(NOW["latency_ms"] <= bound).mean() for bound in (edge, between)]
    assert told[0].value == pytest.approx(exact[0])
    assert told[1].value <= exact[1]
    assert told[1].value >= (NOW["latency_ms"] <= between / 1.1).mean()


FLAGS = {"pii": "pii_rate", "refusal": "refusal_rate", "handoff": "handoff_rate", "out_of_scope": "out_of_scope_rate",
         "negative_feedback": "negative_feedback_rate"}  # fmt: skip


def test_rates_of_texts_are_the_share_of_their_columns_that_says_yes():
    rng = np.random.default_rng(8)
    shares = dict(zip(FLAGS, (0.1, 0.2, 0.05, 0.3, 0.4), strict=True))
    said = {f"message__{f}": rng.choice(["1", "0", None], len(NOW), p=[s, 0.9 - s, 0.1]) for f, s in shares.items()}
    rows = NOW.assign(**said)
    watched = monitor(flags={flag: [f"message__{flag}"] for flag in FLAGS})
    told = measured(watched, rows, rows)[0]
    for flag, metric in FLAGS.items():
        known = rows[f"message__{flag}"].dropna()
        assert told[f"{metric}/message__{flag}"].value == pytest.approx((known == "1").mean())
        assert told[f"{metric}/message__{flag}"].n == len(known)


def test_personal_data_is_found_in_the_texts_that_have_it_and_in_no_other():
    clean = [f"My card {n} was declined at the shop on the 3rd, please help" for n in range(60)]
    dirty = ["write to ada.lovelace@example.com", "IBAN DE89 3704 0044 0532 0130 00 please", "card 4111 1111 1111 1111",
             "call +49 30 901820 today"]  # fmt: skip
    texts = pd.Series([*clean, *dirty])
    flags = text_columns("message", texts, TextRules())["message__pii"]
    assert [t for t, f in zip(texts, flags, strict=True) if f == "1"] == dirty


def test_coverage_of_groups_is_the_share_of_rows_that_say_who_they_are():
    rows = NOW.assign(sex=NOW["sex"].where(np.random.default_rng(9).random(len(NOW)) < 0.7))
    assert measured(monitor(), rows, WAS)[0]["group_coverage/sex"].value == pytest.approx(rows["sex"].notna().mean())


def test_labels_and_classes_moved_as_far_as_the_stability_index_of_their_counts_says(found):
    without_scores = measured(monitor(data={}), NOW.drop(columns="score"), WAS.drop(columns="score"))[0]
    moved = {"label": found["label_drift/all"], "prediction": without_scores["prediction_psi/all"]}
    for column, said in moved.items():
        p, q = (f[column].value_counts().reindex(["0", "1"]).to_numpy() for f in (NOW, WAS))
        p, q = ((c + 0.5) / (c + 0.5).sum() for c in (p, q))
        assert said.value == pytest.approx(((p - q) * np.log(p / q)).sum())


def test_answers_moved_as_far_as_pandas_counts(found):
    shares = [f["prediction"].value_counts(normalize=True) for f in (NOW, WAS)]
    assert found["prediction_shift/all"].value == pytest.approx((shares[0] - shares[1]).abs().max())


def test_estimated_performance_is_that_of_isotonic_calibration_on_the_raw_scores(found):
    known = WAS[WAS["label"].notna()]
    fit = IsotonicRegression(out_of_bounds="clip").fit(known["score"], known["label"].astype(float))
    p, said = fit.predict(NOW["score"]), NOW["score"] >= 0.5
    expected = {
        "estimated_precision": p[said].sum() / said.sum(), "estimated_recall": p[said].sum() / p.sum(),
        "estimated_accuracy": (p[said].sum() + (1 - p[~said]).sum()) / len(p),
    }  # fmt: skip
    for metric, value in expected.items():  # scores lie in bins: what differs is what moves within one
        assert found[f"{metric}/all"].value == pytest.approx(value, abs=0.01)


def test_shares_of_contributions_are_those_of_numpy():
    rng = np.random.default_rng(10)
    now, was = (
        frame.assign(**{f"contrib__{n}": rng.normal(0, s, len(frame)) for n, s in zip("xyc", sizes, strict=True)})
        for frame, sizes in ((NOW, (1.0, 2.0, 0.5)), (WAS, (2.0, 1.0, 0.5)))
    )
    told = measured(monitor(), now, was)[0]
    means = [f[[f"contrib__{n}" for n in "xyc"]].abs().mean() for f in (now, was)]
    moved = means[0] / means[0].sum() - means[1] / means[1].sum()
    for name in "xyc":
        assert told[f"attribution_shift/{name}"].value == pytest.approx(moved[f"contrib__{name}"])
    assert told["attribution_drift/all"].value == pytest.approx(moved.abs().sum() / 2)


def test_weights_that_cannot_be_used_are_those_that_are_missing_negative_or_endless():
    weights = np.random.default_rng(11).choice(
        [1.0, 2.0, -1.0, np.nan, np.inf], len(NOW), p=[0.5, 0.47, 0.01, 0.01, 0.01]
    )
    rows = NOW.assign(weight=weights)
    watched = monitor(data={"score": "score", "sampling_weight": "weight"})
    labelled = rows[rows["label"].notna()]["weight"]
    told = measured(watched, rows, WAS.assign(weight=1.0))[0]["unusable_weight/all"].value
    assert told == pytest.approx((~np.isfinite(labelled) | (labelled < 0)).mean())


def test_answers_and_scores_that_are_missing_are_those_that_pandas_misses_among_served_rows():
    rng = np.random.default_rng(12)
    score = NOW["score"].where(rng.random(len(NOW)) < 0.7).astype(object)
    score[rng.random(len(NOW)) < 0.05] = "n/a"
    rows = NOW.assign(prediction=NOW["prediction"].where(rng.random(len(NOW)) < 0.5), score=score.astype("string"))
    rows.loc[rows["status"] != "ok", ["prediction", "score"]] = None
    served = rows[rows["status"] == "ok"]
    found = measured(monitor(), rows, WAS)[0]
    assert found["missing_prediction/all"].value == pytest.approx(served["prediction"].isna().mean())
    numbers = pd.to_numeric(served["score"], errors="coerce")
    assert found["missing_score/all"].value == pytest.approx(numbers.isna().mean())
    assert (found["missing_prediction/all"].n, found["missing_score/all"].n) == (len(served), len(served))


def test_a_regression_misses_the_answers_that_are_no_finite_number():
    rng = np.random.default_rng(13)
    frame = NOW.drop(columns="score").assign(label=1.0, prediction=rng.normal(size=len(NOW)), status="ok")
    odd = rng.choice([1.0, np.nan, np.inf], len(NOW), p=[0.8, 0.15, 0.05])
    rows = frame.assign(prediction=frame["prediction"] * odd)
    found = measured(monitor("regression"), rows, frame)[0]
    assert found["missing_prediction/all"].value == pytest.approx((~np.isfinite(rows["prediction"])).mean())


def test_labels_of_neither_class_are_those_that_pandas_finds_in_neither_word():
    rng = np.random.default_rng(14)
    label = NOW["label"].where(rng.random(len(NOW)) < 0.97, "yes").where(rng.random(len(NOW)) < 0.9, " ")
    known = label[label.notna() & (label != " ")]
    found = measured(monitor(), NOW.assign(label=label), WAS)[0]
    assert found["unknown_label/all"].value == pytest.approx((~known.isin(["0", "1"])).mean())
    assert found["unknown_label/all"].n == len(known)


def test_repeated_ids_and_answers_of_the_fallback_are_those_that_pandas_counts(tmp_path):
    rng, n = np.random.default_rng(15), 1500
    ids = np.array([f"p{i}" for i in rng.integers(0, 1200, n)])
    role = rng.choice(["champion", "fallback"], n, p=[0.85, 0.15])
    stored = [
        row(i, role=r, served_at=NINE + timedelta(seconds=k)) for k, (i, r) in enumerate(zip(ids, role, strict=True))
    ]
    log, watched = ParquetLog(tmp_path), logged()
    log.write_predictions("credit", pa.Table.from_pylist(stored), batch_id="b")
    partition = log.partition(watched, night_window(LOGGED, "UTC"))
    edges = Edges(numeric={"income": (0.0, 50.0, 200.0)}, levels={"city": ("Bonn",)})
    night = merge_all(list(DuckDBScanner().scan(watched, partition, edges, LOGGED).values()))
    told = {m.id: m for m in evaluate(night, None, view(watched), yardstick="")}
    frame = pd.DataFrame({"id": ids, "role": role})
    first = frame.drop_duplicates("id")
    assert told["duplicates/all"].value == pytest.approx(frame["id"].duplicated().mean()) != 0
    assert told["fallback_share/all"].value == pytest.approx((first["role"] == "fallback").mean()) != 0


def test_accuracy_among_the_likeliest_classes_is_that_of_scikit_learn():
    rng, classes = np.random.default_rng(16), list("abcdefgh")
    score = rng.random((len(NOW), len(classes)))
    true = rng.choice(len(classes), len(NOW), p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05])
    score[np.arange(len(NOW)), true] += 0.3
    order = ["|".join(classes[j] for j in np.argsort(-one)) for one in score]
    rows = NOW.drop(columns="score").assign(
        label=[classes[j] for j in true], prediction=[o[0] for o in order], order=order
    )
    told = measured(monitor("multiclass", data={"ranking": "order"}), rows, rows)[0]
    for k in (3, 5):
        exact = top_k_accuracy_score(true, score, k=k, labels=range(len(classes)))
        assert told[f"top_{k}_accuracy/all"].value == pytest.approx(exact)


def test_scores_moved_as_far_as_the_stability_index_of_their_own_bins_says(found):
    """On the 100 bins of the score, put together to twenty that are about equally full on the baseline."""
    p, q = (np.bincount(np.searchsorted(SCORE_EDGES, f["score"], side="left"), minlength=100) for f in (NOW, WAS))
    group = ((np.cumsum(q) - q / 2) * 20 // q.sum()).astype(int)
    p, q = (np.bincount(group, weights=c, minlength=20) for c in (p, q))
    p, q = ((c[p + q > 0] + 0.5) / (c[p + q > 0] + 0.5).sum() for c in (p, q))
    assert found["prediction_psi/all"].value == pytest.approx(((p - q) * np.log(p / q)).sum())


def test_every_metric_of_the_catalogue_has_an_oracle(request):
    """By name in this folder, or as a group's version of one that has."""
    written = "\n".join(p.read_text() for p in request.path.parent.glob("test_*.py"))
    composed = {"latency_p50", "latency_p95", "latency_p99", "pinball_loss_10", "pinball_loss_90"}
    assert [n for n in CATALOG if n.removeprefix("group_") not in written and n not in composed] == []


def test_different_values_are_those_of_pandas_where_they_are_few_and_never_more_than_there_are():
    rows = NOW.assign(y=50.0, x=np.where(NOW.index % 3 == 0, -1.25, 7.5), c="web")
    night, was = scanned(monitor(), rows, "1"), scanned(monitor(), WAS, "1")
    measures = evaluate(night, was, view(monitor()), yardstick="holdout", only=["distinct_values"])
    counted = {m.subject: m for m in measures}
    assert {n: counted[n].value for n in "xyc"} == {n: rows[n].nunique() for n in "xyc"} == {"x": 2, "y": 1, "c": 1}
    assert counted.keys() == set("xyc")
    assert counted["c"].parts[0] == pytest.approx(WAS["c"].value_counts(normalize=True).max())
