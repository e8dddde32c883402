"""Bad input of a night, one case each: a clear message, `unknown` or a refusal, nothing lost, never `ok`.

Bad input elsewhere:
- the gateway: test_rows_that_do_not_fit_the_signature_are_400_with_the_columns_and_without_the_data (wrong schema) and
  test_a_request_that_is_not_ours_is_refused in tests/unit/serving/test_gateway_app.py;
  test_a_body_of_another_shape_is_refused_with_400_and_not_repeated (invalid JSON) in test_gateway_protocol.py;
  test_a_tampered_version_never_answers_and_the_old_one_goes_on (tampered artefact) in test_gateway_follow.py;
- YAML: test_good_monitors_load_and_broken_ones_are_told_by_file in tests/unit/config/test_load_monitors.py;
  test_one_mistake_is_told_in_one_line[an unknown metric] in test_monitor_errors.py; as a DAG in tests/dags; what
  people are told in tests/unit/usecases/test_watch.py;
- the SDK: tests/unit/test_sdk.py, and tests/contracts/test_prediction_log_contract.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stage import MODEL, TONIGHT, Bank, SilentRegistry, people, poorer_women, scored, states

from plugins.vigil_pages import views
from plugins.vigil_pages.model import About, page
from plugins.vigil_pages.timeline import timeline
from vigil.core.errors import DeliveryError, RegistryError
from vigil.responses.types import ActionKind
from vigil.sdk import log_outcomes
from vigil.usecases import nightly, respond, watch
from vigil.usecases.incidents import all_incidents, get
from vigil.usecases.lint_data import findings
from vigil.usecases.replay import replay
from vigil.verdicts.notes import NoteKind
from vigil.verdicts.types import Cause, NightResult, State, Verdict

pytestmark = pytest.mark.slow  # real stores, many nights
TOMORROW, LATER = TONIGHT + timedelta(days=1), TONIGHT + timedelta(days=2)
Served = Callable[[Bank], object]


def verdict(result: NightResult, metric: str, subject: str = "all") -> Verdict:
    (found,) = (v for v in result.verdicts if (v.metric, v.subject) == (metric, subject))
    return found


def nothing(bank: Bank) -> None:
    """The job that logs them did not run."""


def fed(change) -> Served:
    """Inputs that were bad before the model saw them."""
    return lambda bank: bank.serve(TONIGHT, change)


def logged(change) -> Served:
    """Rows that were spoilt on their way to the log."""
    return lambda bank: bank.serve(TONIGHT, answered=change)


def theirs(night=TONIGHT, *, without: str = "", **columns) -> pa.Table:
    """100 rows of a night as a job writes them that does not know our SDK."""
    rows = scored(people(night, 100)).assign(environment="staging", model_version="2", role="champion", **columns)
    rows["prediction_id"] = "theirs-" + rows["prediction_id"]
    return pa.Table.from_pandas(rows.drop(columns=[c for c in ("truth", without) if c]), preserve_index=False)


def put(bank: Bank, rows: pa.Table, *, kind: str = "predictions", night=TONIGHT) -> Path:
    folder = bank.log / kind / f"model={MODEL}" / f"date={night}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "theirs.parquet")
    return folder / "theirs.parquet"


def beside(rows: pa.Table) -> Served:
    """Somebody else's file beside ours."""
    return lambda bank: (bank.serve(TONIGHT), put(bank, rows))


def alone(rows: pa.Table) -> Served:
    return lambda bank: put(bank, rows)


def a_quarter(column: str, value):
    return lambda rows: rows.assign(**{column: rows[column].where(rows.index % 4 != 0, value)})


