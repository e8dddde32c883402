"""What Prometheus is told: names with units, labels of ours only, and nothing about what is not known."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from memory_stage import NIGHT, MemoryStage, monitor, verdict
from prometheus_client.parser import text_string_to_metric_families

from vigil.usecases.prometheus import exposition, watched
from vigil.verdicts.types import Budget, BurnLevel, Coverage, Exhaustion, NightResult, State

WATCHED = monitor(
    timezone="Europe/Berlin",
    slos=[{"name": "up", "sli": "availability", "target": 0.99}],
    budget_policy={"approvers": ["risk@bank.example"]},
)


def told(
    stage: MemoryStage, *, result: dict[str, object] | None = None, **budget: object
) -> dict[tuple[str, ...], float]:
    """(metric, the labels beside model and environment) -> value."""
    fields = {"slo": "up", "target": 0.99, "nights": 28, "good": 1, "total": 1, "attained": 0.995, "left": 0.2,
              "burn": 3.0, "coverage": 0.928, "coverage_left": 0.5}  # fmt: skip
    made = Budget.model_validate({**fields, **budget})
    judged = NightResult(monitor="credit", environment="production", night=NIGHT, partition_digest="p", rows=500,
                         config_digest="c", edges_digest="e", verdicts=(verdict(), verdict(State.OK, metric="x")),
                         budgets=(made,))  # fmt: skip
    stored = judged.model_copy(update=result or {})
    stage.results.append(stored, evaluated_at=stage.clock.now(), labels_through=None)
    found = {}
    for family in text_string_to_metric_families(exposition(watched(stage.ports(), [WATCHED]))):
        for sample in family.samples:
            assert (sample.labels.pop("model"), sample.labels.pop("environment")) == ("credit", "production")
            found[(sample.name, *(value for _, value in sorted(sample.labels.items())))] = sample.value
    return found


@pytest.fixture
def stage(tmp_path: Path) -> MemoryStage:
    return MemoryStage(tmp_path, WATCHED)


def test_budgets_are_shares_and_burns_are_multiples(stage: MemoryStage) -> None:
    found = told(stage, level=BurnLevel.MEDIUM)
    assert found["vigil_slo_budget_left_ratio", "up"] == 0.2
    assert found["vigil_slo_burn_ratio", "up"] == 3.0
    assert found["vigil_slo_coverage_left_ratio", "up"] == 0.5
    assert found["vigil_slo_burn_level", "medium", "up"] == 1
    assert found["vigil_slo_burn_level", "none", "up"] == 0
    assert found["vigil_budget_policy_state", "frozen"] == 1


def test_moments_are_unix_times_and_never_is_infinity(stage: MemoryStage) -> None:
    ends = Exhaustion(prospect="burning", on=date(2026, 12, 4), earliest=date(2026, 12, 2))
    found = told(stage, exhaustion=ends)
    on = found["vigil_slo_exhaustion_timestamp_seconds", "expected", "up"]
    assert datetime.fromtimestamp(on, UTC) == datetime(2026, 12, 5, tzinfo=UTC)
    assert found["vigil_slo_exhaustion_timestamp_seconds", "latest", "up"] == float("inf")
    last = found["vigil_last_judged_night_timestamp_seconds",]
    assert datetime.fromtimestamp(last, UTC) == datetime(2026, 11, 20, 23, tzinfo=UTC), "midnight in Berlin"


@pytest.mark.parametrize("prospect", ["unknown", "exhausted"])
def test_what_is_not_known_is_not_told(stage: MemoryStage, prospect: str) -> None:
    found = told(stage, burn=None, left=None, exhaustion=Exhaustion(prospect=prospect))
    assert ("vigil_slo_burn_ratio", "up") not in found
    assert ("vigil_slo_budget_left_ratio", "up") not in found
    assert not any(name == "vigil_slo_exhaustion_timestamp_seconds" for name, *_ in found)
    assert found["vigil_budget_policy_state", "unknown"] == 1


def test_verdicts_are_counted_by_family_and_state_and_open_incidents_by_severity(stage: MemoryStage) -> None:
    stage.opened("20261120-credit-production", watched=WATCHED)
    found = told(stage)
    assert found["vigil_verdicts", "performance", "breach"] == 1
    assert found["vigil_verdicts", "performance", "ok"] == 1
    assert found["vigil_verdicts", "drift", "warn"] == 0
    assert sum(v for (name, *_), v in found.items() if name == "vigil_open_incidents") == 1


def test_the_questions_that_were_due_and_judged_are_told_and_whether_the_day_was_one_of_rest(
    stage: MemoryStage,
) -> None:
    coverage = (Coverage(family="drift", due=12, judged=3),)
    found = told(stage, result={"coverage": coverage, "rest": True, "rows": 0})
    assert found["vigil_questions_due", "drift"] == 12
    assert found["vigil_questions_judged", "drift"] == 3
    assert found["vigil_night_rest",] == 1


def test_a_model_that_was_never_judged_has_its_incidents_and_no_numbers(stage: MemoryStage) -> None:
    text = exposition(watched(stage.ports(), [WATCHED]))
    assert 'vigil_open_incidents{environment="production",model="credit",severity="SEV1"} 0.0' in text
    assert "vigil_last_judged" not in text
    assert exposition([]) == ""
