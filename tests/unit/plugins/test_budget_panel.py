"""A budget on the page of a model: how it burns, when it ends, what could not be judged, and what the policy asks."""

from datetime import UTC, date, datetime, timedelta

import pytest

from plugins.vigil_pages import budgets
from tests.golden.messages.stories import NIGHT
from tests.unit.plugins.shown import MONITOR, spent
from tests.unit.plugins.test_model_page import words
from tests.unit.plugins.weeks import weeks
from vigil.usecases.budget_policy import Decision, Report
from vigil.verdicts.policy import BudgetPolicy, Standing
from vigil.verdicts.types import Exhaustion

SLO = MONITOR.slos[0]


def told(**budget: object) -> dict[str, str]:
    return dict(budgets.facts(spent(0.99, 0.4, coverage=0.928, coverage_left=1.0, **budget), SLO))


def test_tonight_s_burn_is_told_as_the_least_it_can_be() -> None:
    assert told(burn=8.34)["Tonight"] == "spends 8.3 times what the target allows, at the least (95 %)"
    assert told()["Tonight"] == "could not be counted"
    assert told(waiting=True, newest=NIGHT)["Tonight"] == f"waits for labels; the newest counted night is {NIGHT}"


def test_the_end_is_a_date_with_a_range() -> None:
    ends = Exhaustion(prospect="burning", on=date(2026, 12, 4), earliest=date(2026, 12, 2), latest=date(2026, 12, 9))
    assert told(exhaustion=ends)["At this rate"] == (
        "exhausted on 2026-12-04 at this rate (2026-12-02 to 2026-12-09)")  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"judged_nights": 28}, "28 of 28 nights judged; 2 may go unjudged in 28"),
        ({"judged_nights": 24, "unjudged_nights": 4, "coverage_left": -1.0},
         "24 of 28 nights judged; 2 may go unjudged in 28: too many did"),
        ({"judged_nights": 1, "waiting_nights": 7},
         "1 of 1 night judged; 2 may go unjudged in 28; 7 nights wait for labels"),
    ],
)  # fmt: skip
def test_nights_that_nobody_judged_are_counted_beside_those_that_wait(counts: dict[str, object], said: str) -> None:
    made = spent(0.99, 0.4, coverage=0.928, **{"coverage_left": 1.0, **counts})
    assert dict(budgets.facts(made, SLO))["Nights"] == said


def test_a_budget_of_an_older_release_says_what_it_knows() -> None:
    assert dict(budgets.facts(spent(0.99, 0.4), None)) == {
        "Tonight": "could not be counted", "At this rate": "not projected yet"}  # fmt: skip


def test_the_page_shows_the_policy_with_what_it_asks_and_what_was_decided() -> None:
    decided = Decision(at=datetime(2026, 11, 22, tzinfo=UTC), by="<b>ada</b>", what="fallback until mended")
    report = Report(standing=Standing(state="exhausted", slo="availability", left=-0.2), since=NIGHT,
                    asks=("a post-mortem is required",), review_due=NIGHT + timedelta(days=7), post_mortem=True,
                    decisions=(decided,))  # fmt: skip
    found = words(*weeks(), policy=report)
    assert "A budget is spent: promotions of new versions are frozen" in found
    assert f"Since the night of {NIGHT}, because of availability" in found
    assert f"The next review is due by {NIGHT + timedelta(days=7)}" in found
    assert "Decided on 2026-11-22 by <b>ada</b>: fallback until mended" in found


def test_a_model_without_a_policy_is_told_that_none_says_what_happens() -> None:
    assert "No policy says what happens as a budget runs out" in words(*weeks())


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (0.9, None),
        (0.3, ("promotions need an approver", "warn")),
        (0.1, ("promotions are frozen", "breach")),
        (-1.0, ("budget spent, promotions are frozen", "breach")),
        (None, None),
    ],
)
def test_the_list_of_models_names_what_a_policy_asks_for(left: float | None, said: tuple[str, str] | None) -> None:
    watched = MONITOR.model_copy(update={"budget_policy": BudgetPolicy(approvers=("ada",))})
    assert budgets.policy_pill(watched, [spent(0.99, left)]) == said
    assert budgets.policy_pill(MONITOR, [spent(0.99, -1.0)]) is None
