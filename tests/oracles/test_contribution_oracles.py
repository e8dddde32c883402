"""Contributions against what is exact for linear models, against shap's own tree explainer, and their law of sums."""

import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from vigil.adapters.shap_values import CannotExplain, contributions, score_of_estimator

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")]  # imports shap


def people(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame({
        "income": rng.lognormal(8, 0.6, n), "age": rng.integers(18, 80, n), "debt": rng.normal(0, 1, n),
        "branch": rng.choice(["north", "south", None], n),
    })  # fmt: skip


def test_of_a_linear_model_a_contribution_is_coefficient_times_distance_from_the_background():
    rows = people().drop(columns="branch")
    model = LinearRegression().fit(rows, 0.01 * rows["income"] - 2 * rows["age"] + rows["debt"])
    found = contributions(score_of_estimator(model, None), rows.head(30), rows.tail(20))
    exact = (rows.head(30) - rows.tail(20).mean()) * model.coef_
    for name in rows:
        np.testing.assert_allclose(found[name], exact[name], atol=1e-6)


def test_of_a_forest_contributions_are_those_of_the_tree_explainer_as_far_as_two_features_act_together():
    rows = people().drop(columns="branch")
    wanted = rows["age"] * (rows["debt"] > 0) + 0.001 * rows["income"]
    model = RandomForestRegressor(10, max_depth=2, random_state=0).fit(rows, wanted)
    background = rows.tail(20)
    found = contributions(score_of_estimator(model, None), rows.head(25), background)
    oracle = shap.TreeExplainer(model, background, feature_perturbation="interventional").shap_values(rows.head(25))
    for j, name in enumerate(rows):
        np.testing.assert_allclose(found[name], oracle[:, j], atol=1e-6)


@pytest.mark.parametrize("positive", ["yes", None])
def test_contributions_sum_to_the_score_minus_the_mean_score_of_the_background(positive):
    rows = people()
    label = np.where(rows["age"] > 45, "yes", np.where(rows["debt"] > 0, "no", "maybe" if positive is None else "no"))
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["branch"]),
                                     (StandardScaler(), ["income", "age", "debt"]))  # fmt: skip
    model = make_pipeline(encode, RandomForestClassifier(20, random_state=0)).fit(rows, label)
    asked, background = rows.head(20), rows.tail(20)
    found = pd.DataFrame(contributions(score_of_estimator(model, positive), asked, background)).sum(axis=1)
    now, usual = model.predict_proba(asked), model.predict_proba(background).mean(axis=0)
    which = [list(model.classes_).index(positive)] * 20 if positive else now.argmax(axis=1)
    np.testing.assert_allclose(found, now[range(20), which] - usual[which], atol=1e-9)


def test_the_same_rows_are_explained_in_the_same_way_twice_and_in_any_company():
    rows = people()[["income", "age", "debt"]]
    model = LogisticRegression(max_iter=5000).fit(rows, rows["age"] > 45)
    score = score_of_estimator(model, "True")
    alone, all_ = contributions(score, rows.head(1), rows.tail(20)), contributions(score, rows.head(9), rows.tail(20))
    for name in rows:
        assert alone[name][0] == pytest.approx(all_[name][0], abs=1e-3)  # one of the few orders of columns is drawn
        assert contributions(score, rows.head(9), rows.tail(20))[name] == all_[name]


def test_a_model_that_answers_words_cannot_be_explained():
    with pytest.raises(CannotExplain, match="no numbers"):
        contributions(lambda frame: ["setosa"] * len(frame), people().head(2), people().tail(3))
