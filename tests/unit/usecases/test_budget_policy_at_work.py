"""The budget policy at work: what it refuses, what it lets through, and what the ledger keeps of it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from memory_stage import NIGHT, MemoryStage, monitor

from vigil.core.errors import MonitorError, RegistryError
from vigil.usecases.budget_policy import Asked, allowed, decide, record, report
from vigil.verdicts.policy import PolicyState
from vigil.verdicts.types import Budget, NightResult

MODEL, RISK = "model/credit", "risk@bank.example"
WATCHED = monitor(
    slos=[{"name": "up", "sli": "availability", "target": 0.99}], budget_policy={"approvers": [RISK]}
)  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> MemoryStage:
    made = MemoryStage(tmp_path, WATCHED)
    made.ledger.append(
        MODEL,
        expected=0,
        key="a",
        type="promote_requested",
        at=made.clock.now(),
        payload={
            "alias": "champion",
            "from": None,
            "to": "1",
            "by": "ada",
            "manifest": "m",
            "key": "a",
            "evidence": {},
        },
    )
    made.ledger.append(
        MODEL,
        expected=1,
        key="b",
        type="alias_moved",
        at=made.clock.now(),
        payload={
            "alias": "champion",
            "from": None,
            "to": "1",
            "by": "ada",
            "manifest": "m",
            "key": "a",
            "evidence": {},
        },
    )
    return made  # fmt: skip


def night(stage: MemoryStage, left: float | None, on: date = NIGHT) -> NightResult:
    """A judged night that leaves so much of its budget."""
    kept = Budget(slo="up", target=0.99, nights=28, good=1, total=1, attained=1.0, left=left, burn=0.0)
    result = NightResult(monitor="credit", environment="production", night=on, partition_digest=f"p{on}{left}",
                         config_digest=WATCHED.digest, edges_digest="e", verdicts=(), budgets=(kept,))  # fmt: skip
    stage.results.append(result, evaluated_at=stage.clock.now(), labels_through=None)
    return result


class Died(Exception):
    """The worker died here."""


class Dying:
    """A ledger that a worker does not live to tell about a post-mortem."""

    def __init__(self, ledger: Any) -> None:
        self.read, self._append = ledger.read, ledger.append

    def append(self, stream: str, *, type: str, **more: Any) -> Any:
        if type == "post_mortem_required":
            raise Died
        return self._append(stream, type=type, **more)


def types(stage: MemoryStage) -> list[str]:
    return [e.type for e in stage.ledger.read(MODEL)][2:]


def asked(version: str = "2", **more: object) -> Asked:
    return Asked.model_validate({"version": version, "alias": "champion", **more})


def test_with_enough_left_anything_may_be_promoted(stage: MemoryStage) -> None:
    night(stage, 0.6)
    assert allowed(stage.ports(), WATCHED, asked()) == {}


def test_little_left_asks_for_a_named_approver(stage: MemoryStage) -> None:
    night(stage, 0.4)
    with pytest.raises(RegistryError, match=r"needs an approver.*40% of the budget 'up' is left.*nobody approved it"):
        allowed(stage.ports(), WATCHED, asked())
    with pytest.raises(RegistryError, match="'mallory' is none of them"):
        allowed(stage.ports(), WATCHED, asked(approved_by="mallory"))
    assert allowed(stage.ports(), WATCHED, asked(approved_by=RISK))["approved_by"] == RISK


@pytest.mark.parametrize("left", [0.2, 0.0, -4.0])
def test_a_spent_budget_freezes_new_versions_and_the_exception_is_kept(stage: MemoryStage, left: float) -> None:
    night(stage, left)
    with pytest.raises(RegistryError, match=r"frozen by its budget policy.*--despite-freeze"):
        allowed(stage.ports(), WATCHED, asked(approved_by=RISK))
    assert "is left" in allowed(stage.ports(), WATCHED, asked(despite_freeze=True))["despite"]


@pytest.mark.parametrize("free", [asked("1"), asked(alias="challenger"), asked(alias="fallback")])
def test_going_back_and_trying_out_are_never_frozen(stage: MemoryStage, free: Asked) -> None:
    night(stage, -1.0)
    assert allowed(stage.ports(), WATCHED, free) == {}


def test_nothing_is_frozen_without_a_policy_or_before_a_night_was_counted(stage: MemoryStage) -> None:
    assert allowed(stage.ports(), WATCHED, asked()) == {}
    night(stage, None)
    assert allowed(stage.ports(), WATCHED, asked()) == {}
    night(stage, -1.0, NIGHT + timedelta(days=1))
    assert allowed(stage.ports(), WATCHED.model_copy(update={"budget_policy": None}), asked()) == {}


def test_each_change_of_state_is_told_once_and_one_that_comes_back_again(stage: MemoryStage) -> None:
    told = []
    for days, left in enumerate((0.9, 0.4, 0.4, 0.2, 0.4, 0.2, None)):
        result = night(stage, left, NIGHT + timedelta(days=days))
        told += [record(stage.ports(), WATCHED, result), record(stage.ports(), WATCHED, result)]
    careful, frozen = PolicyState.CAREFUL, PolicyState.FROZEN
    assert [s for s in told if s] == [careful, frozen, careful, frozen]
    assert types(stage) == ["budget_policy"] * 4
    payload = stage.ledger.read(MODEL)[-1].payload
    assert (payload["to"], payload["slo"], payload["approvers"]) == ("frozen", "up", [RISK])
    assert payload["config"] == WATCHED.digest


def test_a_past_night_that_is_judged_again_does_not_turn_the_policy_back(stage: MemoryStage) -> None:
    record(stage.ports(), WATCHED, night(stage, 0.1, NIGHT))
    assert record(stage.ports(), WATCHED, night(stage, 0.9, NIGHT - timedelta(days=3))) is None


def test_a_spent_budget_requires_a_post_mortem_until_somebody_decides(stage: MemoryStage) -> None:
    record(stage.ports(), WATCHED, night(stage, -0.5))
    assert types(stage) == ["budget_policy", "post_mortem_required"]
    before = report(stage.ports(), WATCHED)
    assert (before.post_mortem, before.since) == (True, NIGHT)
    assert before.review_due == NIGHT + timedelta(days=7)
    stage.clock.advance(timedelta(days=3))
    after = decide(stage.ports(), WATCHED, by="ada", what="fallback until the join is mended")
    assert not after.post_mortem
    assert [d.what for d in after.decisions] == ["fallback until the join is mended"]
    assert after.review_due == stage.clock.now().date() + timedelta(days=7)
    assert types(stage)[-1] == "budget_decision"


def test_a_worker_that_died_between_the_two_events_is_made_good(stage: MemoryStage) -> None:
    result = night(stage, -0.5)
    with pytest.raises(Died):
        record(stage.ports(ledger=Dying(stage.ledger)), WATCHED, result)
    assert types(stage) == ["budget_policy"]
    record(stage.ports(), WATCHED, result)
    assert types(stage) == ["budget_policy", "post_mortem_required"]


def test_a_decision_of_an_earlier_episode_does_not_answer_for_this_one(stage: MemoryStage) -> None:
    for days, left in enumerate((-0.5, 0.9, -0.5)):
        record(stage.ports(), WATCHED, night(stage, left, NIGHT + timedelta(days=days)))
        if days == 0:
            decide(stage.ports(), WATCHED, by="ada", what="rolled back")
    assert report(stage.ports(), WATCHED).post_mortem


@pytest.mark.parametrize(("by", "what"), [("", "x"), ("ada", " ")])
def test_a_decision_without_a_name_or_a_text_is_refused(stage: MemoryStage, by: str, what: str) -> None:
    with pytest.raises(MonitorError, match="--by"):
        decide(stage.ports(), WATCHED, by=by, what=what)


def test_without_a_policy_there_is_nothing_to_decide(stage: MemoryStage) -> None:
    with pytest.raises(MonitorError, match="budget_policy"):
        decide(stage.ports(), WATCHED.model_copy(update={"budget_policy": None}), by="ada", what="x")
