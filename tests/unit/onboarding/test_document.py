"""The YAML and the suite that init writes: valid whatever the log is called, and silent about its own reference."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.unit.onboarding.made_log import calls, drafted
from vigil.config.load import load_monitor
from vigil.onboarding.columns import DayOrMonth
from vigil.onboarding.document import Answers, Facts, document
from vigil.onboarding.rules import Book, Left, Line
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
    monitor, text = written(tmp_path, calls(**{name: [f"x{n}: #{{{{ y }}}}\n#" for n in range(600)]}))
    assert name not in monitor.features
    assert "an id: another value in nearly every row" in text


def test_log_odds_are_a_scale_of_the_monitor(tmp_path):
    odds = [f"{(n * 37 % 100 - 40) / 10}" for n in range(600)]
    monitor, _ = written(tmp_path, calls(propensity_pct=None, logit=odds))
    assert monitor.source.score_scale == "logit"
    assert written(tmp_path, score_scale="120.5")[0].source.score_scale == 120.5


def test_an_ambiguous_format_names_the_other_one(tmp_path):
    days = [f"{1 + n // 100:02d}/{1 + n // 200:02d}/2026" for n in range(600)]
    _, text = written(tmp_path, calls(called_on=days), dates=DayOrMonth.DAY)
    assert "%m/%d/%Y would fit all values too: correct `format:` if it is the right one" in text


# what the nights of the log say


def test_without_rules_of_its_own_the_default_drift_rules_watch_and_the_page_names_them(tmp_path):
    monitor, text = written(tmp_path)
    assert {r.metric for r in monitor.rules.drift} >= {"position_shift", "level_shift", "group_share_shift"}
    named = " ".join(line.removeprefix("#") for line in text.splitlines() if line.startswith("#   "))
    assert {r.metric for r in monitor.rules.drift} == set(named.replace(",", " ").replace(".", "").split())


def test_features_that_move_with_the_night_and_rules_that_are_not_asked_say_why(tmp_path):
    book = Book(
        lines=(Line(family="quality", rule={"metric": "missing", "breach": "> 0.05"}, note="a\nb"),),
        left=(Left(family="performance", what="auc", why="too few"),),
        without={"job": "a night has one value of it"},
    )
    monitor, text = written(tmp_path, facts=Facts(book=book, serves=("mon", "tue")))
    assert monitor.surprise.without == ("job",)
    assert monitor.serves == ("mon", "tue")
    assert "level_shift" not in {r.metric for r in monitor.rules.drift}  # job is the one category
    assert '- {metric: missing, breach: "> 0.05"}   # a b' in text
    assert "  performance: []\n    # not auc: too few" in text


# the suite


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame({"income": [float(n) for n in range(100)], "city": ["Bonn", "Ulm"] * 50, **columns})


def expectations(*nights, features=None, rows_a_night=1000, **how):
    """(type, column, severity) -> kwargs"""
    kinds = features or {"income": FeatureType.NUMERIC, "city": FeatureType.CATEGORY}
    made = suite("calls", nights, kinds, rows_a_night=rows_a_night, **how)
    assert json.loads(json.dumps(made)) == made
    return {(e["type"].removeprefix("expect_"), e["kwargs"].get("column"), e["severity"]): e["kwargs"]
            for e in made["expectations"]}  # fmt: skip


USUAL = ("column_values_to_be_between", "income", "warning")
POSSIBLE = ("column_values_to_be_between", "income", "critical")
NULLS = ("column_values_to_not_be_null", "income", "critical")
LEVELS = ("column_values_to_be_in_set", "city", "warning")


def test_a_range_has_room_and_what_was_never_negative_stays_so():
    found = expectations(frame())[USUAL]
    assert (found["min_value"], found["max_value"]) == (0, 149)
    below = expectations(frame(income=[float(n) - 50 for n in range(100)]))
    assert below[USUAL]["min_value"] < -50


def test_one_value_that_is_impossible_is_a_breach_and_one_that_is_far_out_is_not():
    rng = np.random.default_rng(1)
    nights = [frame(income=list(rng.normal(1000, 12, 100))) for _ in range(14)]
    found = expectations(*nights, rows_a_night=100)[POSSIBLE]
    assert found["mostly"] == 1.0
    assert 0 < found["min_value"] < 900
    assert 1100 < found["max_value"] < 5503


def test_levels_are_those_of_the_reference_and_no_set_is_made_of_very_many():
    assert expectations(frame())[LEVELS]["value_set"] == ["Bonn", "Ulm"]
    assert LEVELS not in expectations(frame(city=[f"c{n}" for n in range(100)]))


def test_a_column_with_gaps_may_keep_them_and_one_that_is_mostly_gaps_is_not_asked():
    some = frame(income=[None if n % 5 == 0 else 1.0 for n in range(100)])
    assert 0.6 < expectations(some)[NULLS]["mostly"] < 0.7
    assert NULLS not in expectations(frame(income=[None if n % 5 else 1.0 for n in range(100)]))


@pytest.mark.parametrize(("rows", "least", "most"), [(24, 0.6, 0.9), (100_000, 0.95, 0.985)])
def test_a_night_of_few_rows_may_have_more_nulls_by_chance(rows, least, most):
    whole = pd.concat([frame()] * 10)
    assert least < expectations(whole, rows_a_night=rows)[NULLS]["mostly"] <= most


def test_the_worst_night_of_the_reference_is_allowed():
    bad = frame(income=[None] * 30 + [1.0] * 70)
    assert expectations(*[frame()] * 9, bad)[NULLS]["mostly"] < 0.7


def test_a_number_that_never_changes_gets_room_and_one_that_is_no_number_gets_no_range():
    constant = expectations(frame(income=[5.0] * 100))
    assert constant[USUAL]["max_value"] == 10
    assert POSSIBLE not in constant  # nothing says what is possible
    assert USUAL not in expectations(frame(income=["1"] * 99 + ["EUR 2"]))


def test_what_has_one_value_a_night_is_only_asked_for_the_impossible_and_what_grows_for_nothing():
    nightly = expectations(frame(), nightly=["income", "city"])
    assert POSSIBLE in nightly
    assert not {USUAL, LEVELS} & nightly.keys()
    assert not {USUAL, POSSIBLE} & expectations(frame(), moving=["income"]).keys()


def test_columns_and_rows_of_a_night_are_gates():
    made = suite("calls", [frame()], {"income": FeatureType.NUMERIC, "city": FeatureType.CATEGORY}, rows_a_night=400)
    found = {e["type"]: e for e in made["expectations"]}
    assert found["expect_table_row_count_to_be_between"]["kwargs"]["min_value"] == 40
    assert found["expect_table_columns_to_match_set"]["kwargs"]["column_set"][-2:] == ["income", "city"]
    assert found["expect_table_row_count_to_be_between"]["meta"]["vigil"]["gate"]
    small = suite("calls", [frame(), frame()[:7]], {"income": FeatureType.NUMERIC}, rows_a_night=400)
    assert small["expectations"][0]["kwargs"]["min_value"] == 7  # the smallest night of the reference
