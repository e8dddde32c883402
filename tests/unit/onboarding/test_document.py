"""The YAML and the suite that init writes: valid whatever the log is called, and silent about its own reference."""

import json

import pandas as pd
import pytest
import yaml

from tests.unit.onboarding.made_log import calls, drafted
from vigil.config.load import load_monitor
from vigil.onboarding.document import Answers, Facts, document
from vigil.onboarding.suite import suite
from vigil.profiles.layout import FeatureType

ADA = Answers(owner="ada@example.com", favourable="yes", groups={"age_band": "26_to_59", "marital_status": "married"})


def written(tmp_path, frame=None, answers=ADA, facts=None, **asked):
    path = tmp_path / "calls.yaml"
    found = drafted(calls() if frame is None else frame, **asked)
    path.write_text(document(found, answers, facts or Facts(), schema="s.json"))
    return load_monitor(path), path.read_text()


def test_the_draft_is_a_valid_monitor_that_says_what_was_understood(tmp_path):
    monitor, text = written(tmp_path, timezone="Europe/Lisbon")
    assert monitor.model == "calls"
    assert monitor.timezone == monitor.source.served_at.timezone == "Europe/Lisbon"
    assert monitor.source.served_at.format == "%d.%m.%Y %H:%M"
    assert (monitor.source.score_scale, monitor.decision.threshold) == (100, 0.4)
    assert (monitor.decision.favourable, monitor.decision.deserving) == ("yes", "yes")
    assert {p.attribute: p.reference for p in monitor.protected} == dict(ADA.groups)
    assert monitor.people.owner == "ada@example.com"
    assert monitor.labels.delay_nights == 2
    assert "no offset in the values: check the time zone" in text


def test_the_answer_that_is_good_for_the_person_turns_what_is_deserved(tmp_path):
    monitor, _ = written(tmp_path, answers=ADA.model_copy(update={"favourable": "no"}))
    assert (monitor.decision.favourable, monitor.decision.deserving) == ("no", "no")


NASTY = [
    "yes",
    "null",
    "1e3",
    "a: b",
    "x # y",
    "it's",
    '"q"',
    "- z",
    "{{ y }}",
    "Größe €",
    "line\nbreak",
    "*star",
    "%p",
    " s ",
]


@pytest.mark.parametrize("name", NASTY)
def test_a_column_may_be_called_what_it_likes(tmp_path, name):
    monitor, text = written(tmp_path, calls(**{name: [f"{n * 1.7 % 50:.2f}" for n in range(600)]}))
    assert name in monitor.features
    assert yaml.safe_load(text)["features"][name] == "numeric"


@pytest.mark.parametrize("name", NASTY)
def test_a_column_that_is_left_out_may_be_called_what_it_likes_too(tmp_path, name):
    monitor, _ = written(tmp_path, calls(**{name: ["EUR: x\n# {{ y }}"] * 600}))
    assert name not in monitor.features


def test_an_ambiguous_format_names_the_other_one(tmp_path):
    days = [f"{1 + n // 100:02d}/{1 + n // 200:02d}/2026" for n in range(600)]
    _, text = written(tmp_path, calls(called_on=days))
    assert "%m/%d/%Y would read all values too: correct `format:` if it is that one" in text


# the suite


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame({"income": [float(n) for n in range(100)], "city": ["Bonn", "Ulm"] * 50, **columns})


def expectations(reference, features=None, rows_a_night=100):
    kinds = features or {"income": FeatureType.NUMERIC, "city": FeatureType.CATEGORY}
    made = suite("calls", reference, kinds, rows_a_night=rows_a_night)
    assert json.loads(json.dumps(made)) == made
    return {(e["type"], e["kwargs"].get("column")): e for e in made["expectations"]}


def test_a_range_has_room_and_what_was_never_negative_stays_so():
    found = expectations(frame())["expect_column_values_to_be_between", "income"]["kwargs"]
    assert (found["min_value"], found["max_value"]) == (0, 149)
    below = expectations(frame(income=[float(n) - 50 for n in range(100)]))
    assert below["expect_column_values_to_be_between", "income"]["kwargs"]["min_value"] < -50


def test_levels_are_those_of_the_reference_and_no_set_is_made_of_very_many():
    found = expectations(frame())["expect_column_values_to_be_in_set", "city"]["kwargs"]
    assert found["value_set"] == ["Bonn", "Ulm"]
    assert ("expect_column_values_to_be_in_set", "city") not in expectations(frame(city=[f"c{n}" for n in range(100)]))


def test_a_column_with_gaps_may_keep_them_and_one_that_is_mostly_gaps_is_not_asked():
    key = ("expect_column_values_to_not_be_null", "income")
    some = expectations(frame(income=[None if n % 5 == 0 else 1.0 for n in range(100)]))
    assert some[key]["kwargs"]["mostly"] == 0.68
    assert key not in expectations(frame(income=[None if n % 5 else 1.0 for n in range(100)]))


def test_a_number_that_never_changes_gets_room_and_one_that_is_no_number_gets_no_range():
    key = ("expect_column_values_to_be_between", "income")
    assert expectations(frame(income=[5.0] * 100))[key]["kwargs"]["max_value"] == 10
    assert key not in expectations(frame(income=["1"] * 99 + ["EUR 2"]))


def test_columns_and_rows_of_a_night_are_gates():
    found = expectations(frame(), rows_a_night=400)
    assert found["expect_table_row_count_to_be_between", None]["kwargs"]["min_value"] == 40
    assert found["expect_table_columns_to_match_set", None]["kwargs"]["column_set"][-2:] == ["income", "city"]
    assert found["expect_table_row_count_to_be_between", None]["meta"]["vigil"]["gate"]
