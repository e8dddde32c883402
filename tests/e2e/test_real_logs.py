"""Two real data sets as strangers would write their logs: what init finds by itself, and what the first report says.

Models are trained outside Vigil; columns have other names, times are local and text, labels are inside.
"""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from tests.e2e.test_stranger import ROOT, home, vigil

__all__ = ["home"]  # the fixture
pytestmark = pytest.mark.slow
DATA = ROOT / "examples" / "data"
NIGHTS = 30


def trained(model, frame: pd.DataFrame, used: list[str], label: str):
    """The model, with its words as numbers."""
    words = [c for c in used if not pd.api.types.is_numeric_dtype(frame[c])]
    coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    numbers = make_column_transformer((coded, words), remainder="passthrough")
    return make_pipeline(numbers, StandardScaler(), model).fit(frame[used], frame[label])


GERMAN = {
    "age": "Alter", "job": "Beruf", "education": "Bildung", "housing_loan": "Baukredit",
    "personal_loan": "Konsumkredit", "contact_type": "Kanal", "contacts_this_campaign": "Anrufe",
    "euribor_3m": "Zinssatz",
}  # fmt: skip


def calls(folder: Path) -> None:
    """Telephone marketing of a bank, in the order of the calls: a CSV as a German spreadsheet writes it."""
    data = pd.read_parquet(DATA / "bank_calls.parquet")
    used = [c for c in GERMAN if c != "euribor_3m"]
    train, holdout, log = data[:12_000], data[12_000:15_000], data[15_000:21_000].reset_index(drop=True)
    model = trained(LogisticRegression(), train, used, "subscribed")

    def rows(part: pd.DataFrame) -> pd.DataFrame:
        score = model.predict_proba(part[used])[:, 1]
        made = part[list(GERMAN)].rename(columns=GERMAN)
        made["Abschlusswahrscheinlichkeit %"] = (100 * score).round(1)
        made["Anrufen"] = pd.Series(score >= 0.03, part.index).map({True: "ja", False: "nein"})
        return made.assign(Ausgang=part["subscribed"].map({1: "abgeschlossen", 0: "abgelehnt"}))

    made, each = rows(log), len(log) // NIGHTS
    made["Zinssatz"] = made["Zinssatz"].groupby(made.index // each).transform("first")  # one rate a day
    start = pd.Timestamp("2026-09-29 09:00")
    when = [start + pd.Timedelta(days=n // each, minutes=2 * (n % each)) for n in range(len(made))]
    made.insert(0, "Vorgang", [f"V-{n:06d}" for n in range(len(made))])
    made.insert(1, "Zeitpunkt", [f"{t:%d.%m.%Y %H:%M}" for t in when])
    made["Ausgang"] = made["Ausgang"].where(made.index < (NIGHTS - 5) * each)
    made.to_csv(folder / "Anrufe März.csv", index=False, sep=";", decimal=",")
    rows(holdout).to_csv(folder / "holdout.csv", index=False, sep=";", decimal=",")


def test_a_german_spreadsheet_of_calls_needs_two_answers_and_its_score_is_a_number(home, tmp_path):
    calls(tmp_path)
    told = vigil(
        home, "init", "anrufe", "--log", tmp_path / "Anrufe März.csv", "--reference", tmp_path / "holdout.csv",
        "--timezone", "Europe/Lisbon", "--owner", "ada@example.com", "--favourable", "ja", "--no-protected",
        "--nights", "6",
    )  # fmt: skip
    for line in (
        "score          Abschlusswahrscheinlichkeit %  by its name and values",
        "served_at      Zeitpunkt                      the only times there are; %d.%m.%Y %H:%M",
        "prediction_id  Vorgang                        the only ids there are; check it",
        "prediction     Anrufen                        the score tells its two values apart",
        "time zone  Europe/Lisbon: the times carry no offset; change it with --timezone",
        "predicts   'abgeschlossen'",
        "labels     known 5 nights after the prediction",
        "took       6,000 new of 6,000 rows, 5,000 labels",
    ):
        assert line in told
    assert "label          Ausgang" in told
    page = (home / "monitors" / "anrufe.yaml").read_text()
    assert 'decimal: ","' in page
    assert "threshold: 0.03" in page
    assert "- Zinssatz    # a night has one value of it" in page
    assert "subjects: [Kanal" not in page
    assert "the monitor agrees with its rows, reference and suite" in vigil(home, "lint", "--data")
    log = pd.concat(map(pd.read_parquet, home.rglob("predictions/model=anrufe/**/*.parquet")))
    assert 0.01 < log["score"].mean() < 0.1


def hours(folder: Path) -> None:
    """Bikes out at each hour, with the forecast: a CSV with American times, over a hurricane and a holiday."""
    data = pd.read_parquet(DATA / "bike_hours.parquet").assign(timestamp=lambda d: pd.to_datetime(d["timestamp"]))
    data["hour"] = data["timestamp"].dt.hour
    names = {"season": "saison", "is_holiday": "holiday_flag", "weekday": "dow", "hour": "hr", "weather": "wx",
             "temp_norm": "t", "humidity_norm": "hum", "windspeed_norm": "wind"}  # fmt: skip
    day = data["timestamp"].dt.strftime("%Y-%m-%d")
    train = data[day < "2012-08-01"]
    model = trained(DecisionTreeRegressor(max_depth=9, min_samples_leaf=5), train, list(names), "rental_count")

    def rows(part: pd.DataFrame) -> pd.DataFrame:
        made = part[list(names)].rename(columns=names).assign(forecast=model.predict(part[list(names)]).round(1))
        return made.assign(bikes_out=part["rental_count"].astype("Float64"))

    log = data[(day >= "2012-09-15") & (day < "2012-11-06")]
    made = rows(log)
    made.insert(0, "at_local", log["timestamp"].dt.strftime("%m/%d/%Y %I:%M %p"))
    made.loc[log["timestamp"] >= "2012-11-05", "bikes_out"] = None
    made.to_csv(folder / "bikes log.csv", index=False)
    rows(data[(day >= "2012-08-01") & (day < "2012-09-15")]).to_csv(folder / "summer.csv", index=False)


def test_hours_of_bikes_alarm_on_the_hurricane_and_not_on_holidays_or_the_autumn(home, tmp_path):
    hours(tmp_path)
    told = vigil(
        home, "init", "bikes", "--log", tmp_path / "bikes log.csv", "--reference", tmp_path / "summer.csv",
        "--timezone", "America/New_York", "--owner", "ada@example.com", "--nights", "10",
    )  # fmt: skip
    assert "served_at   at_local   the only times there are; %m/%d/%Y %I:%M %p" in told
    assert "label       bikes_out  closest to the answers" in told
    assert "task       regression; 8 features (4 category, 4 numeric)" in told
    page = (home / "monitors" / "bikes.yaml").read_text()
    for name in ("saison", "holiday_flag", "dow"):
        assert f"- {name}    # a night has one value of it" in page  # the calendar moves them, and no rule asks
    # the hurricane Sandy: on 29 October 2012 the service stood still after one hour
    assert "1 night would have opened or joined an incident" in told
    assert "saison" not in told.partition("judged ")[2]
    assert "BREACH   must have at least 2 rows: observed 1" in vigil(home, "night", "bikes", "2012-10-29", code=2)
