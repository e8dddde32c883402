"""Judging again is news where the yardstick is another one, and none where only the software is."""

import json
from datetime import timedelta

import pytest
from stage import MODEL, TONIGHT, Bank, people, scored, states

from vigil.core.errors import DataError
from vigil.sdk import log_predictions
from vigil.usecases.baseline import rebaseline, usual_of
from vigil.usecases.promote import promote
from vigil.verdicts.types import State

pytestmark = pytest.mark.slow  # real stores, many nights
AGO = timedelta(days=8)
SUITE = {"name": "shop", "expectations": [
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "min_value": 0, "max_value": 900}},
]}  # fmt: skip


def told(bank: Bank, night=TONIGHT):
    return [r for _, r in bank.ports.results.versions_of_truth(MODEL, "staging", night)]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    return Bank(tmp_path_factory.mktemp("taught"), rules={}).promoted().teach(20)


def test_a_night_that_was_judged_without_a_baseline_is_judged_again_after_the_promotion(tmp_path):
    bank = Bank(tmp_path, slos=[])
    bank.serve(TONIGHT)
    assert states(bank.judge(), "baseline") == {"all": State.UNKNOWN}
    bank.promoted()
    again = bank.judge()
    assert states(again, "baseline") == {}
    assert again.rows == 800
    assert len(told(bank)) == 2


def test_nights_that_were_judged_without_a_baseline_are_judged_with_the_first_one_that_has_it(tmp_path):
    bank = Bank(tmp_path)
    bank.serve(TONIGHT)
    bank.judge()
    bank.promoted()
    bank.serve(TONIGHT + timedelta(days=1))
    bank.judge(TONIGHT + timedelta(days=1))
    assert states(told(bank)[-1], "baseline") == {}
    bank.judge(TONIGHT + timedelta(days=1))
    assert len(told(bank)) == 2


def test_a_night_is_judged_again_after_a_rebaselining_and_after_another_suite(taught):
    taught.serve(TONIGHT)
    taught.judge()
    taught.judge()
    assert len(told(taught)) == 1
    taught.clock.advance(timedelta(minutes=1))
    rebaseline(taught.ports, taught.monitor, since=TONIGHT - AGO, until=None, actor="ada", reason="new clients")
    taught.judge()
    assert len(told(taught)) == 2
    folder = taught.folder / "expectations"
    folder.mkdir()
    (folder / "shop.json").write_text(json.dumps(SUITE))
    before = taught.monitor
    taught.monitor = before.model_copy(update={"suite": "shop", "quality": "compiled"})
    taught.judge()
    SUITE["expectations"][0]["kwargs"]["max_value"] = 60
    (folder / "shop.json").write_text(json.dumps(SUITE))
    taught.judge()
    assert State.BREACH in states(told(taught)[-1], "expectation").values()
    taught.monitor = before


def of_an_older_release(bank: Bank, night) -> None:
    """The night's judgement as it was stored before results kept what they were held against."""
    old = told(bank, night)[-1].model_copy(update={"basis": ""})
    bank.ports.results.append(old, evaluated_at=bank.clock.now(), labels_through=None)


def test_newer_software_restates_no_night_and_a_rebaselining_after_it_does(taught):
    night = TONIGHT + timedelta(days=1)
    taught.serve(night)
    taught.judge(night)
    of_an_older_release(taught, night)
    assert taught.judged(night) == []
    assert [bool(r.basis) for r in told(taught, night)] == [True, False]
    taught.clock.advance(timedelta(minutes=1))
    rebaseline(taught.ports, taught.monitor, since=TONIGHT - timedelta(days=7), until=None, actor="ada", reason="more")
    assert taught.judged(night) == [night]
    assert len(told(taught, night)) == 3


def test_who_names_nights_goes_back_and_forth_and_the_last_word_counts(taught):
    first, second = TONIGHT - timedelta(days=18), TONIGHT - timedelta(days=9)
    for since in (first, second, first, first):
        rebaseline(taught.ports, taught.monitor, since=since, until=None, actor="ada", reason="trying")
        assert usual_of(taught.ports, taught.monitor).since == since
    events = [e for e in taught.ports.ledger.read(f"model/{MODEL}") if e.payload.get("reason") == "trying"]
    assert len(events) == 3, "the same word twice is one"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"since": TONIGHT + timedelta(days=13000)}, "lies in the future"),
        ({"actor": " "}, "give --actor and --reason"),
        ({"reason": ""}, "give --actor and --reason"),
        (
            {"until": TONIGHT - AGO + timedelta(days=2)},
            r"at least 7 teach what is usual\. Name a longer span, or leave",
        ),
    ],
)
def test_a_rebaselining_that_cannot_teach_is_refused_with_what_to_do(bank, changed, why):
    asked = {"since": TONIGHT - AGO, "until": None, "actor": "ada", "reason": "new clients", **changed}
    with pytest.raises(DataError, match=why):
        rebaseline(bank.ports, bank.monitor, **asked)
    assert not [e for e in bank.ports.ledger.read(f"model/{MODEL}") if e.type == "rebaselined"]


def test_one_subject_that_is_unknown_does_not_keep_the_others_on_the_old_yardstick(tmp_path):
    """Each past night has one reading without a value; the others are of the version before."""
    bank = Bank(tmp_path, rules={}).promoted()
    days = [TONIGHT - timedelta(days=n) for n in range(12, 0, -1)]
    for day in days:
        bank.serve(day, lambda rows: rows.assign(tenure=None))
        bank.judge(day)
    assert {v.measurement.value for v in told(bank, days[-1])[-1].verdicts if v.id == "position_shift/tenure"} == {None}
    promote(bank.ports, bank.monitor, "1", actor="ada", reason="t", alias="champion", despite_freeze=True)
    made = scored(people(TONIGHT).assign(tenure=None)).drop(columns=["truth"])
    log_predictions(MODEL, made, environment="staging", model_version="1", root=bank.log)
    amount = next(v for v in bank.judge().verdicts if v.id == "position_shift/amount")
    assert "its place on 12 nights" in amount.reason
