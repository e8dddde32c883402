"""Real rows in a home that `vigil init` made: the laws that `make bench-field` measures at length, on a few nights."""

import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from field_data import STREAMS
from field_faults import Fault, Kind, anew, run
from field_measure import compared, coverage, endless
from field_play import Home, Past, Rehearsal
from field_report import bars

from vigil.core.words import Family
from vigil.incidents.types import Finding, Incident, Severity, Signal, Status
from vigil.verdicts.types import Cause, NightResult, State, Verdict

FIRST = date(2025, 3, 3)


def small(name, nights, a_night):
    """The first rows of the first nights of a stream."""
    stream = STREAMS[name]()
    days = stream.days[:nights]
    return replace(stream, rows=stream.rows[stream.rows["day"].isin(days)].groupby("day").head(a_night))


def verdict(metric, subject, state, *, family=Family.DRIFT, cause=None):
    return Verdict(metric=metric, subject=subject, family=family, state=state, cause=cause, reason="because")


def result(day, *verdicts):
    return NightResult(
        monitor="field", environment="production", night=FIRST + timedelta(days=day), partition_digest="",
        config_digest="", edges_digest="", rows=100, verdicts=verdicts,
    )  # fmt: skip


def incident(*findings, status=Status.OPEN, opened=0):
    night = FIRST + timedelta(days=opened)
    return Incident(
        id="i", monitor="field", environment="production", status=status, severity=Severity.SEV3,
        opened_at=datetime(2025, 3, 4, tzinfo=UTC), opened_night=night, last_bad_night=night, findings=findings,
    )  # fmt: skip


def finding(day, said):
    night = FIRST + timedelta(days=day)
    signal = Signal(fingerprint=said.id, night=night, verdict=said)
    return Finding(family=said.family, first_night=night, last_night=night, signals=(signal,))


BAD = verdict("missing", "income", State.BREACH, family=Family.QUALITY)


def test_a_drift_question_counts_as_judged_from_the_fifteenth_night_on_and_never_while_labels_are_pending():
    pending = verdict("label_drift", "all", State.UNKNOWN, cause=Cause.LABELS_PENDING)
    blind = verdict("mean_shift", "income", State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS)
    good = verdict("mean_shift", "age", State.OK)
    told = coverage([*(result(n, blind) for n in range(14)), *(result(n, blind, good, pending) for n in range(14, 18))])
    assert (told["judged"], told["due"], told["why"]) == (4, 8, {"too few past nights": 4})


@pytest.mark.parametrize(
    ("bad_on", "status", "without_end"),
    [
        (range(20), Status.OPEN, True),  # bad since the first night, and nothing new since
        ((0, 1, 15), Status.OPEN, False),  # bad anew four nights ago
        ((0, 1), Status.RESOLVED, False),
    ],
)
def test_an_incident_is_without_end_when_it_is_open_long_after_anything_new(bad_on, status, without_end):
    well = BAD.model_copy(update={"state": State.OK})
    past = [result(n, BAD if n in bad_on else well) for n in range(20)]
    assert bool(endless(Past(tuple(past), (incident(finding(0, BAD), status=status),)))) is without_end


def test_people_are_told_anew_by_a_finding_that_begins_with_the_fault_and_not_by_one_that_it_joins():
    fault = Fault(Kind.NULLS, "income", 0.05)
    nights = [FIRST + timedelta(days=n) for n in range(10, 15)]
    joined = finding(10, BAD).model_copy(update={"first_night": FIRST})
    assert list(anew(incident(joined), fault, nights, set())) == []
    assert list(anew(incident(joined, finding(11, BAD)), fault, nights, set())) == [2]


@pytest.mark.parametrize(
    ("fault", "question", "concerned"),
    [
        (Fault(Kind.SHIFT, "age", 0.5), "mean_shift/age", True),
        (Fault(Kind.SHIFT, "age", 0.5), "equal_opportunity/age_band=60_or_over", False),
        (Fault(Kind.NULLS, "age", 0.05), "expectation/column_values_to_not_be_null(age)", True),
        (Fault(Kind.SUBGROUP, "pay", 0.5, group=("age_band", "young")), "group_level_shift/job:a|age_band=young", True),
        (Fault(Kind.OUTAGE), "volume/all", True),
        (Fault(Kind.OUTAGE), "mean_shift/volume", False),
    ],
)
def test_a_question_concerns_a_fault_when_it_names_what_is_broken(fault, question, concerned):
    assert fault.concerns(question) is concerned


def test_a_fault_changes_what_it_says_and_nothing_else():
    rows = STREAMS["calls"]().rows.drop(columns="day").head(2000)
    rng = np.random.default_rng(0)
    shifted = Fault(Kind.SUBGROUP, "age", 0.5, group=("marital_status", "single")).changed(rows, 10.0, rng)
    moved = (shifted["age"] - rows["age"]).groupby(rows["marital_status"]).mean()
    assert moved["single"] == 5.0
    assert moved.drop("single").eq(0).all()
    other = Fault(Kind.CATEGORY, "housing_loan", levels=("yes", "no")).changed(rows, 0.0, rng)
    shares = other["housing_loan"].value_counts(normalize=True) - rows["housing_loan"].value_counts(normalize=True)
    assert shares["no"] == pytest.approx(0.10)
    assert shares["yes"] == pytest.approx(-0.10)
    nulls = Fault(Kind.NULLS, "job", 0.05).changed(rows, 0.0, rng)["job"].isna().mean()
    assert nulls == pytest.approx(0.05, abs=0.02)
    for made in (shifted, other):
        pd.testing.assert_frame_equal(
            made.drop(columns=["age", "housing_loan"]), rows.drop(columns=["age", "housing_loan"])
        )


def test_a_job_that_failed_fails_its_bar():
    told = [{"kind": kind, "job": kind, "stream": "credit", "failed": "no"} for kind in ("stream", "ways", "faults")]
    made = bars(told)
    assert {b["what"].split(",")[0] for b in made} >= {"drift questions judged after night 14"}
    assert not any(b["holds"] for b in made)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute on a machine of its own
def test_one_log_gets_equal_verdicts_from_a_backfill_a_backtest_and_night_by_night_and_a_fault_is_found(tmp_path):
    stream = small("calls", 6, 60)
    home = Home(tmp_path / "home", stream).whole_log()
    home.onboarded(0)
    told = compared(home, tmp_path, {})
    assert told["verdicts"] > 0
    assert {way: d["examples"] for way, d in told["differs"].items()} == {"backfill": [], "nightly": []}
    assert all(told["why"].values())
    files = sorted(p.read_bytes() for p in home.settings.predictions_dir.rglob("*.parquet"))
    rehearsal = Rehearsal(home, tmp_path / "kept")
    before = rehearsal.play(stream.nights[:4]).past(stream.nights[:4])
    assert run(rehearsal, before, Fault(Kind.NULLS, "job", 0.6), 4)["found"] == 1
    assert files == sorted(p.read_bytes() for p in home.settings.predictions_dir.rglob("*.parquet"))
