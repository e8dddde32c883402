"""A gap of the whole that is another one within strata is said beside the number (docs/statistics.md#fairness)."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from vigil.metrics.evaluate import evaluate
from vigil.metrics.example import SEX, profile, view
from vigil.metrics.fairness.simpson import weighted_gap
from vigil.profiles.types import Cell


def measured(levels):
    cells = {}
    for group in ("female", "male"):
        n, k = (sum(level[group][i] for level in levels.values()) for i in (0, 1))
        cells[group] = Cell(n=n, favourable=k)
    night = profile(rows=sum(c.n for c in cells.values()), groups={"sex": cells}, strata={"sex": levels})
    seen = evaluate(night, None, view(protected=(SEX,), strata="amount"), yardstick="holdout",
                    only=["selection_rate_ratio", "parity_difference"])  # fmt: skip
    return {m.metric: m for m in seen}


def test_a_gap_that_turns_round_within_strata_is_said_as_simpsons_paradox():
    levels = {"low": {"female": (200, 44), "male": (60, 10)}, "high": {"female": (50, 45), "male": (200, 170)}}
    for m in measured(levels).values():
        assert "within 'amount' the gap is +5.2 points, crude -33.6: it turns round (Simpson's paradox)" in m.detail


def test_a_gap_that_is_mostly_about_who_asks_is_said_so():
    levels = {"low": {"female": (400, 80), "male": (100, 22)}, "high": {"female": (100, 78), "male": (400, 320)}}
    assert "who asks explains part of it" in measured(levels)["selection_rate_ratio"].detail


def test_a_gap_that_only_shows_within_strata_is_said_so():
    levels = {"low": {"female": (100, 10), "male": (400, 120)}, "high": {"female": (400, 280), "male": (100, 90)}}
    found = measured(levels)["parity_difference"]
    assert found.value > 0
    assert "it turns round" in found.detail


def test_strata_that_agree_with_the_whole_say_nothing():
    levels = {"low": {"female": (300, 60), "male": (300, 90)}, "high": {"female": (300, 180), "male": (300, 210)}}
    assert "within" not in measured(levels)["selection_rate_ratio"].detail


def test_the_weighted_gap_is_the_one_of_mantel_and_haenszel():
    strata = [(44, 200, 10, 60), (45, 50, 170, 200), (0, 0, 3, 9)]
    by_hand = sum((k1 / n1 - k0 / n0) * n1 * n0 / (n1 + n0) for k1, n1, k0, n0 in strata[:2])
    by_hand /= sum(n1 * n0 / (n1 + n0) for _, n1, _, n0 in strata[:2])
    assert weighted_gap(strata) == pytest.approx(by_hand)
    tables = [np.array([[k1, n1 - k1], [k0, n0 - k0]]) for k1, n1, k0, n0 in strata[:2]]
    assert (weighted_gap(strata) > 0) == (StratifiedTable(tables).riskratio_pooled > 1)
    assert weighted_gap([(0, 0, 3, 9)]) is None
