"""What is understood of a stranger's log, and what people are told where nothing can be."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.onboarding.made_log import calls, drafted
from vigil.core.errors import DataError
from vigil.core.words import Task
from vigil.onboarding.roles import Word
from vigil.profiles.layout import FeatureType


def columns(found) -> dict[str, str]:
    return {word.value: guess.column for word, guess in found.roles.items()}


# what is understood


def test_the_columns_of_a_log_are_understood_from_their_names_and_values():
    found = drafted(calls(), timezone="Europe/Berlin")
    assert columns(found) == {
        "served_at": "called_on", "prediction_id": "call_ref", "score": "propensity_pct", "prediction": "offer",
        "label": "bought",
    }  # fmt: skip
    assert found.task is Task.BINARY
    assert found.served_at.time_format == "%d.%m.%Y %H:%M"
    assert found.score_scale == 100
    assert (found.nights, found.rows_a_night, found.delay_nights) == (15, 40, 2)


def test_what_answers_and_labels_mean_is_read_off_the_scores():
    meaning = drafted(calls()).meaning
    assert (meaning.positive, meaning.negative, meaning.threshold) == ("yes", "no", 0.4)
    assert meaning.deserving == {"yes": "yes", "no": "no"}


def test_high_scores_that_go_with_refusals_turn_the_meaning_round():
    meaning = drafted(calls().assign(offer=lambda f: f["offer"].map({"yes": "decline", "no": "accept"}))).meaning
    assert meaning.decisions == ("decline", "accept")
    assert meaning.deserving == {"decline": "yes", "accept": "no"}


def test_a_log_of_scores_alone_gets_its_decisions_from_the_label():
    found = drafted(calls(offer=None))
    assert "prediction" not in columns(found)
    assert found.meaning.decisions == ("yes", "not_yes")
    assert found.task is Task.BINARY


def test_ages_are_cut_and_other_protected_attributes_are_groups_as_they_are():
    groups = {p.attribute: p for p in drafted(calls()).protected}
    assert set(groups) == {"age_band", "marital_status"}
    assert groups["age_band"].usual == "26_to_59"
    assert groups["marital_status"].usual == "married"


def test_an_attribute_that_is_protected_is_no_feature_but_the_number_it_is_cut_from_is():
    found = drafted(calls())
    assert found.features == {
        "age": FeatureType.NUMERIC, "job": FeatureType.CATEGORY, "balance": FeatureType.NUMERIC,
    }  # fmt: skip
    assert drafted(calls(), no_protected=True).protected == ()


def test_what_people_say_overrules_every_guess():
    frame = calls(other_score=[f"{n % 97 / 100}" for n in range(600)])
    found = drafted(frame, columns={Word.SCORE: "other_score"})
    assert columns(found)["score"] == "other_score"
    assert found.roles[Word.SCORE].why == "as you said"


def test_a_feature_with_the_name_of_a_score_is_not_taken_for_the_score_that_stands_beside_it():
    noise = [f"{n * 61 % 100 / 100}" for n in range(600)]
    both = calls().rename(columns={"propensity_pct": "score"})
    both.insert(0, "bureau_score", noise)
    assert columns(drafted(both))["score"] == "score"


def test_of_several_scores_the_one_that_decides_is_the_models():
    noise = [f"{n * 61 % 100 / 100}" for n in range(600)]
    both = calls().rename(columns={"propensity_pct": "approval_probability"})
    both.insert(0, "risk_score", noise)
    both.insert(0, "credit_score", noise)
    score = drafted(both).roles[Word.SCORE]
    assert (score.column, score.why) == (
        "approval_probability", "the only score that tells the values of offer apart",
    )  # fmt: skip


def test_where_no_score_decides_the_guess_by_name_stands():
    noise = [f"{n * 61 % 100 / 100}" for n in range(600)]
    assert columns(drafted(calls(propensity_pct=None, risk_score=noise, other_score=noise)))["score"] == "risk_score"


def test_a_column_that_people_name_must_be_there():
    with pytest.raises(DataError, match=r"--served-at: there is no column 'caled_on'; did you mean 'called_on'\?"):
        drafted(calls(), columns={Word.SERVED_AT: "caled_on"})


def test_a_regression_is_known_by_its_numbers():
    rng = np.random.default_rng(1)
    true = rng.gamma(3, 40, 600)
    frame = calls(propensity_pct=None, offer=None, bought=None, forecast=(true + rng.normal(0, 8, 600)).round(1),
                  rented=true.round())  # fmt: skip
    found = drafted(frame)
    assert found.task is Task.REGRESSION
    assert (columns(found)["prediction"], found.label) == ("forecast", "rented")
    assert found.protected == ()


def test_a_percentage_in_a_log_of_forecasts_is_a_feature_and_no_score():
    rng = np.random.default_rng(1)
    true = rng.gamma(3, 40, 600)
    frame = calls(offer=None, bought=None, forecast=(true + rng.normal(0, 8, 600)).round(1), rented=true.round())
    found = drafted(frame)
    assert found.task is Task.REGRESSION
    assert found.features["propensity_pct"] is FeatureType.NUMERIC
    assert "score" not in columns(found)
    kinds = ["refund", "parcel", "other"]
    found = drafted(calls(offer=None, bought=None, intent=[kinds[n % 3] for n in range(600)]))
    assert (found.task, found.features["propensity_pct"]) == (Task.MULTICLASS, FeatureType.NUMERIC)
    assert "score" in columns(drafted(frame, columns={Word.SCORE: "propensity_pct"}))  # people said so


@pytest.mark.parametrize(("value", "kind"), [("EUR", "category"), ("0", "numeric"), ("-1.5", "numeric"),
                                             ("007", "category")])  # fmt: skip
def test_a_column_that_never_changed_is_watched_as_what_it_looks_like(value, kind):
    assert drafted(calls(unit=[value] * 600)).features["unit"] == kind


def test_several_classes_are_known_by_their_number():
    kinds = ["refund", "parcel", "other"]
    frame = calls(propensity_pct=None, offer=None, bought=None, intent=[kinds[n % 3] for n in range(600)])
    assert drafted(frame).task is Task.MULTICLASS


def test_text_that_people_wrote_is_watched_by_its_length_and_never_as_a_category():
    frame = calls(question=[f"Where is the parcel {n} that I sent to Bonn on Monday?" for n in range(600)])
    found = drafted(frame)
    assert found.text == {"question": "question"}
    assert "question" not in found.features
    assert found.features["question__length"] is FeatureType.NUMERIC


def test_each_column_that_is_no_feature_says_why():
    frame = calls(
        currency=["EUR"] * 600,
        session=[f"s-{n:04x}" for n in range(600)],
        note=[None] * 600,
        shop=[f"shop {n % 250}" for n in range(600)],
    )
    left = drafted(frame, exclude=("job",)).left_out
    assert "currency" not in left  # what never changed is watched: one change is news
    assert left["session"].startswith("an id")
    assert left["note"] == "empty"
    assert left["shop"] == "250 different values: names or codes, not a category"
    assert left["job"] == "you left it out"


def test_a_column_with_one_of_vigil_s_own_names_is_watched_under_another():
    found = drafted(calls(environment=[("web", "shop")[n % 2] for n in range(600)]))
    assert found.features["environment_there"] is FeatureType.CATEGORY
    assert found.columns["environment_there"] == "environment"


# outcomes in a log of their own


def truth(frame, **columns) -> pd.DataFrame:
    made = {"case": frame["call_ref"], "result": frame["bought"].fillna("no"), "settled_on": "2026-10-20", **columns}
    return pd.DataFrame({name: values for name, values in made.items() if values is not None})


def test_outcomes_apart_are_joined_by_the_column_that_holds_the_ids():
    frame = calls()
    found = drafted(frame.drop(columns="bought"), truth(frame))
    assert (found.apart, found.label, found.label_id, found.observed_at.name) == (True, "result", "case", "settled_on")
    assert found.delay_nights > 2


@pytest.mark.parametrize(("change", "said"), [
    ({"case": "X"}, r"truth\.csv: no column has the ids of calls\.csv \(in its column call_ref\)"),
    ({"settled_on": None}, r"truth\.csv: name the column with --observed-at\. It has: case, result"),
    ({"result": None, "a": "x", "b": "y"}, r"truth\.csv: name the column with --label\. It has"),
])  # fmt: skip
def test_outcomes_apart_say_what_they_lack(change, said):
    frame = calls()
    with pytest.raises(DataError, match=said):
        drafted(frame.drop(columns="bought"), truth(frame, **change))


def test_outcomes_apart_need_ids_in_the_log():
    frame = calls()
    with pytest.raises(DataError, match=r"has no column of ids, so outcomes cannot be joined; name it with --pred"):
        drafted(frame.drop(columns=["bought", "call_ref"]), truth(frame))


# logs that cannot be watched as they are


@pytest.mark.parametrize(("rows", "said"), [(1, "has 1 row: too few"), (29, "has 29 rows: too few"), (0, "has 0 rows")])
def test_a_log_of_a_few_rows_asks_for_more(rows, said):
    with pytest.raises(DataError, match=rf"calls\.csv {said}.*at least 30 are required"):
        drafted(calls(40).head(rows))


def test_a_log_without_times_asks_for_their_column():
    with pytest.raises(
        DataError, match=r"has no column of times, so rows cannot be assigned to nights; name it with --served-at"
    ):
        drafted(calls(called_on=None))


def test_a_log_without_answers_asks_for_their_column():
    with pytest.raises(DataError, match=r"has no column of answers; name it with --prediction or --score"):
        drafted(calls(propensity_pct=None, offer=None, bought=None))


def test_a_log_of_two_models_asks_for_one_and_watches_that():
    frame = calls(model_name=[("churn", "upsell")[n % 2] for n in range(600)])
    with pytest.raises(
        DataError, match=r"holds predictions of 2 models \(model_name: .*\); choose one with --only model_name="
    ):
        drafted(frame)
    assert drafted(frame, only={"model_name": "churn"}).features


@pytest.mark.slow
def test_a_log_of_2000_columns_is_watched_by_its_first_200_and_the_others_are_named():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(60, 2000)).round(3), columns=[f"f{n}" for n in range(2000)])
    frame = pd.concat([calls(60, bought=None).drop(columns=["age", "job", "balance", "marital_status"]), wide], axis=1)
    found = drafted(frame)
    assert list(found.features) == [f"f{n}" for n in range(200)]
    assert len(found.left_out) == 1800
    assert "only the first 200 features are watched; raise --max-features" in found.left_out["f200"]
    assert len(drafted(frame, most_features=30).features) == 30


def test_a_protected_attribute_of_400_values_is_refused_with_two_ways_out():
    frame = calls(nationality=[f"n{n % 400}" for n in range(600)])
    with pytest.raises(DataError, match=r"--protected nationality: it has 400 values, .*fewer, or join its values"):
        drafted(frame, protected=("nationality",))
    assert "nationality" not in {p.attribute for p in drafted(frame).protected}


@pytest.mark.parametrize(("name", "said"), [
    ("balance", "its numbers must be cut into bands first: add `bands:`"),
    ("bank", "it has one value only: there is nobody to compare"),
    ("gender", "there is no column 'gender'"),
])  # fmt: skip
def test_a_protected_attribute_that_makes_no_groups_says_why(name, said):
    with pytest.raises(DataError, match=f"--protected.*{said}"):
        drafted(calls(bank=["ours"] * 600), protected=(name,))


# a log whose names say nothing to an English ear


def unnamed(**columns):
    renamed = {
        "call_ref": "Vorgang", "propensity_pct": "Abschluss %", "offer": "Anrufen", "bought": "Ausgang",
        "called_on": "Zeitpunkt",
    }  # fmt: skip
    return calls().rename(columns=renamed).assign(**columns)


def test_ids_decisions_and_labels_are_known_by_what_they_do_where_no_name_tells():
    found = drafted(unnamed(), columns={Word.SCORE: "Abschluss %"})
    assert columns(found) == {
        "served_at": "Zeitpunkt", "prediction_id": "Vorgang", "score": "Abschluss %", "prediction": "Anrufen",
        "label": "Ausgang",
    }  # fmt: skip


def test_a_score_that_was_rounded_to_the_threshold_still_tells_the_decisions_apart():
    scores = [f"{v:.0f}" for v in pd.to_numeric(calls()["propensity_pct"])]
    offers = ["yes" if v > 40 else "no" for v in pd.to_numeric(calls()["propensity_pct"])]  # 40.25 -> "40", and yes
    found = drafted(unnamed(**{"Abschluss %": scores, "Anrufen": offers}), columns={Word.SCORE: "Abschluss %"})
    assert found.roles[Word.PREDICTION].column == "Anrufen"
    assert found.meaning.threshold == 0.4


def test_a_label_that_does_not_follow_the_score_is_known_by_the_nights_that_lack_it():
    few = ["sold" if n % 9 == 0 else "not sold" for n in range(600)]
    late = [None if n >= 520 or n % 20 == 1 else few[n] for n in range(600)]
    found = drafted(unnamed(Ausgang=late), columns={Word.SCORE: "Abschluss %"})
    assert found.roles[Word.LABEL].column == "Ausgang"
    assert "known for old rows and not for the newest" in found.roles[Word.LABEL].why
    gaps = [None if n % 10 == 0 else few[n] for n in range(600)]  # missing all the time: a feature with gaps
    found = drafted(unnamed(Ausgang=gaps), columns={Word.SCORE: "Abschluss %"})
    assert Word.LABEL not in found.roles
    assert "Ausgang" in found.features


def test_a_score_that_tells_the_labels_apart_by_chance_alone_does_not_say_which_one_it_is_of():
    few = ["sold" if n % 9 == 0 else "not sold" for n in range(600)]
    found = drafted(unnamed(Ausgang=[None if n >= 520 else few[n] for n in range(600)]),
                    columns={Word.SCORE: "Abschluss %"})  # fmt: skip
    assert (found.meaning.positive, found.meaning.negative) == ("sold", "not sold")
    assert "the rarer label; the scores do not tell" in found.meaning.why
    assert "high scores go with it (AUC 0." in drafted(calls()).meaning.why


def test_the_label_that_is_predicted_can_be_said():
    found = drafted(calls(), positive="no")
    assert (found.meaning.positive, found.meaning.negative, found.meaning.why) == ("no", "yes", "as you said")
    with pytest.raises(DataError, match="--positive maybe: the labels are no, yes"):
        drafted(calls(), positive="maybe")


def test_a_score_that_is_no_number_is_refused_with_a_value():
    with pytest.raises(DataError, match=r"job cannot be the score: its values are not numbers, such as '\w+'"):
        drafted(calls(), columns={Word.SCORE: "job"})


# the scale of the score


def odds() -> list[str]:
    return [f"{(n * 37 % 100 - 40) / 10}" for n in range(600)]


def test_a_column_called_log_odds_is_read_as_such_and_its_decisions_are_found():
    found = drafted(
        calls(propensity_pct=None, log_odds=odds(), offer=["yes" if float(v) >= 0 else "no" for v in odds()])
    )
    assert (columns(found)["score"], found.score_scale) == ("log_odds", "logit")
    assert found.meaning.threshold == 0.5


@pytest.mark.parametrize("name", ["score", "model_score", "raw_score", "margin", "decision_function"])
def test_a_score_below_zero_is_refused_with_what_to_say(name):
    with pytest.raises(
        DataError, match=rf"{name} holds values from -4 to 5\.9: no probabilities .* --score-scale logit"
    ):
        drafted(calls(propensity_pct=None, **{name: odds()}))
    said = {"columns": {Word.SCORE: name}, "score_scale": "logit"}
    assert drafted(calls(propensity_pct=None, **{name: odds()}), **said).score_scale == "logit"
    assert name not in drafted(calls(propensity_pct=None, **{name: odds()}), exclude=(name,)).features


def test_a_score_beyond_a_hundred_is_refused_and_a_feature_below_zero_is_none():
    with pytest.raises(DataError, match=r"balance holds values from 1000 to 169.*: no probabilities"):
        drafted(calls(propensity_pct=None), columns={Word.SCORE: "balance"})
    assert "sentiment_score" in drafted(calls(sentiment_score=odds())).features


@pytest.mark.parametrize(
    ("said", "why"), [("half", "use 1, 100"), ("-1", "must be above 0"), ("nan", "must be above 0")]
)
def test_a_scale_that_is_none_is_refused(said, why):
    with pytest.raises(DataError, match=why):
        drafted(calls(), score_scale=said)
