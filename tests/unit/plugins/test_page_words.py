"""A monitor in words: every limit of every rule, as a person would say it."""

import doctest
from typing import get_args

import pytest

from plugins.vigil_pages import words
from tests.unit.examples.played import HOME
from tests.unit.plugins.shown import MONITOR
from vigil.config.load import load_monitor
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.responses.types import Autonomy
from vigil.verdicts.budget import BURN_RULES
from vigil.verdicts.types import BurnLevel, Rule, Slo

IRIS = load_monitor(HOME / "monitors" / "iris.yaml")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "missing", "breach": "> 0.05"}, "breach above 5 %"),
        ({"metric": "success_rate", "breach": "< 0.9995"}, "breach below 99.95 %"),
        ({"metric": "psi", "warn": "> 0.1", "breach": "> 0.25"}, "breach above 0.25 nats; warning above 0.1 nats"),
        ({"metric": "equal_opportunity", "breach": "< -0.15"}, "breach below -0.15"),
        ({"metric": "latency_p95", "breach": "> 1200"}, "breach above 1,200 ms"),
        (
            {"metric": "mean_shift", "sigma": 6, "nights": 28, "floor": 0.2, "hard": "> 1"},
            "6 robust sd from its own last 28 nights and at least 0.2 sd: one night warns, 2 of 3 nights breach; "
            "one night beyond ±1 sd is enough",
        ),
        ({"metric": "group_mean_shift", "hard": "> 1"}, "breach on one night beyond ±1 sd"),
        (
            {"metric": "prediction_shift", "sigma": 4, "floor": 0.1},
            "4 robust sd above its own last 28 nights and at least 10 percentage points: one night warns, "
            "2 of 3 nights breach",
        ),
        (
            {"metric": "recall", "sigma": 4, "nights": 14},
            "4 robust sd below its own last 14 nights: one night warns, 2 of 3 nights breach",
        ),
        ({"metric": "auc", "holdout": -0.05}, "breach more than 0.05 below its version's own holdout"),
        (
            {"metric": "recall", "holdout": -0.1},
            "breach more than 10 percentage points below its version's own holdout",
        ),
        ({"metric": "rmse", "holdout": 0.5}, "breach more than 0.5 above its version's own holdout"),
        (
            {"metric": "success_rate", "breach": "< 0.98", "min_difference": 0.02},
            "breach below 98 %; ok only where less than 96 % is excluded",
        ),
        ({"metric": "psi", "breach": "> 0.25", "min_rows": 1000}, "breach above 0.25 nats; unknown below 1,000 rows"),
        ({"metric": "psi"}, "shown, without a limit"),
    ],
)
def test_a_rules_limits_in_words(rule: dict[str, object], said: str) -> None:
    assert "; ".join(words.rule_words(Rule.model_validate(rule)).limits) == said


def test_every_kind_of_threshold_that_a_rule_may_have_is_said() -> None:
    thresholds = set(Rule.model_fields) - {"metric", "subjects", "without"}
    whole = {"breach": "> 0.3", "warn": "> 0.2", "hard": "> 0.7", "sigma": 5, "nights": 21, "holdout": 0.11,
             "min_difference": 0.05, "floor": 0.04, "min_rows": 99, "surprise": True, "quantile": 0.97,
             "season": "weekday", "thresholds": {"times_usual": 13}}  # fmt: skip
    assert set(whole) == thresholds  # a new one needs words
    said = "; ".join(words.rule_words(Rule.model_validate({"metric": "missing", **whole})).limits)
    for number in (
        "30 %",
        "20 %",
        "70 %",
        "5 robust sd",
        "times usual 13",
        "21 nights",
        "11 percentage",
        "35 %",
        "4 percentage",
        "99",
        "usual place",
        "above the 97 % quantile",
        "the same weekday",
    ):
        assert number in said


@pytest.mark.parametrize(
    ("metric", "subjects", "of"),
    [
        ("missing", ["*"], "each feature"),
        ("selection_rate_ratio", ["*"], "each protected group"),
        ("auc", ["*"], "all predictions"),
        ("psi", ["age", "plan"], "age, plan"),
        ("psi", list("abcdefgh"), "a, b, c, d, e, f and 2 more"),
    ],
)
def test_of_what_a_rule_speaks(metric: str, subjects: list[str], of: str) -> None:
    assert words.rule_words(Rule(metric=metric, subjects=tuple(subjects))).of == of


def test_what_a_rule_leaves_out_is_said() -> None:
    assert words.rule_words(Rule(metric="missing", without=("age", "plan"))).of == "each feature but age, plan"


def test_each_metric_of_the_catalogue_can_be_said() -> None:
    for metric in CATALOG:
        said = words.rule_words(Rule.model_validate({"metric": metric, "breach": "> 0.5"}))
        assert said.says
        assert "0.5" in said.limits[0] or "50 %" in said.limits[0] or "0 rows" in said.limits[0]


def test_a_metric_of_another_release_is_still_told() -> None:
    said = words.rule_words(Rule.model_validate({"metric": "of_old", "breach": "> 0.5"}))
    assert (said.metric, said.says, said.limits) == ("of_old", "", ("breach above 0.5",))


def test_all_five_families_are_listed_so_that_a_gap_is_seen() -> None:
    told = words.watched(IRIS)
    assert [family for family, _, _ in told] == [f.value for f in Family]
    assert [family for family, _, rules in told if not rules] == ["fairness"]


def test_what_is_watched_beside_the_rules() -> None:
    told = dict(words.beside(MONITOR))
    assert told["Inputs"] == "13 features (13 numeric)"
    assert told["Objective latency"] == "95 % of requests answered within 300 ms, over 28 nights"
    assert told["Objective fair-nights"] == "89.3 % of nights without a fairness breach, over 28 nights"
    assert told["Truth"].startswith("labels are due 7 nights after the prediction, overdue 3 nights later; ")
    assert "80 % of its rows" in told["Truth"]
    assert told["When it breaks"].startswith("a Slack room from SEV2 on; the previous version comes back by itself")


def test_who_moves_the_alias_is_said_for_every_policy() -> None:
    assert set(words.DOES) == set(Autonomy)
    told = dict(words.beside(IRIS))["When it breaks"]
    assert "the previous version comes back after a person approves in Airflow" in told


def test_availability_says_what_is_counted() -> None:
    slo = Slo(name="up", sli="availability", target=0.9995)
    assert words.slo_words(slo) == "99.95 % of requests answered without error, over 28 nights"


def test_every_kind_of_objective_has_words_of_its_own() -> None:
    kinds = get_args(Slo.model_fields["sli"].annotation)
    more = {"family": "drift", "threshold_ms": 300}
    said = {words.slo_words(Slo(name="it", sli=kind, target=0.99, **more)) for kind in kinds}
    assert len(said) == len(kinds)


def test_every_burn_level_has_its_own_words_with_its_factor() -> None:
    said = {level: words.burn_words(level) for level in BurnLevel}
    assert len(set(said.values())) == len(BurnLevel)
    assert all(f"{factor:g} times" in said[level] for level, _, factor in BURN_RULES if factor != 1)


def test_the_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(words).failed == 0
