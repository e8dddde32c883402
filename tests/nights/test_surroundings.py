"""What a night's rows do not tell: requests that were lost on the way, versions that nobody promoted."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.nights.stage import MODEL, ROWS, TONIGHT, Bank
from vigil.adapters.traffic import CountedElsewhere
from vigil.sdk import log_predictions
from vigil.verdicts.types import NightResult, State

RULES = {"service": [{"metric": "log_completeness", "breach": "< 0.98"},
                     {"metric": "version_integrity", "breach": "< 0.999"}]}  # fmt: skip


def counted(folder: Path, *requests: int) -> Bank:
    """A bank whose load balancer exports a line for tonight and each night before."""
    lines = [f"{TONIGHT - timedelta(days=n)},{r}" for n, r in enumerate(requests)]
    (folder / "lb.csv").write_text("\n".join(["night,requests", *lines]))
    bank = Bank(folder / "bank", traffic={"file": "lb.csv"}, rules=RULES)
    bank.ports = replace(bank.ports, traffic=CountedElsewhere(folder, None))
    bank.clock.advance(timedelta(days=-20))
    bank.promoted()
    bank.clock.advance(timedelta(days=20))
    return bank


def said(result: NightResult, metric: str) -> Any:
    (found,) = [v for v in result.verdicts if v.metric == metric]
    return found


def test_a_log_that_loses_one_row_in_ten_is_a_breach(tmp_path):
    bank = counted(tmp_path, ROWS * 10 // 9)
    bank.serve(TONIGHT)
    verdict = said(bank.judge(), "log_completeness")
    assert verdict.state is State.BREACH
    assert "800 of 888 requests" in verdict.reason


def test_a_count_is_kept_so_that_a_night_is_judged_again_by_what_was_known_then(tmp_path):
    bank = counted(tmp_path, ROWS)
    made = bank.serve(TONIGHT)
    assert said(bank.judge(), "log_completeness").state is State.OK
    (tmp_path / "lb.csv").unlink()
    bank.tell_truth(made)
    assert said(bank.judge(), "log_completeness").state is State.OK


def test_a_count_that_nobody_gives_is_unknown_with_the_reason(tmp_path):
    bank = counted(tmp_path)
    bank.serve(TONIGHT)
    verdict = said(bank.judge(), "log_completeness")
    assert verdict.state is State.UNKNOWN
    assert "lb.csv has 0 lines for 2026-09-20" in verdict.reason


def test_the_fallback_and_both_champions_of_a_night_of_change_are_no_strangers(tmp_path):
    bank = counted(tmp_path, ROWS)
    bank.serve(TONIGHT)
    assert said(bank.judge(), "version_integrity").state is State.OK


def test_a_replica_that_still_runs_another_version_is_found_and_named(tmp_path):
    bank = counted(tmp_path, ROWS + 40)
    made = bank.serve(TONIGHT).head(40)
    strange = made.assign(prediction_id=[f"other-{i}" for i in range(40)]).drop(columns=["truth"])
    log_predictions(MODEL, strange, environment="staging", model_version="9", root=bank.log)
    verdict = said(bank.judge(), "version_integrity")
    assert verdict.state is State.BREACH
    assert "40 rows of version 9" in verdict.reason


def test_before_any_recorded_promotion_nobody_knows_which_version_should_answer(tmp_path):
    bank = Bank(tmp_path / "bank", rules=RULES).promoted()  # promoted the morning after
    bank.serve(TONIGHT)
    verdict = said(bank.judge(), "version_integrity")
    assert verdict.state is State.UNKNOWN
    assert "no record says" in verdict.reason
