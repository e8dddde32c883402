"""The hour it began is named when the counts say so, and only then."""

import numpy as np

from vigil.diagnosis.onset import clues, onset

WOMEN = "sex=female"


def a_night(rng, *, break_at=None, rows=40, good=0.75, bad=0.35):
    share = [bad if break_at is not None and hour >= break_at else good for hour in range(24)]
    return {str(h): {WOMEN: (rows, int(rng.binomial(rows, share[h])))} for h in range(24)}


def test_a_break_in_the_night_is_dated_to_its_hour():
    found = [onset(a_night(np.random.default_rng(seed), break_at=5), WOMEN) for seed in range(50)]
    assert sum(f is not None and abs(f.hour - 5) <= 1 for f in found) >= 48


def test_a_night_without_a_break_names_no_hour():
    found = [onset(a_night(np.random.default_rng(seed)), WOMEN) for seed in range(300)]
    assert sum(f is not None for f in found) <= 3


def test_a_night_that_was_bad_from_its_first_hour_names_no_hour():
    assert onset(a_night(np.random.default_rng(1), break_at=0), WOMEN) is None


def test_a_handful_of_rows_is_no_evidence():
    assert onset({"3": {WOMEN: (10, 10)}, "9": {WOMEN: (15, 0)}}, WOMEN) is None


def test_a_group_that_nobody_counted_names_no_hour():
    assert onset({}, WOMEN) is None


def test_the_clues_name_hour_and_pipelines():
    told = clues(a_night(np.random.default_rng(3), break_at=5), {"2026.11.1": 300, "2026.11.2": 1200}, (WOMEN,))
    assert "05:00" in told[0].text
    assert told[0].group == WOMEN
    assert "2026.11.2 (1,200 rows)" in told[1].text
    assert told[1].group == ""


def test_one_pipeline_is_no_clue():
    assert clues({}, {"2026.11.1": 300}, ()) == ()
