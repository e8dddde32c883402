"""A night of errors spends the budget, the ledger says so, and promotions are frozen; going back is not."""

import pytest
from stage import MODEL, TONIGHT, copied

from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError
from vigil.usecases.budget_policy import decide, report
from vigil.usecases.promote import promote

pytestmark = pytest.mark.slow  # real stores, many nights
RISK = "risk@bank.example"


@pytest.fixture
def spent(quiet_past, tmp_path):
    """A bank whose budget for errors is spent tonight; version 3 never was champion."""
    bank = copied(quiet_past, tmp_path / "bank")
    settings = {**bank.monitor.model_dump(mode="json"), "budget_policy": {"approvers": [RISK]}}
    bank.monitor = Monitor.model_validate(settings)
    bank.serve(TONIGHT, answered=lambda rows: rows.assign(status=["error"] * 200 + ["ok"] * (len(rows) - 200)))
    bank.night()
    return bank


def test_a_spent_budget_is_told_once_and_freezes_new_versions_alone(spent):
    kinds = [kind for kind in spent.types(f"model/{MODEL}") if kind in ("budget_policy", "post_mortem_required")]
    assert kinds == ["budget_policy", "post_mortem_required"]
    spent.night()
    assert spent.types(f"model/{MODEL}").count("budget_policy") == 1, "told again"

    def give(version, **more):
        return promote(spent.ports, spent.monitor, version, actor="ada", reason="better", **more).champion

    with pytest.raises(RegistryError, match=r"frozen by its budget policy: 0% of the budget 'availability' is left"):
        give("3", approved_by=RISK)
    assert give("1") == "1", "a version that was champion is how one goes back"
    assert give("3", alias="challenger") == "1"
    assert give("3", despite_freeze=True) == "3"
    moved = spent.ports.ledger.read(f"model/{MODEL}")[-1].payload
    assert moved["despite"].startswith("budget policy exhausted: 0% of the budget 'availability' is left")


def test_a_decision_answers_for_the_post_mortem_and_sets_the_next_review(spent):
    assert report(spent.ports, spent.monitor).post_mortem
    after = decide(spent.ports, spent.monitor, by="ada", what="fallback until the join is mended")
    assert not after.post_mortem
    assert (after.review_due - spent.clock.now().date()).days == 7
