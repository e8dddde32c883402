"""Which features no rule asks about, because the calendar moves them and nothing else."""

import pandas as pd
import pytest

from tests.unit.onboarding.made_log import calls, drafted
from vigil.config.load import load_monitor
from vigil.onboarding.document import Answers, Facts, document
from vigil.onboarding.movement import drift_rules, movements
from vigil.profiles.layout import FeatureType

NIGHTS = pd.Series([pd.Timestamp("2026-09-01").date() + pd.Timedelta(days=n // 24) for n in range(40 * 24)])
CATEGORY, NUMERIC = FeatureType.CATEGORY, FeatureType.NUMERIC


def moved(kind, values):
    return movements(pd.DataFrame({"x": values}), NIGHTS, {"x": kind}, reference_nights=13)


@pytest.mark.parametrize(
    ("kind", "of_night"),
    [
        (CATEGORY, lambda n: n == 20),
        (CATEGORY, lambda n: "autumn" if n > 21 else "summer"),
        (NUMERIC, lambda n: 4 - n // 9),
    ],
)  # fmt: skip
def test_what_has_one_value_a_night_is_not_asked_whether_it_drifts(kind, of_night):
    found = moved(kind, [str(of_night(n // 24)) for n in range(40 * 24)])
    assert found["x"].nightly
    rules, why = drift_rules(found)
    assert rules == []
    assert "one value a night" in why["x"]


@pytest.mark.parametrize(
    "values",
    [
        [str(n % 24) for n in range(40 * 24)],  # each night has all of them
        ["same"] * 40 * 24,  # what never changed is asked: one change is news
        ["a" if n % 24 else "b" for n in range(40 * 24)],
    ],
)
def test_what_varies_within_a_night_or_never_is_asked(values):
    found = moved(CATEGORY, values)
    assert not found["x"].nightly
    assert drift_rules(found)[1] == {}


def written(facts):
    ada = Answers(owner="ada@example.com", favourable="yes")
    return document(drafted(calls(region=["n", "s"] * 300), no_protected=True), ada, facts, schema="s")


def test_the_monitor_says_why_and_new_levels_of_it_page_nobody(tmp_path):
    path = tmp_path / "calls.yaml"
    levels = ("job", "marital_status")
    page = written(Facts(no_drift={"job": "has one value a night"}, nightly=levels))
    path.write_text(page)
    assert "# job has one value a night, so no rule asks" in page
    assert "{metric: new_category, subjects: [region], breach" in page
    assert load_monitor(path).model == "calls"
    assert "new_category" not in written(Facts(nightly=(*levels, "region")))
