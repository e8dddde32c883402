"""Every row and every label that the door saw is taken, known before, or named with why it was not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.usecases.intake_stage import NIGHT, append, loans, monitor, stores
from vigil.usecases.ingest import Ingested, ingest
from vigil.usecases.without_rules import rejected

TIMES = ("2026-11-20 09:00", "2026-11-20 10:00", "soon", None)
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", None]),
        st.sampled_from(TIMES),
        st.sampled_from(["ours", "ours", "theirs"]),
        st.sampled_from(["paid", "default", None]),
        st.sampled_from([*TIMES, "2026-11-21 09:00"]),
    ),
    min_size=1,
    max_size=15,
)


def readable(values) -> bool:
    return any(v and v.startswith("2026") for v in values)


def summed(told: Ingested) -> tuple[int, int]:
    return (
        told.new + told.known + told.rejected + told.others,
        told.outcomes + told.known_outcomes + told.unlabelled + told.rejected_outcomes,
    )


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(rows)
def test_what_became_of_rows_and_labels_adds_up_to_those_that_were_there(made):
    ours = [m for m in made if m[2] == "ours"]
    if not readable(m[4] for m in ours if readable([m[1]])):
        return  # a column without a single time is refused
    ids, times, whose, labels, seen = zip(*made, strict=True)
    inside = {"label": "truth", "observed_at": {"column": "known_on"}}
    apart = {**inside, "where": "truth.csv", "prediction_id": "ref"}
    log = loans(len(made)).assign(ref=ids, asked_on=times, model=whose, truth=labels, known_on=seen)
    for outcomes in (inside, apart):
        watched = monitor(source={"only": {"model": "ours"}, "outcomes": outcomes})
        with TemporaryDirectory() as home:
            append(Path(home) / "loans.csv", log)
            log[["ref", "truth", "known_on"]].to_csv(Path(home) / "truth.csv", index=False)
            opened = stores(Path(home))
            told = ingest(opened, watched, NIGHT, NIGHT)
            again = ingest(opened, watched, NIGHT, NIGHT, again=True)
        assert (told.rows, told.others) == (len(made), whose.count("theirs"))
        assert summed(told) == (told.rows, told.outcome_rows)
        assert summed(again) == (again.rows, again.outcome_rows)
        assert (again.new, again.outcomes) == (0, 0)
        assert told.outcome_rows == (len(made) if outcomes is apart else told.new + told.known)


def test_a_label_without_an_id_or_a_time_is_named_and_warns_on_the_night(tmp_path):
    watched = monitor(
        source={"outcomes": {"where": "truth.csv", "label": "truth", "prediction_id": "ref",
                             "observed_at": {"column": "known_on"}}}
    )  # fmt: skip
    append(tmp_path / "loans.csv", loans(4))
    pd.DataFrame(
        {"ref": ["00000", None, "00002", "00003"], "truth": ["paid", "paid", "default", None],
         "known_on": ["2026-11-21", "2026-11-21", "soon", "2026-11-21"]}
    ).to_csv(tmp_path / "truth.csv", index=False)  # fmt: skip
    told = ingest(stores(tmp_path), watched, NIGHT, NIGHT)
    assert (told.outcome_rows, told.outcomes, told.unlabelled, told.rejected_outcomes) == (4, 1, 1, 2)
    assert told.examples == (
        "truth.csv, row 2: it has a label and no id",
        "truth.csv, row 3: it has a label, and known_on is no time",
    )
    (warned,) = rejected(told.model_dump(mode="json"))
    assert warned.reason.startswith("2 of 4 labels of the source were not taken: truth.csv, row 2")
