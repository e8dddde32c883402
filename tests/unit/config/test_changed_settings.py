"""Other settings for a trial: a dotted key finds its place, or is told what was probably meant."""

import re

import pytest

from vigil.config.change import changed
from vigil.core.errors import MonitorError
from vigil.verdicts.defaults import drift_rules

RAW = {
    "task": "binary",
    "features": {"income": "numeric"},
    "rules": {"quality": [{"metric": "missing", "breach": "> 0.1"}, {"metric": "missing", "subjects": ["income"]}]},
}


def test_a_place_in_a_list_is_its_number_or_its_metric_and_the_file_stays_as_it_was():
    made = changed(RAW, ["rules.quality.0.breach=> 0.2", "labels.delay_nights=3"])
    assert made["rules"]["quality"][0]["breach"] == "> 0.2"
    assert made["labels"] == {"delay_nights": 3}
    assert RAW["rules"]["quality"][0]["breach"] == "> 0.1"


def test_drift_rules_that_a_file_does_not_write_are_the_default_ones():
    made = changed(RAW, ["rules.drift.position_shift.floor=0.1"])
    assert {"metric": "position_shift", "surprise": True, "floor": 0.1} in made["rules"]["drift"]
    assert len(made["rules"]["drift"]) > 3


def test_a_feature_that_moves_with_each_night_is_asked_for_its_nulls_alone():
    features = {"income": "numeric", "rate": "numeric", "season": "category"}
    without = {"without": ["rate", "season", "class_shift"]}
    said = {**RAW, "features": features, "protected": [{"attribute": "sex"}], "surprise": without}
    rules = {rule["metric"]: rule.get("without", []) for rule in drift_rules(said)}
    assert rules["position_shift"] == rules["group_position_shift"] == ["rate", "season"]
    assert rules["missing_shift"] == rules["group_missing_shift"] == rules["group_share_shift"] == []
    assert not {"level_shift", "group_level_shift", "class_shift"} & rules.keys()  # nothing is left to ask


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("ruls.quality.0.breach=1", "unknown key 'ruls' at the top level; did you mean 'rules'?"),
        ("rules.quality.0.breech=1", "unknown key 'breech' in rules.quality.0; did you mean 'breach'?"),
        ("rules.quality.7.breach=1", "rules.quality: index out of range (0 to 1)"),
        ("rules.quality.missing.breach=1", "has 2 items named 'missing'; use an index: 0 or 1"),
        ("rules.drift.mean_shfit.sigma=1", "rules.drift has no item named 'mean_shfit'"),
        ("task.kind=1", "task is the value 'binary'; it has no keys"),
        ("sigma", "write KEY=VALUE"),
    ],
)
def test_what_cannot_be_set_is_said(setting, says):
    with pytest.raises(MonitorError, match=re.escape(says)):
        changed(RAW, [setting])
