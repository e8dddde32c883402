"""Rows that lost something, or went elsewhere, are told with their share, and no ok rests on the rest of them."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stage import MODEL, TONIGHT, Bank, people, scored, states
from typer.testing import CliRunner

from plugins.vigil_pages.model import About, page
from vigil import cli_rows
from vigil.profiles.row_ledger import Place
from vigil.usecases.incidents import get
from vigil.verdicts.types import Cause, NightResult, State

pytestmark = pytest.mark.slow  # real stores, many nights
NEXT = TONIGHT + timedelta(days=1)


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    """Ten quiet nights, whose labels come a day later, in a log that production shares."""
    made = Bank(tmp_path_factory.mktemp("bank"), labels={"delay_nights": 0, "grace_nights": 9}).promoted()
    for ago in range(10, 0, -1):
        elsewhere(made, TONIGHT - timedelta(days=ago), "production", 100)
    return made.teach()


def elsewhere(bank: Bank, night, environment: str, rows: int, *, first: int = 0) -> None:
    """Rows that another process wrote, of another environment."""
    made = scored(people(night, first + rows)[first:]).assign(
        environment=environment, model_version="2", role="champion"
    )
    made["prediction_id"] = f"{environment}-" + made["prediction_id"]
    folder = bank.log / "predictions" / f"model={MODEL}" / f"date={night}"
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(made.drop(columns=["truth"]), preserve_index=False)
    pq.write_table(table, folder / f"{environment}-{first}.parquet")


def served(bank: Bank, night, change=None, rows: int = 800) -> NightResult:
    bank.tell_truth(bank.serve(night, answered=change, rows=rows))
    return bank.judge(night)


def verdict(result: NightResult, question: str):
    (found,) = (v for v in result.verdicts if v.id == question)
    return found


def denied_say_nothing(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(sex=rows["sex"].where(rows["prediction"] != "deny"))


def most_say_nothing(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(sex=rows["sex"].where(np.random.default_rng(7).random(len(rows)) > 0.7))


def half_without_scores(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(score=rows["score"].where(rows.index % 2 == 0))


LOST = {
    "the denied without a sex": (denied_say_nothing, "missing/sex", "selection_rate_ratio/sex=female"),
    "most without a sex": (most_say_nothing, "missing/sex", "selection_rate_ratio/sex=female"),
    "half without a score": (half_without_scores, "missing_score/all", "auc/all"),
}


@pytest.mark.parametrize(("change", "breach", "unknown"), LOST.values(), ids=LOST)
def test_what_many_rows_lost_breaches_and_what_rests_on_it_is_unknown_with_the_share(tmp_path, change, breach, unknown):
    bank = Bank(tmp_path, labels={"delay_nights": 0, "grace_nights": 9}).promoted()
    told = served(bank, TONIGHT, change)
    assert (verdict(told, breach).state, verdict(told, breach).hard) == (State.BREACH, True)
    lost = verdict(told, unknown)
    assert (lost.state, lost.cause, lost.overdue) == (State.UNKNOWN, Cause.ROWS_MISSING, True)
    mine = [r for r in told.row_ledger.remainders if f"it rests on {1 - r.share:.1%}" in lost.reason]
    assert {(r.of, r.reference) for r in mine} == {(800, 0.0)}


def test_a_log_that_another_environment_shares_is_silent_and_its_rows_are_counted(bank):
    elsewhere(bank, TONIGHT, "production", 300)
    told = served(bank, TONIGHT)
    assert states(told, "other_environment") == {}
    assert {v.state for v in told.verdicts} == {State.OK}
    assert dict(told.row_ledger.places) == {Place.JUDGED: 800, Place.OTHER_ENVIRONMENT: 300}
    assert dict(told.row_ledger.environments) == {"production": 300}


def test_rows_logged_under_another_word_for_the_environment_breach_and_are_named_in_an_incident(bank):
    elsewhere(bank, NEXT, "stage", 240, first=560)
    bank.tell_truth(bank.serve(NEXT, rows=560))
    incident = bank.night(NEXT)
    told = bank.ports.results.latest(MODEL, "staging", NEXT)
    lost = verdict(told, "other_environment/all")
    assert lost.state is State.BREACH
    assert "240 rows are of the environment 'stage', and 560 of 'staging'" in lost.reason
    signals = [s.verdict.id for f in get(bank.ports, incident)[0].findings for s in f.signals]
    assert "other_environment/all" in signals


def test_the_rows_of_a_night_are_shown_at_the_prompt_and_on_the_page_of_its_model(bank, monkeypatch):
    told = bank.ports.results.latest(MODEL, "staging", TONIGHT) or served(bank, TONIGHT)
    monkeypatch.setattr(cli_rows, "monitor_of", lambda model, home: (None, Path(), bank.monitor))
    monkeypatch.setattr(cli_rows.wiring, "reading", lambda settings, folder: bank.ports)
    shown = CliRunner().invoke(cli_rows.app, [MODEL, str(TONIGHT)])
    assert shown.exit_code == 0
    assert "of another environment: 'production' (300)" in shown.output
    assert "judged" in shown.output
    raw = json.loads(CliRunner().invoke(cli_rows.app, [MODEL, str(TONIGHT), "--json"]).output)
    assert sum(raw["places"].values()) == told.row_ledger.rows
    values = page(bank.monitor, [told], [], About(due=TONIGHT))
    assert [line.rows for line in values["rows"]["places"]] == ["800", "300", "1,100"]


def test_a_night_that_nobody_counted_is_told_as_such_at_the_prompt(bank, monkeypatch):
    monkeypatch.setattr(cli_rows, "monitor_of", lambda model, home: (None, Path(), bank.monitor))
    monkeypatch.setattr(cli_rows.wiring, "reading", lambda settings, folder: bank.ports)
    shown = CliRunner().invoke(cli_rows.app, [MODEL, "2020-01-01"])
    assert shown.exit_code == 2
