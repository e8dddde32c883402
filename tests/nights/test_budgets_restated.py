"""A label that comes three weeks late moves its night, tonight's budget and the policy; what was known then stays."""

from datetime import timedelta

import pytest
from stage import MODEL, TONIGHT, Bank, copied

from vigil.verdicts.types import Budget, Slo, State

pytestmark = pytest.mark.slow  # real stores, many nights
ONE = timedelta(days=1)
LATE = TONIGHT + 21 * ONE
RIGHT = {"name": "right", "sli": "good_nights", "family": "performance", "target": 0.893}


@pytest.fixture
def watched(quiet_past, tmp_path) -> Bank:
    """The bank of the quiet past, whose right nights are an objective from tonight on."""
    bank = copied(quiet_past, tmp_path / "bank")
    bank.monitor = bank.monitor.model_copy(update={"slos": (Slo.model_validate(RIGHT),)})
    return bank


def budget(bank: Bank, night, **known) -> Budget:
    (found,) = bank.ports.results.latest(MODEL, "staging", night, **known).budgets
    return found


def test_a_label_that_comes_three_weeks_late_moves_its_night_and_tonight_s_budget(watched):
    bank = watched
    made = bank.serve(TONIGHT)
    bank.judge()
    assert budget(bank, TONIGHT).waiting
    for day in (TONIGHT + timedelta(days=n) for n in range(1, 21)):
        bank.clock.advance(timedelta(days=1))
        bank.tell_truth(bank.serve(day))
        bank.judge(day)
    night_then, budget_then = bank.ports.results.latest(MODEL, "staging", TONIGHT), budget(bank, LATE - ONE)
    assert (budget_then.left, budget_then.unjudged_nights) == (1.0, 1), "its labels are overdue: it spends coverage"
    then = bank.clock.now()

    bank.clock.advance(ONE)
    bank.tell_truth(made.assign(score=1 - made["score"]), days=21)  # the opposite of what was said came true
    bank.serve(LATE)
    assert bank.judged(LATE) == [TONIGHT]

    night_now = bank.ports.results.latest(MODEL, "staging", TONIGHT)
    assert next(v for v in night_now.verdicts if v.metric == "auc").state is State.BREACH
    assert budget(bank, LATE).left == pytest.approx(budget_then.left - 1 / (0.107 * 28))
    assert budget(bank, LATE).unjudged_nights == 0
    assert bank.ports.results.latest(MODEL, "staging", TONIGHT, known_at=then) == night_then
    assert budget(bank, LATE - ONE, known_at=then) == budget_then


def test_labels_that_come_after_tonight_was_judged_move_tonight_when_it_is_judged_again(watched):
    bank = watched
    made = {day: bank.serve(day) for day in (TONIGHT, TONIGHT + ONE)}
    bank.judge(TONIGHT)
    bank.judge(TONIGHT + ONE)
    assert budget(bank, TONIGHT + ONE).waiting_nights == 2
    bank.tell_truth(made[TONIGHT])
    bank.judged(TONIGHT + ONE)
    assert budget(bank, TONIGHT + ONE).waiting_nights == 1
    versions = len(bank.ports.results.versions_of_truth(MODEL, "staging", TONIGHT + ONE))
    bank.judged(TONIGHT + ONE)
    assert len(bank.ports.results.versions_of_truth(MODEL, "staging", TONIGHT + ONE)) == versions, "stored again"
