"""The policy of a budget: what each state asks for, and where one ends and the next begins."""

import pytest
from pydantic import ValidationError

from vigil.verdicts.policy import BudgetPolicy, PolicyState, actions, standing
from vigil.verdicts.types import Budget

POLICY = BudgetPolicy(approvers=("risk@example.com",))


def left(share, name="up"):
    return Budget(slo=name, target=0.99, nights=28, good=1, total=1, attained=1.0, left=share, burn=0.0)


@pytest.mark.parametrize(
    ("share", "state"),
    [(1.0, "normal"), (0.51, "normal"), (0.5, "careful"), (0.25, "careful"), (0.2499, "frozen"), (1e-12, "exhausted"),
     (0.0, "exhausted"), (-3.0, "exhausted"), (None, "unknown")],
)  # fmt: skip
def test_the_share_that_is_left_decides(share, state):
    assert standing(POLICY, [left(share)]).state == state


def test_the_budget_with_the_least_left_speaks_for_the_model():
    found = standing(POLICY, [left(0.9), left(0.1, "latency"), left(None, "fair")])
    assert (found.state, found.slo, found.left, found.freezes) == (PolicyState.FROZEN, "latency", 0.1, True)
    assert standing(POLICY, []).state is PolicyState.UNKNOWN


def test_what_is_asked_for_grows_with_the_state_and_names_who_approves():
    assert actions(POLICY, PolicyState.NORMAL) == actions(POLICY, PolicyState.UNKNOWN) == ()
    assert "risk@example.com" in actions(POLICY, PolicyState.CAREFUL)[0]
    assert set(actions(POLICY, PolicyState.FROZEN)) < set(actions(POLICY, PolicyState.EXHAUSTED))


@pytest.mark.parametrize(
    "wrong", [{"approvers": []}, {"careful_below": 0.2}, {"frozen_below": 0}, {"review_nights": 0}]
)
def test_a_policy_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValidationError):
        BudgetPolicy.model_validate({"approvers": ["a@example.com"], **wrong})
