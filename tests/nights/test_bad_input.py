"""Bad input of a night, one case each: a clear message, `unknown` or a refusal, nothing lost, never `ok`.

The gateway's cases (wrong schema, invalid JSON, tampered artefact) are in tests/unit/serving/test_gateway_protocol.py
and test_gateway_app.py; a broken YAML and an unknown metric name in tests/unit/config, and as DAGs in tests/dags.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stage import MODEL, TONIGHT, Bank, SilentRegistry, poorer_women, states

from vigil.core.errors import DeliveryError, RegistryError
from vigil.responses.types import ActionKind
from vigil.sdk import log_outcomes
from vigil.usecases import nightly, respond
from vigil.usecases.incidents import all_incidents
from vigil.verdicts.types import Cause, State

pytestmark = pytest.mark.slow  # real stores, many nights


def verdict(result, metric, subject="all"):
    (found,) = (v for v in result.verdicts if (v.metric, v.subject) == (metric, subject))
    return found


def files(bank: Bank) -> list[Path]:
    return sorted((bank.log / "predictions").glob(f"model={MODEL}/date={TONIGHT}/*.parquet"))


def test_a_missing_partition_is_unknown_and_says_so(bank):
    found = verdict(bank.judge(), "rows")
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.NO_DATA)
    assert found.reason == "shop has no predictions for 2026-09-20 (staging): no file for the night"


def test_files_without_a_row_of_the_night_are_unknown(bank):
    def hours_later(rows):
        return rows.assign(served_at=[datetime(2026, 9, 20, 23, tzinfo=UTC)] * len(rows))  # the 21st in Berlin

    bank.serve(TONIGHT, answered=hours_later)
    found = verdict(bank.judge(), "rows")
    assert found.state is State.UNKNOWN
    assert "no predictions for 2026-09-20" in found.reason


def test_rows_outside_the_window_belong_to_their_own_night(bank):
    def half_late(rows):
        late = datetime(2026, 9, 20, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
        return rows.assign(served_at=[t if n < 500 else late for n, t in enumerate(rows["served_at"])])

    bank.serve(TONIGHT, answered=half_late)
    assert bank.judge().rows == 500
    assert bank.judge(TONIGHT + timedelta(days=1)).rows == 300


def test_a_missing_column_is_a_hard_breach_that_names_it(bank):
    bank.serve(TONIGHT, answered=lambda rows: rows.drop(columns=["tenure"]))
    found = verdict(bank.judge(), "schema")
    assert (found.state, found.hard) == (State.BREACH, True)
    assert "column 'tenure' is missing from the prediction log of shop on 2026-09-20" in found.reason


def test_a_column_of_the_wrong_type_is_counted_and_the_others_are_judged(bank):
    bank.serve(TONIGHT, answered=lambda rows: rows.assign(amount=rows["amount"].map("{:.0f} EUR".format)))
    result = bank.judge()
    assert states(result, "wrong_type")["amount"] is State.BREACH
    assert states(result, "missing")["tenure"] is State.OK


def test_a_feature_that_is_all_null_is_a_hard_breach(bank):
    bank.serve(TONIGHT, lambda rows: rows.assign(tenure=None))
    found = verdict(bank.judge(), "missing", "tenure")
    assert (found.state, found.hard) == (State.BREACH, True)
    assert "tenure is null in all 800 rows" in found.reason


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_counted_as_missing_or_not_finite(bank, value):
    bank.serve(TONIGHT, answered=lambda rows: rows.assign(amount=rows["amount"].where(rows.index % 4 != 0, value)))
    result = bank.judge()
    metric = "missing" if np.isnan(value) else "not_finite"
    assert states(result, metric)["amount"] is State.BREACH
    assert verdict(result, metric, "amount").measurement.value == pytest.approx(0.25)


def test_a_new_category_is_found_and_named(bank):
    bank.serve(TONIGHT, lambda rows: rows.assign(channel=rows["channel"].where(rows.index % 4 != 0, "kiosk")))
    found = verdict(bank.judge(), "new_category", "channel")
    assert found.state is State.BREACH
    assert "kiosk" in found.reason


def test_duplicate_ids_are_counted_once(bank):
    bank.serve(TONIGHT, answered=lambda rows: pd.concat([rows, rows.head(100)]))
    result = bank.judge()
    assert result.rows == 800
    assert states(result, "missing")["amount"] is State.OK


def test_labels_of_unknown_ids_are_harmless_and_counted(bank):
    bank.serve(TONIGHT)
    quiet = bank.judge()
    strangers = [
        {"prediction_id": f"x{n}", "label": "1", "observed_at": datetime(2026, 9, 20, 12, tzinfo=UTC)} for n in range(9)
    ]
    log_outcomes(MODEL, strangers, root=bank.log)
    assert bank.judge() == quiet
    assert bank.ports.log.orphans(bank.monitor) == 9


def test_of_contradictory_labels_the_latest_counts(bank):
    made = bank.serve(TONIGHT)
    bank.tell_truth(made.assign(truth=np.where(made["score"] > 0.5, 1.0, 0.0)))  # wrong
    bank.tell_truth(made, days=2)  # corrected
    bank.clock.advance(timedelta(days=4))
    assert states(bank.judge(), "auc") == {"all": State.OK}


def three_women(rows):
    return pd.concat([rows[rows["sex"] == "male"], rows[rows["sex"] == "female"].head(3)])


def test_a_group_of_three_rows_is_unknown_with_the_number_that_would_do(tmp_path):
    bank = Bank(tmp_path).promoted()
    bank.serve(TONIGHT, answered=three_women)
    found = verdict(bank.judge(), "selection_rate_ratio", "sex=female")
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    assert "are needed" in found.reason


def test_three_rows_are_no_news_where_the_week_is_known(bank):
    bank.serve(TONIGHT, answered=three_women)
    found = verdict(bank.judge(), "selection_rate_ratio", "sex=female")
    assert found.state is State.OK
    assert "within < 0.8 on 7 nights" in found.reason


def test_a_file_that_was_cut_in_half_takes_the_trust_and_nothing_else(bank):
    bank.serve(TONIGHT, answered=lambda rows: rows.head(400))
    bank.serve(TONIGHT, answered=lambda rows: rows.tail(400))
    first, second = files(bank)
    whole = second.read_bytes()
    second.write_bytes(whole[: len(whole) // 2])
    result = bank.judge()
    assert result.rows == 400
    assert State.OK not in {v.state for v in result.verdicts if v.metric != "burn"}
    assert any(second.name in note and "could not be read" in note for note in result.notes)
    second.write_bytes(whole)  # somebody copies it again: the night is judged again, and is well
    assert bank.judge().rows == 800
    assert first.exists()


def test_a_suite_that_is_missing_is_unknown_and_says_which_file(bank):
    bank.monitor = bank.monitor.model_copy(update={"suite": "shop"})
    bank.serve(TONIGHT)
    (found,) = (v for v in bank.judge().verdicts if v.metric == "expectation")
    assert (found.state, found.overdue) == (State.UNKNOWN, True)
    assert "there is no expectations/shop.json: add it, or change `suite:` of monitor shop" in found.reason


def test_without_mlflow_the_incident_is_opened_all_the_same_and_the_step_says_what_is_down(bank):
    bank.serve(TONIGHT, poorer_women)
    bank.judge()
    whole = bank.ports
    bank.ports = whole.model_copy(update={"registry": SilentRegistry()})
    assert nightly.correlate(bank.ports, bank.monitor, TONIGHT) == "20260920-shop-staging"
    with pytest.raises(RegistryError, match=r"MLflow at http://127\.0\.0\.1:9 does not answer; is the server up\?"):
        nightly.account(bank.ports, bank.monitor, TONIGHT)
    bank.ports = whole
    assert bank.night() == "20260920-shop-staging"
    assert len(all_incidents(bank.ports)) == 1


class DeafChat:
    """Slack does not answer."""

    def __getattr__(self, name):
        def refuse(*_, **__):
            raise DeliveryError("slack: no connection; nothing was sent")

        return refuse


def test_without_slack_the_incident_is_recorded_and_told_once_when_slack_is_back(bank):
    bank.serve(TONIGHT, poorer_women)
    incident = bank.night()
    watched = {MODEL: bank.monitor}
    told = [a for a in respond.plan(bank.ports, watched, incident) if a["kind"] != ActionKind.MITIGATE]
    deaf = bank.ports.model_copy(update={"notifier": DeafChat})
    for action in told:
        with pytest.raises(DeliveryError):
            respond.deliver(deaf, watched, action)
    assert respond.plan(bank.ports, watched, incident)[0]["kind"] == ActionKind.OPEN_ROOM
    for _ in range(2):
        for action in told:
            respond.deliver(bank.ports, watched, action)
    assert len(bank.notifier.channels) == 1


def test_markup_in_a_category_reaches_no_room_as_markup(bank):
    evil = "<!channel> <script>alert(1)</script>"
    bank.serve(TONIGHT, lambda rows: rows.assign(channel=rows["channel"].where(rows.index % 3 != 0, evil)))
    incident = bank.night()
    watched = {MODEL: bank.monitor}
    for action in respond.plan(bank.ports, watched, incident):
        if action["kind"] != ActionKind.MITIGATE:
            respond.deliver(bank.ports, watched, action)
    said = "\n".join(m.text + str(m.blocks) for c in bank.notifier.channels.values() for m in c.messages)
    assert "&lt;!channel&gt;" in said
    assert "<!channel>" not in said
    assert "<script>" not in said


def test_a_night_without_a_baseline_is_unknown_and_says_what_to_run(tmp_path):
    bank = Bank(tmp_path)
    bank.serve(TONIGHT)
    found = verdict(bank.judge(), "baseline")
    assert (found.state, found.overdue) == (State.UNKNOWN, True)
    assert "shop has no baseline yet: run `vigil promote shop VERSION` once" in found.reason


def test_an_environment_that_is_not_watched_is_not_mixed_in(bank):
    bank.serve(TONIGHT, answered=lambda rows: rows.assign(environment="production"))
    assert states(bank.judge(), "rows") == {"all": State.UNKNOWN}
