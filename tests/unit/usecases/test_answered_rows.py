"""The rows of one version's answers, judged alone: a replay's ok rests on no rows that nobody counted."""

from datetime import date

import pytest

from tests.unit.usecases.memory_stage import MODEL
from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.metrics.example import profile
from vigil.metrics.types import Measurement
from vigil.profiles.row_ledger import Lack, Place
from vigil.profiles.types import Cell, Columns, NumericColumn, Outcome, Profile
from vigil.usecases.row_ledgers import answered_rows
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import Cause, State

NIGHT = date(2026, 11, 20)
WATCHED = Monitor.model_validate({
    "version": "vigil/v1", "model": MODEL, "environment": "production", "task": "binary",
    "data": {"score": "score"}, "features": {"income": "numeric"},
    "decision": {"positive": "bad", "threshold": 0.5, "favourable": "grant", "deserving": "good"},
    "protected": [{"attribute": "sex", "reference": "m"}], "people": {"owner": "a@example.com"},
    "rules": {"fairness": [{"metric": "selection_rate_ratio", "breach": "< 0.8"}]},
})  # fmt: skip


def answers(*, known: int, scored: int = 1000) -> Profile:
    """1,000 answers; of `known` rows the sex is known, half women, all granted; `scored` have a score."""
    half = Cell(n=known // 2, favourable=known // 2)
    cells = {"f": half, "m": half, "(missing)": Cell(n=1000 - known, favourable=0)}
    return profile(
        rows=1000, groups={"sex": {name: cell for name, cell in cells.items() if cell.n}},
        outcome=Outcome(predictions={"grant": 1000}),
        prediction=Columns(numeric={"score": NumericColumn(rows=1000, nulls=1000 - scored, bins=(scored,))}),
    )  # fmt: skip


def ratio(known: int) -> Measurement:
    entry, n = CATALOG["selection_rate_ratio"], known // 2
    return Measurement(
        metric=entry.name, subject="sex=f", family=Family.FAIRNESS, kind=entry.kind, value=1.0, low=0.97, high=1.03,
        n=n, unit=entry.unit, worse=entry.worse, parts=(n, n, n, n),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "state", "cause"), [(1000, State.OK, None), (600, State.UNKNOWN, Cause.ROWS_MISSING)]
)
def test_an_ok_of_a_replay_that_rests_on_few_of_its_rows_is_unknown(known, state, cause):
    rows = answered_rows(WATCHED, answers(known=known), answers(known=1000))
    verdicts = judge([ratio(known)], WATCHED.rules.model_copy(update={"drift": ()}), (), Facts(
        night=NIGHT, as_of=NIGHT, rows=rows))  # fmt: skip
    fair = next(v for v in verdicts if v.metric == "selection_rate_ratio")
    assert (fair.state, fair.cause) == (state, cause)


def test_a_version_that_gives_no_scores_lost_them_and_rules_that_stand_in_had_none_to_lose():
    given = {"answers": answers(known=1000, scored=0), "baseline": answers(known=1000)}
    lost = answered_rows(WATCHED, **given).without(Lack.SCORE, "all")
    assert lost is not None
    assert (lost.rows, lost.of) == (1000, 1000)
    assert answered_rows(WATCHED, **given, scored=False).without(Lack.SCORE, "all") is None
    assert answered_rows(WATCHED, **given).at(Place.JUDGED) == 1000
