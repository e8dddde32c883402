"""Faults as people write them, what they are told where they are wrong, and the truth that is kept of them."""

from datetime import date

import pytest

from vigil.core.errors import DataError
from vigil.simulation.faults import Fault, Known, parse, trial
from vigil.simulation.marginals import Made, shift_for, stretch_for
from vigil.simulation.regimes import FaultKind, load

KNOWN = Known(features=load().features, groups=tuple(load().population.groups), nights=60)


@pytest.mark.parametrize(
    ("text", "kind", "feature", "group", "size", "until"),
    [
        ("mean:amount:0.5@50", "mean", "amount", None, 0.5, None),
        ("mean:amount:-0.5@50", "mean", "amount", None, -0.5, None),
        ("mean:amount@50", "mean", "amount", None, 0.5, None),
        ("subgroup:amount:abroad:0.25@50", "subgroup", "amount", "abroad", 0.25, None),
        ("subgroup:amount:abroad@50-52", "subgroup", "amount", "abroad", 0.5, 52),
        ("nulls:channel:0.03@50", "nulls", "channel", None, 0.03, None),
        ("outage:1@50-50", "outage", None, None, 1.0, 50),
        ("unit_change:income:1e3@50", "unit_change", "income", None, 1000.0, None),
        ("bad_version@50", "bad_version", None, None, 0.5, None),
    ],
)
def test_a_fault_is_read_as_it_is_written_and_takes_the_usual_size(text, kind, feature, group, size, until):
    assert parse(text, KNOWN) == Fault(kind=kind, feature=feature, group=group, size=size, onset=50, until=until)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mean:amount:0.5", "write KIND[:FEATURE][:GROUP][:SIZE]@ONSET"),
        ("maen:amount:0.5@50", "did you mean 'mean'?"),
        ("mean:amuont:0.5@50", "did you mean 'amount'?"),
        ("mean:channel:0.5@50", "'channel' is category, the fault is for one that is numeric"),
        ("mix:amount:0.05@50", "'amount' is numeric, the fault is for one that is category"),
        ("mean@50", "say which feature"),
        ("subgroup:amount:0.5@50", "say which group; there are urban, rural, abroad"),
        ("subgroup:amount:abraod:0.5@50", "did you mean 'abroad'?"),
        ("mean:amount:urban:0.5@50", "'urban' is too much; a mean fault is mean:FEATURE[:SIZE]@ONSET[-LAST]"),
        ("mean:amount:0.5@60", "it begins after the last night; nights are 0 to 59"),
        ("mean:amount:0.5@50-49", "ends on night 49, before it begins on 50"),
        ("nulls:amount:3@50", "size 3 (share) must lie in 0.001 to 1"),
        ("latency:1@50", "must lie in 0.1 to 1000, and change something"),
        ("mean:amount:0@50", "and change something"),
        ("mean:amount:0.5@fifty", "write KIND"),
    ],
)
def test_a_fault_that_is_none_is_refused_with_what_to_write(text, told):
    with pytest.raises(DataError) as refused:
        parse(text, KNOWN)
    assert told in str(refused.value)
    assert text in str(refused.value)


def test_the_truth_names_the_night_and_what_should_come_of_it():
    fault = parse("bad_version:0.5@50-55", KNOWN)
    assert fault.truth(date(2026, 1, 5), 60) == {
        "fault": "bad_version", "feature": None, "group": None, "onset": "2026-02-24", "onset_night": 50,
        "until": "2026-03-01", "size": 0.5, "unit": "share", "expected_incident": True, "expected_action": "rollback",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "grave"),
    [
        ("mean:amount:0.1@50", False), ("mean:amount:-0.5@50", True), ("scale:amount:0.5@50", True),
        ("scale:amount:1.1@50", False), ("unit_change:amount:0.01@50", True),
        ("gradual:amount:0.02@50", False), ("gradual:amount:0.02@40", True), ("gradual:amount:0.02@40-45", False),
    ],
)  # fmt: skip
def test_a_fault_too_small_to_matter_expects_neither_an_incident_nor_an_action(text, grave):
    truth = parse(text, KNOWN).truth(date(2026, 1, 5), 60)
    assert truth["expected_incident"] is grave
    assert grave or truth["expected_action"] == "none"


def test_many_seeds_play_a_trial_on_every_feature_it_can_be_about():
    assert {trial("mean_0.25", seed=n, onset=5).feature for n in range(15)} == set(load().numeric)
    assert {trial("nulls_3_points", seed=n, onset=5).feature for n in range(20)} == set(load().features)
    one = trial("subgroup_8_0.5", seed=0, onset=5)
    assert (one.group, one.onset, one.until) == ("abroad", 5, 14)
    with pytest.raises(DataError, match=r"did you mean 'mean_0\.25'"):
        trial("mean_0.26", seed=0, onset=5)


@pytest.mark.parametrize("name", list(load().numeric))
def test_every_numeric_feature_can_move_as_far_as_the_trials_want(name):
    marginal = Made(load().numeric[name])
    for one in load().trials.values():
        if one.kind in (FaultKind.MEAN, FaultKind.SUBGROUP):
            assert shift_for(marginal, one.size, name) > 0
        if one.kind is FaultKind.GRADUAL:
            assert shift_for(marginal, one.size * one.nights, name) > 0
        if one.kind is FaultKind.SCALE:
            assert stretch_for(marginal, one.size, name)[0] > 1


def test_a_move_that_the_values_of_a_feature_do_not_allow_is_refused_with_what_is_possible():
    with pytest.raises(DataError, match=r"rating cannot move by 3 sd .*; 1\.\d sd is possible"):
        shift_for(Made(load().numeric["rating"]), 3, "rating")