def next_day(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(served_at=[datetime(2026, 9, 20, 23, tzinfo=UTC)] * len(rows))  # the 21st in Berlin


@dataclass(frozen=True)
class Case:
    """What is logged, which question tells of it, what people read, and how many rows and which `ok` are left."""

    served: Served
    question: str
    state: State
    message: str
    rows: int = 800
    ok: str | None = None  # a question that is answered all the same; None: nothing may be ok


LOST = "is missing from the prediction log of shop on 2026-09-20"
BAD = {
    "a missing partition": Case(
        nothing, "rows/all", State.UNKNOWN,
        "shop has no predictions for 2026-09-20 (staging): no file for the night", rows=0),
    "an empty partition": Case(
        alone(theirs().slice(0, 0)), "rows/all", State.UNKNOWN,
        "shop has no predictions for 2026-09-20 (staging): the files hold no row of the night", rows=0),
    "times outside the window": Case(
        logged(next_day), "rows/all", State.UNKNOWN,
        "shop has no predictions for 2026-09-20 (staging): no file for the night", rows=0),
    "another environment": Case(
        logged(lambda rows: rows.assign(environment="production")), "rows/all", State.UNKNOWN,
        "shop has no predictions for 2026-09-20 (staging)", rows=0),
    "a missing feature": Case(
        logged(lambda rows: rows.drop(columns=["tenure"])), "schema/all", State.BREACH,
        f"column 'tenure' {LOST}; It has: amount, channel, environment", rows=0),
    "a renamed feature": Case(
        logged(lambda rows: rows.rename(columns={"tenure": "Tenure"})), "schema/all", State.BREACH,
        f"column 'tenure' {LOST}; did you mean 'Tenure'?", rows=0),
    "a feature of the wrong type": Case(
        logged(lambda rows: rows.assign(amount=rows["amount"].map("{:.0f} EUR".format))),
        "wrong_type/amount", State.BREACH,
        "wrong_type(amount) 100 % [99.5 %, 100 %], n = 800, was 0 % on the holdout of version 2", ok="missing/tenure"),
    "a feature that is all null": Case(
        fed(lambda rows: rows.assign(tenure=None)), "missing/tenure", State.BREACH,
        "tenure is null in all 800 rows (was 0.0% on the holdout of version 2)", ok="missing/amount"),
    "NaN": Case(
        logged(a_quarter("amount", np.nan)), "missing/amount", State.BREACH,
        "missing(amount) 25 % [22.1 %, 28.1 %], n = 800", ok="not_finite/amount"),
    "infinity": Case(
        logged(a_quarter("amount", np.inf)), "not_finite/amount", State.BREACH,
        "not_finite(amount) 25 % [22.1 %, 28.1 %], n = 800", ok="missing/amount"),
    "minus infinity": Case(
        logged(a_quarter("amount", -np.inf)), "not_finite/amount", State.BREACH,
        "not_finite(amount) 25 % [22.1 %, 28.1 %], n = 800", ok="missing/amount"),
    "a new category": Case(
        fed(a_quarter("channel", "kiosk")), "new_category/channel", State.BREACH,
        "new_category(channel) 25 % [22.1 %, 28.1 %], n = 800, was 0 % on the holdout of version 2: beyond > 0.05 "
        "(p < 1e-15); new: 'kiosk'", ok="missing/channel"),
    "no predictions in the rows": Case(
        logged(lambda rows: rows.assign(prediction=None)), "top_class_share/all", State.BREACH,
        "none of 800 rows has a prediction", ok="missing/amount"),
    "the same prediction for everybody": Case(
        logged(lambda rows: rows.assign(prediction="deny")), "top_class_share/all", State.BREACH,
        "all 800 predictions are the same ('deny'); the holdout of version 2 had", ok="missing/amount"),
    "a group that is gone": Case(
        logged(lambda rows: rows.assign(sex="male")), "selection_rate_ratio/sex=female", State.UNKNOWN,
        "selection_rate_ratio(sex=female): no data; no rows: no decisions of this group", ok="missing/amount"),
    "a file without the times of its rows": Case(
        beside(theirs(without="served_at")), "missing/amount", State.UNKNOWN,
        "not trusted: 1 file(s) could not be read: theirs.parquet: column 'served_at' is missing from the file"),
    "a file without ids": Case(
        beside(theirs(without="prediction_id")), "volume/all", State.UNKNOWN,
        "theirs.parquet: column 'prediction_id' is missing from the file; did you mean 'prediction'?"),
    "a file whose times are text": Case(
        beside(theirs(served_at="yesterday")), "missing/amount", State.UNKNOWN,
        "theirs.parquet: column 'served_at' is string; it must be a timestamp"),
    "nothing but a file without roles": Case(
        alone(theirs(without="role")), "rows/all", State.UNKNOWN,
        "theirs.parquet could not be read: column 'role' is missing from the file", rows=0),
    "a file that lacks a feature that others have": Case(
        beside(theirs(without="tenure")), "missing/tenure", State.BREACH,
        "missing(tenure) 11.1 % [9.22 %, 13.3 %], n = 900", rows=900, ok="missing/amount"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_is_told_is_never_ok_and_costs_no_other_night(bank, case):
    past = bank.ports.results.latest(MODEL, "staging", TONIGHT - timedelta(days=1))
    case.served(bank)
    bank.night()
    result = bank.ports.results.latest(MODEL, "staging", TONIGHT)
    found = verdict(result, *case.question.split("/"))
    assert found.state is case.state
    assert case.message in found.reason
    assert result.rows == case.rows
    if case.ok is None:
        assert [v.reason for v in result.verdicts if v.state is State.OK] == []
    else:
        assert verdict(result, *case.ok.split("/")).state is State.OK
    bank.serve(LATER)  # a file without times in the folder of a UTC date may be of two local nights
    well = bank.judge(LATER)
    assert well.rows == 800
    assert {verdict(well, "missing", f).state for f in bank.monitor.features} == {State.OK}
    assert bank.ports.results.latest(MODEL, "staging", past.night) == past


def test_times_in_nanoseconds_as_pandas_writes_them_are_times(bank):
    rows = theirs()
    assert rows.schema.field("served_at").type.unit == "ns"
    bank.serve(TONIGHT)
    put(bank, rows)
    assert bank.judge().rows == 900


def test_rows_outside_the_window_belong_to_their_own_night(bank):
    def half_late(rows):
        late = datetime(2026, 9, 20, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
        return rows.assign(served_at=[t if n < 500 else late for n, t in enumerate(rows["served_at"])])

    bank.serve(TONIGHT, answered=half_late)
    assert bank.judge().rows == 500
    assert bank.judge(TOMORROW).rows == 300


def test_duplicate_ids_are_counted_once_and_told(bank):
    bank.serve(TONIGHT, answered=lambda rows: pd.concat([rows, rows.head(100)]))
    result = bank.judge()
    assert result.rows == 800
    (told,) = (m for m in result.measurements if m.metric == "duplicates")
    assert told.value == pytest.approx(100 / 900)
    assert states(result, "missing")["amount"] is State.OK


def test_labels_of_unknown_ids_are_harmless(bank):
    bank.serve(TONIGHT)
    quiet = bank.judge()
    strangers = [
        {"prediction_id": f"x{n}", "label": "1", "observed_at": datetime(2026, 9, 20, 12, tzinfo=UTC)} for n in range(9)
    ]
    log_outcomes(MODEL, strangers, root=bank.log)
    assert bank.judge() == quiet


def test_of_contradictory_labels_the_latest_counts(bank):
    made = bank.serve(TONIGHT)
    bank.tell_truth(made.assign(truth=np.where(made["score"] > 0.5, 1.0, 0.0)))  # wrong
    wrong = verdict(bank.judge(), "auc")
    assert wrong.state is State.BREACH
    bank.tell_truth(made, days=2)  # corrected
    corrected = verdict(bank.judge(), "auc")
    assert corrected.state is State.OK
    assert corrected.measurement.value == pytest.approx(0.835, abs=0.01)


def test_outcomes_without_labels_cost_the_trust_and_no_row(bank):
    bank.serve(TONIGHT)
    seen = [datetime(2026, 9, 20, 12, tzinfo=UTC)]
    put(bank, pa.table({"prediction_id": ["a"], "Label": ["1"], "observed_at": seen}), kind="outcomes")
    result = bank.judge()
    assert result.rows == 800
    assert [v.reason for v in result.verdicts if v.state is State.OK] == []
    why = "theirs.parquet could not be read: column 'label' is missing from the file; did you mean 'Label'?"
    assert any(why in note.words for note in result.notes)


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
    assert "within < 0.8 on 3 nights" in found.reason


def test_a_file_that_was_cut_in_half_takes_the_trust_and_nothing_else(bank):
    ours = sorted([*_files(bank, lambda rows: rows.head(400)), *_files(bank, lambda rows: rows.tail(400))])
    second = ours[1]
    whole = second.read_bytes()
    second.write_bytes(whole[: len(whole) // 2])
    result = bank.judge()
    assert result.rows == 400
    assert [v.reason for v in result.verdicts if v.state is State.OK] == []
    assert any(second.name in note.words and note.kind is NoteKind.UNREADABLE_FILE for note in result.notes)
    found = findings(bank.ports, bank.monitor, None, today=TOMORROW)
    assert [(place, said.startswith(f"{second.name} cannot be used")) for place, said in found] == [(("data",), True)]
    second.write_bytes(whole)  # somebody copies it again: the night is judged again, and is well
    assert bank.judge().rows == 800


def _files(bank: Bank, part) -> set[Path]:
    """The files of one batch."""
    there = lambda: set((bank.log / "predictions").glob(f"model={MODEL}/date={TONIGHT}/*.parquet"))  # noqa: E731
    before = there()
    bank.serve(TONIGHT, answered=part)
    return there() - before


def test_a_bad_file_of_a_past_night_makes_that_night_unknown_and_tonight_is_judged(bank):
    past = TONIGHT - timedelta(days=2)
    put(bank, theirs(past, without="environment"), night=past)
    bank.serve(TONIGHT)
    assert bank.judged() == [past]
    assert bank.ports.results.latest(MODEL, "staging", TONIGHT).rows == 800
    then = bank.ports.results.latest(MODEL, "staging", past)
    assert "column 'environment' is missing from the file" in verdict(then, "missing", "amount").reason


def test_a_suite_that_is_missing_is_unknown_and_says_which_file(bank):
    bank.monitor = bank.monitor.model_copy(update={"suite": "shop"})
    bank.serve(TONIGHT)
    result = bank.judge()
    (found,) = (v for v in result.verdicts if v.metric == "expectation")
    assert (found.state, found.overdue) == (State.UNKNOWN, True)
    assert "there is no expectations/shop.json: add it, or change `suite:` of monitor shop" in found.reason
    assert states(result, "missing")["amount"] is not State.BREACH


def test_a_night_without_a_baseline_is_unknown_and_says_what_to_run(tmp_path):
    bank = Bank(tmp_path)
    bank.serve(TONIGHT)
    result = bank.judge()
    found = verdict(result, "baseline")
    assert (found.state, found.overdue) == (State.UNKNOWN, True)
    assert "shop has no baseline yet: run `vigil promote shop VERSION` once" in found.reason
    assert [v.reason for v in result.verdicts if v.state is State.OK] == []


def test_without_mlflow_the_incident_is_opened_all_the_same_and_each_step_says_what_is_down(bank):
    down = r"MLflow at http://127\.0\.0\.1:9 does not answer; is the server up\?"
    bank.serve(TONIGHT, poorer_women)
    whole = bank.ports
    bank.ports = replace(whole, registry=SilentRegistry())
    assert states(bank.judge(), "selection_rate_ratio") == {"sex=female": State.BREACH}
    incident = nightly.correlate(bank.ports, bank.monitor, TONIGHT)
    assert incident == "20260920-shop-staging"
    with pytest.raises(RegistryError, match=down):
        replay(bank.ports, bank.monitor, TONIGHT, incident)
    with pytest.raises(RegistryError, match=down):
        nightly.account(bank.ports, bank.monitor, TONIGHT)
    assert watch.blind(bank.ports, bank.monitor, TONIGHT, reason="a step failed") == incident  # as the DAG does
    first, *_ = respond.plan(bank.ports, {MODEL: bank.monitor}, incident)
    respond.deliver(bank.ports, {MODEL: bank.monitor}, first)
    (room,) = bank.notifier.channels.values()
    assert "Selection-rate ratio (AIR) for `sex=female`: 0.5" in room.messages[0].text
    assert "the monitor is blind: a step failed" in room.messages[0].text
    bank.ports = whole
    assert bank.night() == incident
    (found,) = all_incidents(bank.ports)
    assert found.replay is not None


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
    deaf = replace(bank.ports, notifier=DeafChat)
    for action in told:
        with pytest.raises(DeliveryError):
            respond.deliver(deaf, watched, action)
    assert respond.plan(bank.ports, watched, incident)[0]["kind"] == ActionKind.OPEN_ROOM
    for _ in range(2):
        for action in told:
            respond.deliver(bank.ports, watched, action)
    (room,) = bank.notifier.channels.values()
    assert len(room.messages) == len(told)


EVIL = "<!channel> <script>alert(1)</script>"


@pytest.fixture
def marked_up(bank) -> tuple[Bank, str]:
    """A night with markup in a category, and its incident."""
    bank.serve(TONIGHT, lambda rows: rows.assign(channel=rows["channel"].where(rows.index % 3 != 0, EVIL)))
    return bank, bank.night()


def test_markup_in_a_category_reaches_no_room_as_markup(marked_up):
    bank, incident = marked_up
    watched = {MODEL: bank.monitor}
    for action in respond.plan(bank.ports, watched, incident):
        if action["kind"] != ActionKind.MITIGATE:
            respond.deliver(bank.ports, watched, action)
    said = "\n".join(m.text + str(m.blocks) for c in bank.notifier.channels.values() for m in c.messages)
    assert "&lt;!channel&gt;" in said
    assert "<!channel>" not in said
    assert "<script>" not in said


def test_markup_in_a_category_is_text_on_the_pages(marked_up):
    bank, incident = marked_up
    found, events = get(bank.ports, incident)
    nights = [*bank.ports.results.history(MODEL, "staging", TOMORROW, 60)]
    asked = {"monitor": bank.monitor, "night": TONIGHT, "report": False, "row": views.verdict_row}
    shown = [
        views.render("model.html", **page(bank.monitor, nights, [found], About(due=TONIGHT))),
        views.render("incident.html", incident=found, timeline=timeline(events), **asked),
    ]
    for html in shown:
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html
        assert "<!channel>" not in html
