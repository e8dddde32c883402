"""Which column is taken for the label, beside columns that look like one: half empty, of the same words, named so."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.onboarding.made_log import calls, drafted
from vigil.core.words import Task
from vigil.onboarding.columns import look
from vigil.onboarding.labels import Known, known_for, named
from vigil.onboarding.roles import Word
from vigil.profiles.layout import FeatureType

ROWS = 600
GAPS = ("97 % at random", "70 % at random", "50 % at random", "whole nights", "a block in the middle")


def sparse(gaps: str, seed: int, words=("no", "yes")) -> list[str | None]:
    """A column that follows nothing, with its missing values where `gaps` says."""
    rng = np.random.default_rng(seed)
    if gaps == "whole nights":
        lost = np.repeat(rng.random(ROWS // 40) < 0.5, 40)
    elif gaps == "a block in the middle":
        lost = np.zeros(ROWS, bool)
        lost[160:440] = True
    else:
        lost = rng.random(ROWS) < float(gaps.split(maxsplit=1)[0]) / 100
    values = rng.choice(words, ROWS, p=(0.7, 0.3))
    return [None if gone else str(v) for gone, v in zip(lost, values, strict=True)]


def with_first(name: str, values, **columns) -> pd.DataFrame:
    """The log of calls with a column before all others: what comes first must not win by that."""
    frame = calls(**columns)
    frame.insert(0, name, values)
    return frame


def label_of(frame: pd.DataFrame, **asked) -> str | None:
    return drafted(frame, **asked).label


# missing values, and where they lie


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("seed", range(5))
def test_a_sparse_column_that_is_named_like_a_label_is_none_beside_the_real_one(gaps, seed):
    frame = with_first("credit_in_default", sparse(gaps, seed)).rename(columns={"bought": "subscribed"})
    found = drafted(frame)
    assert found.label == "subscribed"
    assert found.features["credit_in_default"] is FeatureType.CATEGORY
    whole = frame.assign(subscribed=frame["subscribed"].fillna("no"))  # all labels are there already
    assert label_of(whole) == "subscribed"
    assert label_of(frame.rename(columns={"subscribed": "Ausgang"})) == "Ausgang"  # no name tells


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("seed", range(5))
def test_a_sparse_column_that_is_named_like_a_label_is_none_where_there_is_no_label(gaps, seed):
    found = drafted(with_first("credit_in_default", sparse(gaps, seed), bought=None))
    assert found.label is None
    assert "credit_in_default" in found.features


def test_a_sparse_column_of_scores_alone_and_one_without_a_name_are_no_labels():
    assert label_of(with_first("credit_in_default", sparse(GAPS[0], 1), bought=None, offer=None)) is None
    assert label_of(with_first("garden", sparse(GAPS[2], 1), bought=None)) is None
    follows = ["yes" if s >= 60 else "no" for s in pd.to_numeric(calls()["propensity_pct"])]
    gappy = [None if n % 2 else v for n, v in enumerate(follows)]
    assert label_of(with_first("garden", gappy, bought=None)) is None


def test_a_column_of_which_all_rows_are_known_and_that_follows_nothing_loses_to_the_one_that_follows_the_score():
    rng = np.random.default_rng(3)
    frame = with_first("converted", list(rng.choice(["no", "yes"], ROWS)))
    frame = frame.rename(columns={"bought": "subscribed"}).assign(subscribed=lambda f: f["subscribed"].fillna("no"))
    assert label_of(frame) == "subscribed"


def test_a_name_that_says_more_than_the_word_of_a_label_loses_to_one_that_says_no_more():
    scores = pd.to_numeric(calls()["propensity_pct"])
    frame = with_first("credit_in_default", ["yes" if s >= 60 else "no" for s in scores])  # the score is made of it
    frame = frame.rename(columns={"bought": "subscribed"}).assign(subscribed=lambda f: f["subscribed"].fillna("no"))
    assert label_of(frame) == "subscribed"


def test_a_label_that_only_some_rows_ever_get_is_known_by_a_name_that_means_nothing_else():
    audited = [v if n % 10 == 0 else None for n, v in enumerate(calls()["bought"].fillna("no"))]
    assert label_of(calls(bought=None, true_outcome=audited)) == "true_outcome"


def test_a_label_of_which_some_come_at_once_is_one_that_ripens():
    rng = np.random.default_rng(5)
    nights = pd.Series(np.arange(ROWS) // 40)
    late = rng.exponential(2.0, ROWS) < 14.5 - np.arange(ROWS) / 40
    assert known_for(pd.Series(late), nights) is Known.RIPENING


@pytest.mark.parametrize("gaps", GAPS)
def test_gaps_that_lie_anywhere_hardly_ever_look_like_labels_that_ripen(gaps):
    nights = pd.Series(np.arange(ROWS) // 40)
    found = [known_for(pd.Series(sparse(gaps, seed)).notna(), nights) for seed in range(100)]
    assert found.count(Known.RIPENING) < 4  # the nights without a value are the last ones, by chance


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_an_end_without_values_is_a_label_that_is_not_due_however_rare_it_is(share):
    rng = np.random.default_rng(7)
    rows = np.arange(40 * 60)
    there = pd.Series((rng.random(len(rows)) < share) & (rows < 40 * 50))
    assert known_for(there, pd.Series(rows // 40)) is Known.RIPENING
    assert known_for(there & False, pd.Series(rows // 40)) is Known.SPREAD
    assert known_for(pd.Series(rows >= 0), pd.Series(rows // 40)) is Known.EVERYWHERE


def test_in_a_log_of_outcomes_the_surest_name_is_the_label():
    frame = pd.DataFrame({"paid": ["1", "0"] * 40, "actual": ["1", "0"] * 40, "last_label": ["1", "0"] * 40})
    assert named(look(frame), {}).column == "actual"
    assert named(look(frame[["last_label"]]), {}) is None


# many classes


def intents(levels: int = 77, *, right: float = 0.8, rows: int = 3000, seed: int = 1, **columns) -> pd.DataFrame:
    """Chats with an intent that was predicted and the true one, which the last two nights lack."""
    rng = np.random.default_rng(seed)
    true = np.array([f"intent_{n:02d}" for n in rng.integers(0, levels, rows)], dtype=object)
    said = np.where(rng.random(rows) < right, true, [f"intent_{n:02d}" for n in rng.integers(0, levels, rows)])
    true[-200:] = None
    frame = calls(rows, a_night=100, offer=None, bought=None, propensity_pct=None)
    frame.insert(1, "true_intent", true)
    return frame.assign(intent=said, **columns)


@pytest.mark.parametrize("levels", [3, 49, 51, 77, 150])
def test_the_true_class_is_the_label_however_many_classes_there_are_and_whichever_column_comes_first(levels):
    for frame in (intents(levels), intents(levels)[::1].iloc[:, ::-1]):
        found = drafted(frame)
        assert found.task is Task.MULTICLASS
        assert (found.roles[Word.PREDICTION].column, found.label) == ("intent", "true_intent")
        assert "true_intent" not in found.features
        assert found.delay_nights == 2


def test_the_true_class_is_known_by_its_words_where_no_name_tells():
    frame = intents().rename(columns={"true_intent": "agent_closed_as"})
    found = drafted(frame)
    assert found.label == "agent_closed_as"
    assert found.roles[Word.LABEL].why == "its values are those of the answers"


def test_a_class_that_is_never_predicted_does_not_hide_the_label():
    frame = intents()
    frame.loc[frame["intent"] == "intent_05", "intent"] = "intent_06"
    assert label_of(frame.rename(columns={"true_intent": "agent_closed_as"})) == "agent_closed_as"


def test_classes_that_agree_with_the_answers_no_more_than_by_chance_are_a_feature():
    rng = np.random.default_rng(9)
    other = [f"intent_{n:02d}" for n in rng.integers(0, 77, 3000)]
    found = drafted(intents(topic_of_page=other).drop(columns="true_intent"))
    assert found.label is None
    assert "topic_of_page" in found.features
    both = drafted(intents(topic_of_page=other).rename(columns={"true_intent": "agent_closed_as"}))
    assert both.label == "agent_closed_as"


def test_a_flag_is_no_label_of_many_classes():
    rng = np.random.default_rng(9)
    found = drafted(intents(returned=list(rng.choice(["yes", "no"], 3000))).drop(columns="true_intent"))
    assert found.label is None


# quantities


def test_a_quantity_that_few_rows_have_is_no_label_unless_it_lies_where_the_forecasts_lie():
    rng = np.random.default_rng(1)
    true = rng.gamma(3, 40, ROWS)
    frame = calls(propensity_pct=None, offer=None, bought=None, forecast=(true + rng.normal(0, 8, ROWS)).round(1))
    few = pd.Series(rng.integers(0, 90, ROWS)).where(pd.Series(rng.random(ROWS) < 0.3))
    frame.insert(0, "visit_count", few)
    assert label_of(frame) is None
    assert label_of(frame.assign(rented=true.round())) == "rented"
    assert label_of(frame.assign(visit_count=rng.integers(0, 90, ROWS), rented=true.round())) == "rented"
