"""The StageNotes port: what a stage left is what the next one finds; files of older releases are read."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.file_notes import FileNotes
from vigil.core.errors import DataError
from vigil.intake.odd_times import OddTime
from vigil.ports import NoteKind, QualityOutcome, TrafficCount, Unread
from vigil.profiles.row_ledger import Elsewhere, Place
from vigil.usecases.ingest import Held, Ingested, LabelRows
from vigil.usecases.night.notes import (
    IntakeNote,
    NoBaseline,
    ProblemNote,
    RowsNote,
    SchemaProblem,
    SuiteNote,
    TrafficNote,
)

MODEL, NIGHT = "credit", date(2026, 11, 20)
KINDS = (ProblemNote, IntakeNote, TrafficNote, SuiteNote, RowsNote)
VERDICT = {
    "metric": "expectation", "subject": "suite", "family": "quality", "state": "unknown", "cause": "check failed",
    "reason": "suite: check failed", "overdue": True,
}  # fmt: skip
INTAKE = Ingested(
    rows=9, new=5, known=1, rejected=1, examples=("a.csv, row 4: asked_on is no time",), first=NIGHT, last=NIGHT,
    held=(Held(origin="a.csv", why=OddTime.FUTURE, rows=2, first=NIGHT, last=NIGHT, others=(NIGHT, NIGHT)),),
    unread=(Unread(origin="b.csv", why="it is torn"),), labels=LabelRows(rows=3, new=2, undated=1),
)  # fmt: skip
ELSEWHERE = Elsewhere(own=40, places={Place.OTHER_NIGHT: 2, Place.OTHER_ENVIRONMENT: 1}, environments={"staging": 1})
OLD_INTAKE = {
    "rows": 9, "new": 5, "known": 1, "conflicting": 0, "excluded": 0, "rejected": 1,
    "held": [{"origin": "a.csv", "why": "future", "rows": 2, "first": "2026-11-20", "last": "2026-11-20",
              "others": ["2026-11-20", "2026-11-20"], "outcomes": False}],
    "unread": [{"origin": "b.csv", "why": "it is torn"}],
    "labels": {"rows": 3, "new": 2, "known": 0, "unlabelled": 0, "unnamed": 0, "undated": 1, "held": 0},
    "outcomes": 0, "examples": ["a.csv, row 4: asked_on is no time"], "earlier": 0, "first": "2026-11-20",
    "last": "2026-11-20",
}  # fmt: skip


@pytest.fixture
def artifacts(tmp_path):
    return FileArtifacts(tmp_path / "artifacts", "http://127.0.0.1:1")


@pytest.fixture
def notes(artifacts):
    return FileNotes(artifacts)


@pytest.mark.parametrize(
    "note",
    [
        ProblemNote(content=None),
        ProblemNote(content=NoBaseline(why="promote a version once")),
        ProblemNote(content=SchemaProblem(why="income is text", digest="d")),
        IntakeNote(content=INTAKE),
        TrafficNote(content=TrafficCount(requests=7)),
        TrafficNote(content=TrafficCount(why_not="nobody answered")),
        SuiteNote(rows="4f2a", content=QualityOutcome(verdicts=(VERDICT,), failed_gates=("g",), docs_url="u")),
        RowsNote(rows="4f2a", content=ELSEWHERE),
    ],
    ids=lambda note: f"{note.kind.value}",
)
def test_what_was_left_is_found(notes, note):
    for _ in range(2):
        notes.put(MODEL, NIGHT, note)
        assert notes.get(MODEL, NIGHT, type(note), rows=note.rows) == note
    assert notes.get("other", NIGHT, type(note), rows=note.rows) is None


@given(st.dictionaries(st.sampled_from(["a1", "b2", "c3", ""]), st.integers(0, 99), max_size=4))
def test_notes_of_other_rows_are_other_notes_and_the_last_one_counts(tmp_path_factory, left):
    notes = FileNotes(FileArtifacts(tmp_path_factory.mktemp("notes"), "http://127.0.0.1:1"))
    for rows, own in left.items():
        notes.put(MODEL, NIGHT, RowsNote(rows=rows, content=Elsewhere(own=own + 1)))
        notes.put(MODEL, NIGHT, RowsNote(rows=rows, content=Elsewhere(own=own)))
    found = {rows: notes.get(MODEL, NIGHT, RowsNote, rows=rows) for rows in left}
    assert {rows: note and note.content.own for rows, note in found.items()} == left


@pytest.mark.parametrize(
    ("file", "text", "kind", "rows", "content"),
    [
        ("problem.json", "{}", ProblemNote, "", None),
        ("problem.json", '{"why": "no bin edges", "kind": "no baseline"}', ProblemNote, "",
         NoBaseline(why="no bin edges")),
        ("problem.json", '{"why": "income is text", "kind": "schema", "digest": "d"}', ProblemNote, "",
         SchemaProblem(why="income is text", digest="d")),
        ("intake.json", json.dumps(OLD_INTAKE), IntakeNote, "", INTAKE),
        ("intake.json", '{"rows": 3, "new": 2, "rejected": 1}', IntakeNote, "", Ingested(rows=3, new=2, rejected=1)),
        ("traffic.json", '{"requests": 7, "why_not": ""}', TrafficNote, "", TrafficCount(requests=7)),
        ("quality-4f2a.json", json.dumps({"verdicts": [VERDICT], "failed_gates": ["g"], "docs_url": None}), SuiteNote,
         "4f2a", QualityOutcome(verdicts=(VERDICT,), failed_gates=("g",))),
        ("rows-4f2a.json", '{"own": 40, "places": {"other_night": 2, "other_environment": 1}, '
         '"environments": {"staging": 1}}', RowsNote, "4f2a", ELSEWHERE),
    ],
)  # fmt: skip
def test_a_note_of_an_older_release_is_read(artifacts, notes, file, text, kind, rows, content):
    artifacts.path(MODEL, NIGHT, file).write_text(text)
    found = notes.get(MODEL, NIGHT, kind, rows=rows)
    assert found is not None
    assert found.content == content


def test_each_kind_of_note_has_its_type():
    assert {kind.model_fields["kind"].default for kind in KINDS} == set(NoteKind)


def test_a_note_that_was_cut_short_is_named_with_what_to_do(artifacts, notes):
    path = artifacts.path(MODEL, NIGHT, "traffic.json")
    path.write_text('{"kind": "traffic", "content": {"requ')
    with pytest.raises(
        DataError, match=r"traffic\.json cannot be read as a note of the night .*delete it and run"
    ) as e:
        notes.get(MODEL, NIGHT, TrafficNote)
    assert "`vigil night credit 2026-11-20`" in str(e.value)


def test_a_note_of_another_kind_is_refused(artifacts, notes):
    notes.put(MODEL, NIGHT, TrafficNote(content=TrafficCount(requests=7)))
    path = artifacts.path(MODEL, NIGHT, "traffic.json")
    path.rename(path.with_name("problem.json"))
    with pytest.raises(DataError, match=r"problem\.json cannot be read"):
        notes.get(MODEL, NIGHT, ProblemNote)
