"""Why a number is absent is a value from the metric to the incident; its words decide nothing."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.metrics import made_profiles as made
from tests.unit.verdicts.made_measurements import NIGHT, number
from vigil.incidents.correlate import signals
from vigil.metrics import evaluate as engine
from vigil.metrics.reasons import Absence
from vigil.metrics.types import Measurement
from vigil.verdicts.judge import CAUSES, Facts, judge
from vigil.verdicts.types import Cause, NightResult, Rule, Rules, State

MOVED = Rules(drift=(Rule(metric="mean_shift", breach="> 1"),))


def judged(m, days=0):
    night = NIGHT + timedelta(days=days)
    (verdict,) = judge([m], MOVED, (), Facts(night=night, as_of=night, labelled_share=1.0))
    return verdict


def result(*verdicts):
    return NightResult(monitor="shop", environment="staging", night=NIGHT, partition_digest="p", config_digest="c",
                       edges_digest="e", verdicts=verdicts)  # fmt: skip


def test_a_metric_that_crashes_over_too_few_bins_is_a_failed_check_and_an_incident_after_two_nights(monkeypatch):
    def broken(given):
        raise ValueError("fewer bins than edges")

    monkeypatch.setattr(engine, "load", lambda entry: broken)
    rows = made.profile(made.drawn(1))
    (m,) = engine.evaluate(rows, rows, made.VIEW.model_copy(update={"features": {"x": "numeric"}}), yardstick="",
                           only=["mean_shift"])  # fmt: skip
    (verdict,) = judge([m], MOVED, (), Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0))
    assert (verdict.state, verdict.cause, verdict.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert "fewer bins than edges" in verdict.reason
    assert [s.verdict.id for s in signals(result(verdict), result(verdict))] == [verdict.id]


@given(absence=st.sampled_from(Absence), words=st.text(max_size=30) | st.sampled_from([a.value for a in Absence]))
def test_the_words_of_an_absence_change_no_cause(absence, words):
    verdict = judged(number(None, n=0, absence=absence, why_not=words))
    assert (verdict.state, verdict.cause) == (State.UNKNOWN, CAUSES[absence])
    assert verdict.overdue is (absence is Absence.CHECK_FAILED)


def test_every_absence_has_a_cause():
    assert set(CAUSES) == set(Absence)


OLD = {"metric": "mean_shift", "subject": "income", "family": "drift", "kind": "number", "value": None, "low": None,
       "high": None, "n": 12, "unit": "sd", "worse": "away", "parts": [], "variance": None, "baseline": None,
       "yardstick": "", "detail": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "absence"),
    [
        ("labels pending", Absence.LABELS_PENDING),
        ("no baseline: its bins have other edges; profile it again on the new ones", Absence.NO_BASELINE),
        ("no rows: no decisions of this group", Absence.NO_ROWS),
        ("all null", Absence.ALL_NULL),
        ("no spread on the baseline: mean 5.1 -> 6.1", Absence.NO_SPREAD),
        ("not logged: no scores", Absence.NOT_LOGGED),
        ("too few rows: 12 positive labels, 50 are needed", Absence.TOO_FEW),
        ("check failed: ValueError: fewer bins than edges", Absence.CHECK_FAILED),
    ],
)
def test_a_measurement_stored_by_an_older_release_is_read_with_the_absence_that_its_words_begin_with(words, absence):
    read = Measurement.model_validate_json(json.dumps({**OLD, "why_not": words}))
    assert (read.absence, read.why_not) == (absence, words)
    assert Measurement.model_validate_json(read.model_dump_json()) == read


def test_a_stored_measurement_with_a_value_has_no_absence():
    assert Measurement.model_validate_json(json.dumps({**OLD, "value": 0.2, "why_not": ""})).absence is None
