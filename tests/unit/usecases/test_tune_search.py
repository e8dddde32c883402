"""How thresholds are looked for: what cannot be milder is kept and said."""

from datetime import timedelta

from tests.unit.usecases.memory_stage import MODEL, NIGHT, MemoryStage, monitor, verdict
from vigil.core.words import Family
from vigil.usecases.backtest import Joined, Judged, Told
from vigil.usecases.backtest_account import Truth
from vigil.usecases.tune import tune
from vigil.verdicts.types import NightResult

RULE = {"metric": "mean_shift", "quantile": 0.99, "nights": 90}
NIGHTS = [NIGHT + timedelta(days=n) for n in range(60)]
BAD = NIGHTS[4::10]


def night(day) -> Judged:
    beyond = verdict(family=Family.DRIFT, metric="mean_shift", subject="age", limit="0.99 quantile of 90 nights")
    result = NightResult(monitor=MODEL, environment="production", night=day, partition_digest="p", config_digest="c",
                         edges_digest="e", rows=100, verdicts=(beyond,) if day in BAD else ())  # fmt: skip
    joined = Joined(incident=f"i{day}", opened=day, severity="SEV3", signals=(("drift", "mean_shift/age"),),
                    known="2027-03-22T00:00:00Z")  # fmt: skip
    return Judged(night=day, first=result, last=result, joined=joined if day in BAD else None)


def test_a_quantile_that_cannot_be_milder_is_kept_and_said(tmp_path):
    """One step milder than 0.99 is 0.995, of which 90 nights know nothing: no monitor with it would load."""
    stage = MemoryStage(tmp_path, monitor(rules={"drift": [RULE]}))
    for day in BAD:
        stage.opened(f"i{day}", verdict(family=Family.DRIFT, metric="mean_shift", subject="age"), night=day)
    watched, asked = stage.monitors[MODEL], []

    def make(settings):
        asked.extend(settings)
        return watched

    def judge(_, nights):
        mine = tuple(i for i in stage.incidents() if i.opened_night in nights)
        return Told(monitor=watched, nights=tuple(night(d) for d in nights), incidents=mine)

    found = tune(make, judge, {"rules": {"drift": [RULE]}}, NIGHTS, Truth(says=""), budget=13.0)
    assert asked == []
    assert (found.knobs, found.present) == ((), found.proposed)
    assert found.unmet == (
        "rules.drift.0.quantile=0.99 (mean_shift) is the mildest quantile that 90 nights know; half its tail needs "
        "`nights: 99`"
    )
