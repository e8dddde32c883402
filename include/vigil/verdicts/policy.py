"""What is done as an error budget runs out: the team's agreement, as data (docs/slo.md#the-policy)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from vigil.core.spec import Spec
from vigil.verdicts.exhaustion import TINY
from vigil.verdicts.types import Budget


class BudgetPolicy(Spec):
    """What is done as an error budget runs out, and who may make an exception.

    approvers: who may approve a promotion while the budget asks for care; written as in `vigil promote --approved-by`.
    """

    approvers: tuple[str, ...] = Field(min_length=1)
    careful_below: float = Field(default=0.5, gt=0, le=1)  # left; new versions need an approver
    frozen_below: float = Field(default=0.25, gt=0, le=1)  # left; no new version is promoted
    review_nights: int = Field(default=7, ge=1, le=90)  # while frozen, a review is due so often

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.frozen_below > self.careful_below:
            raise ValueError(f"frozen_below ({self.frozen_below:g}) is above careful_below ({self.careful_below:g})")
        return self


class PolicyState(StrEnum):
    """What the policy asks for, mildest first."""

    NORMAL = "normal"
    CAREFUL = "careful"
    FROZEN = "frozen"
    EXHAUSTED = "exhausted"
    UNKNOWN = "unknown"  # no budget could be counted yet


class Standing(Spec):
    """The state of a model's policy, and the budget that puts it there."""

    state: PolicyState
    slo: str = ""
    left: float | None = None

    @property
    def freezes(self) -> bool:
        """Whether new versions stay out."""
        return self.state in (PolicyState.FROZEN, PolicyState.EXHAUSTED)


def standing(policy: BudgetPolicy, budgets: Sequence[Budget]) -> Standing:
    """The state that the budget with the least left asks for.

    >>> spent = Budget(slo="up", target=0.9, nights=28, good=96, total=100, attained=0.96, left=0.6, burn=0.4)
    >>> policy = BudgetPolicy(approvers=("risk@example.com",))
    >>> standing(policy, [spent]).state, standing(policy, [spent.model_copy(update={"left": 0.2})]).state
    (<PolicyState.NORMAL: 'normal'>, <PolicyState.FROZEN: 'frozen'>)
    """
    known = [(b.left, b.slo) for b in budgets if b.left is not None]
    if not known:
        return Standing(state=PolicyState.UNKNOWN)
    left, slo = min(known)
    if left <= TINY:
        state = PolicyState.EXHAUSTED
    elif left < policy.frozen_below:
        state = PolicyState.FROZEN
    elif left <= policy.careful_below:
        state = PolicyState.CAREFUL
    else:
        state = PolicyState.NORMAL
    return Standing(state=state, slo=slo, left=left)


def actions(policy: BudgetPolicy, state: PolicyState) -> tuple[str, ...]:
    """What a state asks of people, in words."""
    careful = f"a version that never was champion needs --approved-by ({', '.join(policy.approvers)})"
    nights = "night" if policy.review_nights == 1 else f"{policy.review_nights} nights"
    frozen = ("promotions of versions that never were champion are frozen", f"a review is due every {nights}")
    match state:
        case PolicyState.NORMAL | PolicyState.UNKNOWN:
            return ()
        case PolicyState.CAREFUL:
            return (careful,)
        case PolicyState.FROZEN:
            return frozen
        case PolicyState.EXHAUSTED:
            return (*frozen, "a post-mortem is required", "what is done about it is recorded with `vigil slo decide`")
