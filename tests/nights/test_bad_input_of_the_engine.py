"""Bad input of the engine: shapes of nights that a scan meets sooner or later. Told, never lost, never wrongly ok."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stage import MODEL, ROWS, TONIGHT, Bank, people, scored, states

from tests.nights.stage import monitor
from vigil.sdk import log_predictions
from vigil.usecases.promote import promote
from vigil.verdicts.types import Cause, NightResult, State, Verdict

pytestmark = pytest.mark.slow  # real stores, many nights


def verdict(result: NightResult, metric: str, subject: str = "all") -> Verdict:
    (found,) = (v for v in result.verdicts if (v.metric, v.subject) == (metric, subject))
    return found


def crowded(**columns):
    """More rows than minutes: all at noon, with more columns."""
    return lambda rows: rows.assign(served_at=datetime(2026, 9, 20, 10, tzinfo=UTC), **columns)


def test_ten_thousand_new_categories_are_counted_bounded_and_told(bank: Bank):
    bank.serve(TONIGHT, crowded(channel=[f"c{i}" for i in range(10_000)]), rows=10_000)
    result = bank.judge()
    said = verdict(result, "new_category", "channel")
    assert said.state is State.BREACH
    assert "100 %" in said.reason
    (profile,) = bank.ports.profiles.night(MODEL, "staging", TONIGHT).values()
    column = profile.columns.category["channel"]
    assert (column.new, len(column.new_examples)) == (10_000, 5)
    assert len(column.new_hashes) <= 32
    (measured,) = [m for m in result.measurements if m.metric == "new_levels"]
    assert measured.low <= 10_000 <= measured.high


def test_a_column_that_changes_its_type_between_files_is_counted_with_both(bank: Bank):
    rows = scored(people(TONIGHT)).drop(columns=["truth"])
    halves = rows.iloc[:400], rows.iloc[400:].assign(tenure=rows["tenure"].iloc[400:].map("{:.0f}".format))
    for half in halves:
        log_predictions(MODEL, half, environment="staging", model_version="2", root=bank.log)
    result = bank.judge()
    assert result.rows == ROWS
    assert verdict(result, "wrong_type", "tenure").state is State.OK
    assert verdict(result, "missing", "tenure").state is State.OK
    (profile,) = bank.ports.profiles.night(MODEL, "staging", TONIGHT).values()
    assert profile.columns.numeric["tenure"].total == pytest.approx(rows["tenure"].sum())


def test_row_groups_of_one_row_are_read_like_any_other(bank: Bank):
    rows = scored(people(TONIGHT)).assign(environment="staging", model_version="2", role="champion")
    folder = bank.log / "predictions" / f"model={MODEL}" / f"date={TONIGHT}"
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(rows.drop(columns=["truth"]), preserve_index=False)
    pq.write_table(table, folder / "tiny.parquet", row_group_size=1)
    result = bank.judge()
    assert result.rows == ROWS
    assert verdict(result, "volume").state is State.OK


def test_a_file_with_more_row_groups_than_can_be_read_is_told_with_what_to_do_and_the_others_are_judged(
    bank: Bank, monkeypatch
):
    monkeypatch.setattr("vigil.adapters.parquet_files.LARGEST_FOOTER", 1 << 18)
    bank.serve(TONIGHT)
    rows = scored(people(TONIGHT, 1000)).assign(environment="staging", model_version="2", role="champion")
    tiny = bank.log / "predictions" / f"model={MODEL}" / f"date={TONIGHT}" / "tiny.parquet"
    pq.write_table(pa.Table.from_pandas(rows.drop(columns=["truth"]), preserve_index=False), tiny, row_group_size=1)
    result = bank.judge()
    assert result.rows == ROWS
    assert {v.state for v in result.verdicts} == {State.UNKNOWN}
    told = verdict(result, "volume").reason
    assert "tiny.parquet" in told
    assert "write row groups of 10,000 rows or more" in told


def test_a_feature_that_is_constant_on_the_baseline_is_measured_where_that_means_something(tmp_path):
    bank = Bank(tmp_path / "bank", features={"amount": "numeric", "status_code": "numeric"}, rules={
        "drift": [{"metric": "mean_shift", "breach": "> 0.5"}, {"metric": "psi", "breach": "> 0.5"}],
        "quality": [{"metric": "out_of_range", "breach": "> 0.05"}]})  # fmt: skip
    holdout = pa.Table.from_pandas(
        bank.labelled(scored(people(TONIGHT, 2000))).assign(status_code=200.0), preserve_index=False
    )
    bank.registry.add(MODEL, files={"MLmodel": b"m"}, inputs={"amount": "double"}, holdout=holdout)
    promote(bank.ports, bank.monitor, "4", actor="ada", reason="test", alias="champion")
    made = scored(people(TONIGHT)).drop(columns=["truth"])
    spoilt = made.assign(status_code=np.where(made.index % 2, 200.0, 500.0))
    log_predictions(MODEL, spoilt, environment="staging", model_version="4", root=bank.log)
    result = bank.judge()
    assert verdict(result, "psi", "status_code").state is State.BREACH
    assert verdict(result, "out_of_range", "status_code").state is State.BREACH
    shifted = verdict(result, "mean_shift", "status_code")
    assert (shifted.state, shifted.cause) == (State.UNKNOWN, Cause.NO_DATA)
    assert "no spread on the baseline" in shifted.reason


def test_a_feature_that_the_baseline_never_had_says_that_it_must_be_made_anew(bank: Bank):
    bank.monitor = monitor(features={"amount": "numeric", "age": "numeric"})
    bank.serve(TONIGHT, answered=lambda rows: rows.assign(age=40.0))
    result = bank.judge()
    told = " ".join(v.reason for v in result.verdicts if v.state is not State.OK)
    assert "age" in told
    assert "fit new edges with a reason, and promote the version again" in told
    assert all(v.state is not State.OK for v in result.verdicts if v.subject == "age")


def test_a_feature_of_the_baseline_that_is_no_longer_declared_costs_nothing(bank: Bank):
    bank.monitor = monitor(features={"amount": "numeric", "channel": "category"})
    bank.serve(TONIGHT)
    result = bank.judge()
    assert states(result, "missing") == {"amount": State.OK, "channel": State.OK, "sex": State.OK}


def test_forty_groups_are_all_compared_and_the_small_ones_are_unknown(tmp_path):
    bank = Bank(tmp_path / "bank").promoted()
    bank.monitor = monitor(protected=[{"attribute": "region", "reference": "r00"}])
    regions = np.array([f"r{i % 40:02d}" for i in range(8000)])
    bank.serve(TONIGHT, crowded(region=regions), rows=8000)
    found = states(bank.judge(), "selection_rate_ratio")
    assert len(found) == 39
    assert State.BREACH not in found.values()
    bank.serve(TONIGHT - timedelta(days=1), lambda rows: rows.assign(region=regions[:80]), rows=80)
    few = states(bank.judge(TONIGHT - timedelta(days=1)), "selection_rate_ratio")
    assert set(few.values()) <= {State.UNKNOWN}


def test_a_night_of_one_row_is_unknown_wherever_one_row_says_nothing(bank: Bank):
    bank.serve(TONIGHT, rows=1)
    result = bank.judge()
    assert result.rows == 1
    for metric in ("mean_shift", "auc", "selection_rate_ratio"):
        assert State.OK not in {v.state for v in result.verdicts if v.metric == metric}, metric
    assert verdict(result, "volume").state in (State.WARN, State.BREACH)


def test_weights_that_are_null_negative_or_endless_are_left_out_and_counted(tmp_path):
    bank = Bank(tmp_path / "bank").promoted()
    bank.monitor = monitor(
        data={"score": "score", "sampling_weight": "weight"},
        rules={"performance": [{"metric": "recall", "breach": "< 0.1"}]},
    )
    weights = np.resize([1.0, 5.0, np.nan, -1.0, np.inf], ROWS)
    bank.tell_truth(bank.serve(TONIGHT, answered=lambda rows: rows.assign(weight=weights)))
    result = bank.judge()
    (profile,) = bank.ports.profiles.night(MODEL, "staging", TONIGHT).values()
    assert profile.outcome.bad_weights == ROWS * 3 // 5
    total = sum(w for w, _ in profile.outcome.weighted.values())
    assert total == pytest.approx(6.0 * ROWS / 5)
    said = verdict(result, "recall")
    assert (said.state, said.cause) == (State.UNKNOWN, Cause.CHECK_FAILED)
    assert "480 of 800 labelled rows have no usable sampling weight" in said.reason


def test_a_night_of_which_half_has_no_answer_is_told(tmp_path):
    bank = Bank(tmp_path / "bank").promoted()
    asked = [{"metric": m, "breach": "> 0.02"} for m in ("missing_prediction", "missing_score")]
    bank.monitor = monitor(rules={"quality": asked})

    def half(rows):
        return rows.assign(
            **{name: rows[name].where(np.arange(len(rows)) % 2 == 0) for name in ("prediction", "score")}
        )

    bank.serve(TONIGHT, answered=half)
    result = bank.judge()
    for metric in ("missing_prediction", "missing_score"):
        said = verdict(result, metric)
        assert said.state is State.BREACH
        assert "400 (50.0%) are without" in said.reason


def test_five_hundred_features_are_profiled_and_judged(tmp_path):
    names = [f"f{i:03d}" for i in range(500)]
    bank = Bank(tmp_path / "bank", features=dict.fromkeys(names, "numeric"), rules={
        "drift": [{"metric": "mean_shift", "hard": "> 1.0"}]})  # fmt: skip
    rng = np.random.default_rng(1)

    def wide(rows):
        made = rows.drop(columns=["tenure", "channel"]).reset_index(drop=True)
        values = {name: rng.normal(size=len(made)) for name in names}
        return pd.concat([made, pd.DataFrame(values)], axis=1)

    holdout = pa.Table.from_pandas(wide(bank.labelled(scored(people(TONIGHT, 500)))), preserve_index=False)
    bank.registry.add(MODEL, files={"MLmodel": b"m"}, inputs=dict.fromkeys(names, "double"), holdout=holdout)
    promote(bank.ports, bank.monitor, "4", actor="ada", reason="test", alias="champion")
    made = wide(scored(people(TONIGHT)).drop(columns=["truth"]))
    log_predictions(MODEL, made.assign(f007=made["f007"] + 3), environment="staging", model_version="4", root=bank.log)
    found = states(bank.judge(), "mean_shift")
    assert len(found) == 500
    assert [name for name, state in found.items() if state is State.BREACH] == ["f007"]
