"""A limit is a value; its words are made at the edge, and those that older releases stored are read back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.verdicts.made_numbers import NIGHT, moved, night
from vigil.metrics.reasons import Absence
from vigil.usecases.tune import Knob, _made_by
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.limits import HARD_FAILURE, Bound, Limit, LimitKind
from vigil.verdicts.notes import NoteKind
from vigil.verdicts.older_releases import limit_of_older_release, note_of_older_release
from vigil.verdicts.types import NightResult, Rule, Rules, State, Verdict

OLD = sorted((Path(__file__).parent / "older_results").glob("*.json"))
few_digits = st.integers(-999, 999).map(lambda n: n / 100)
bounds = st.builds(Bound, side=st.sampled_from("<>"), limit=few_digits)
counts = st.integers(5, 400)
limits = st.one_of(
    st.builds(Limit, kind=st.sampled_from([LimitKind.BREACH, LimitKind.WARN, LimitKind.HARD]), bound=bounds),
    st.builds(Limit, kind=st.just(LimitKind.HOLDOUT), bound=bounds, baseline=few_digits, allowed=few_digits),
    st.builds(Limit, kind=st.just(LimitKind.HOLDOUT), allowed=few_digits),
    st.builds(
        Limit,
        kind=st.sampled_from([LimitKind.SIGMA, LimitKind.QUANTILE]),
        level=st.integers(1, 99).map(lambda n: n / 100),
        nights=counts,
        called=st.sampled_from(["nights", "Mondays", "weekday nights"]),
    ),
    st.builds(Limit, kind=st.just(LimitKind.SURPRISE), level=st.integers(1, 499).map(lambda n: n / 1000)),
    st.builds(Limit, kind=st.just(LimitKind.OBJECTIVE), level=st.sampled_from([0.9, 0.995, 0.999]), nights=counts),
    st.builds(Limit, kind=st.just(LimitKind.COVERAGE), bound=bounds, nights=counts),
    st.builds(
        Limit,
        kind=st.just(LimitKind.EXPECTATION),
        severity=st.sampled_from(["critical", "warning", "info"]),
        gate=st.booleans(),
    ),
    st.just(HARD_FAILURE),
    st.just(Limit(kind=LimitKind.COHORTS)),
)


@given(limits)
def test_a_limit_that_was_stored_as_text_is_read_as_the_same_kind_with_the_same_words(limit):
    read = limit_of_older_release(str(limit))
    assert (read.kind, read.side, str(read)) == (limit.kind, limit.side, str(limit))
    assert (read.gate, read.nights) == (limit.gate, limit.nights)


@given(limits)
def test_a_stored_limit_comes_back_as_it_was(limit):
    assert Limit.model_validate_json(limit.model_dump_json()) == limit


@pytest.mark.parametrize("kind", LimitKind)
def test_every_kind_has_words(kind):
    assert Limit(kind=kind, bound="< 0.8", level=0.1, nights=7, baseline=0.9, allowed=0.1, severity="info").words()


def test_a_limit_of_a_share_is_written_as_its_reader_writes_shares():
    assert Limit(kind=LimitKind.WARN, bound="< 0.98").words("{:.0%}".format) == "warn < 98%"


def test_the_text_of_a_surprise_verdict_on_few_rows_of_an_older_release_is_read():
    assert limit_of_older_release("surprise at").kind is LimitKind.SURPRISE


def test_a_hard_failure_blames_no_hard_bound():
    knob = Knob(key="rules.quality.0.hard", kind="bound", about="missing", was=0.5, now=0.5)
    null = Verdict(metric="missing", subject="age", family="quality", state="breach", reason="", limit=HARD_FAILURE)
    assert not _made_by(null, knob)
    assert _made_by(null.model_copy(update={"limit": Limit(kind=LimitKind.HARD, bound="> 0.5")}), knob)


def test_what_an_older_release_called_odd_yesterday_is_confirmed_tonight():
    past = [night(n, moved(0.0 + n % 2 / 100)) for n in range(30, 1, -1)]
    odd = {"metric": "mean_shift", "subject": "age", "family": "drift", "state": "warn", "reason": "odd"}
    stored = json.dumps({**odd, "limit": "5 sigma of 28 nights"})
    yesterday = night(1, verdicts=(Verdict.model_validate_json(stored),))
    rules = Rules(drift=(Rule(metric="mean_shift", sigma=5),))
    (found,) = judge([moved(3.0)], rules, [*past, yesterday], Facts(night=NIGHT, as_of=NIGHT))
    assert found.state is State.BREACH


@pytest.mark.parametrize("path", OLD, ids=lambda p: p.stem)
def test_a_result_of_an_older_release_is_read_with_its_limits_and_notes(path):
    text = path.read_text()
    result = NightResult.model_validate_json(text)
    assert all(f'"limit":"{v.limit}"' in text for v in result.verdicts if v.limit is not None)
    assert {v.metric for v in result.verdicts if v.limited_by(LimitKind.EXPECTATION)} <= {"expectation"}
    assert all(f'"{note}"' in text for note in result.notes)
    assert NightResult.model_validate_json(result.model_dump_json()) == result


def test_the_old_results_have_every_form_that_a_night_stores():
    results = [NightResult.model_validate_json(path.read_text()) for path in OLD]
    kinds = {v.limit.kind for r in results for v in r.verdicts if v.limit}
    assert kinds >= {LimitKind.BREACH, LimitKind.HOLDOUT, LimitKind.SIGMA, LimitKind.OBJECTIVE}
    assert kinds >= {LimitKind.HARD_FAILURE, LimitKind.EXPECTATION}
    assert {note.kind for r in results for note in r.notes} == {NoteKind.GATE_FAILED}
    assert {m.absence for r in results for m in r.measurements} >= {Absence.LABELS_PENDING, Absence.NOT_LOGGED}


@pytest.mark.parametrize(
    ("text", "kind", "doubts"),
    [
        ("gate failed: table_row_count_to_be_between(all)", NoteKind.GATE_FAILED, True),
        ("b.parquet could not be read: it has no footer", NoteKind.UNREADABLE_FILE, True),
        ("no service on Sundays: as `serves:` says", NoteKind.REMARK, False),
    ],
)
def test_a_note_of_an_older_release_is_read_with_its_kind(text, kind, doubts):
    note = note_of_older_release(text)
    assert (note.kind, note.doubts, str(note)) == (kind, doubts, text)
