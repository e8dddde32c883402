"""The portfolio's nights: the same on every machine, on the right days, and wrong only where the fault says so."""

import hashlib
from datetime import date, timedelta
from types import ModuleType

import pandas as pd
import pytest
from played import HOME

from demo.portfolio import furnish, nights
from examples import bikes, chatbot, fraud, marketing
from examples.register import PORTFOLIO
from vigil.config.load import lint, load_monitor
from vigil.config.schema import Monitor
from vigil.core.window import night_window

LAST = date(2026, 11, 22)  # a Sunday
FOLDER = HOME / "examples" / "portfolio"
DATA = HOME / "examples" / "data"
each = pytest.mark.parametrize("example", PORTFOLIO, ids=lambda e: e.MODEL)


def monitor_of(example: ModuleType) -> Monitor:
    return load_monitor(FOLDER / "monitors" / f"{example.MODEL}.yaml")


def last_night(example: ModuleType, fault: object = None) -> pd.DataFrame:
    own, played = example.calendar(LAST)[-1]
    rows: pd.DataFrame = example.night_rows(own, fault=fault, played=played)
    return rows


def changed(example: ModuleType, fault: object) -> set[str]:
    """The columns that a fault touches."""
    good, bad = last_night(example), last_night(example, fault)
    return {c for c in good.columns if not good[c].equals(bad[c])}


@each
def test_a_night_is_the_same_whenever_it_is_made_and_lies_inside_its_local_day(example: ModuleType) -> None:
    for own, played in example.calendar(LAST)[-4:]:
        rows = example.night_rows(own, played=played)
        pd.testing.assert_frame_equal(rows, example.night_rows(own, played=played))
        window = night_window(played, example.ZONE)
        assert rows["served_at"].between(window.start, window.end, inclusive="left").all()
        assert rows["served_at"].is_monotonic_increasing
        assert rows["prediction_id"].is_unique


@each
@pytest.mark.parametrize("back", range(7))
def test_real_days_keep_their_weekday_and_the_play_ends_in_the_last_week(example: ModuleType, back: int) -> None:
    days = example.calendar(LAST - timedelta(days=back))
    assert all(own.weekday() == played.weekday() for own, played in days)
    assert timedelta(0) <= LAST - timedelta(days=back) - days[-1][1] < timedelta(days=7)
    assert days == sorted(days)


def test_bikes_are_played_over_the_day_on_which_the_clocks_go_back_with_24_forecasts() -> None:
    rows = bikes.night_rows(date(2012, 10, 14), played=date(2026, 11, 1))
    assert len(rows) == 24
    assert rows["prediction_id"].is_unique


def test_the_calls_begin_on_telephones_and_mobile_phones_come_on_the_fourth_of_july() -> None:
    kinds = marketing.calls().groupby("contact_day")["contact_type"].agg(set)
    assert all(kinds[kinds.index < marketing.HAPPENED].map(lambda k: k == {"telephone"}))
    assert "cellular" in kinds[marketing.HAPPENED]


def test_a_working_day_that_no_call_was_made_on_is_a_holiday_of_lisbon_or_the_first_of_august() -> None:
    days = set(marketing.calls()["contact_day"])
    weekdays = {d.date() for d in pd.bdate_range(min(days), max(days))}
    assert sorted(weekdays - days) == [date(2008, 5, 22), date(2008, 6, 10), date(2008, 6, 13), date(2008, 8, 1),
                                       date(2008, 8, 15)]  # fmt: skip
    assert days <= weekdays


def test_sandy_left_one_hour_and_then_eleven() -> None:
    hours = bikes.hours().groupby("day").size()
    assert list(hours[[bikes.HAPPENED, bikes.LAST]]) == [1, 11]


@pytest.mark.parametrize(
    ("example", "fault", "touched"),
    [
        (fraud, fraud.Fault.CENTS, {"amount_eur", "pipeline_version"}),
        (fraud, fraud.Fault.SLOW, {"latency_ms"}),
        (marketing, marketing.Fault.TRANSLATED, {"job", "pipeline_version"}),
        (chatbot, chatbot.Fault.FORM, {"message", "pipeline_version"}),
        (bikes, bikes.Fault.CELSIUS, {"temp_norm", "pipeline_version"}),
    ],
    ids=lambda v: v.value if hasattr(v, "value") else "",
)
def test_a_fault_touches_what_it_says_and_nothing_else(example: ModuleType, fault: object, touched: set[str]) -> None:
    assert changed(example, fault) == touched


def test_every_off_topic_message_is_a_real_one_with_its_authors_label() -> None:
    rows = last_night(chatbot, chatbot.Fault.OFF_TOPIC)
    strange = rows[rows["label"] == "out_of_scope"]
    assert 0.3 < len(strange) / len(rows) < 0.5
    assert set(strange["message"]) <= set(chatbot.off_topic()["message"])
    real = pd.concat([chatbot.off_topic(), *chatbot.questions()])[["message", "label"]]
    assert len(rows.merge(real.drop_duplicates(), on=["message", "label"])) == len(rows)


def test_the_chatbots_log_has_no_text_of_anybody() -> None:
    rows = last_night(chatbot, chatbot.Fault.FORM)
    kept = chatbot.kept(rows.assign(reply="what the bot says"))
    assert not {"message", "reply"} & set(kept.columns)
    assert not kept.astype(str).apply(lambda c: c.str.contains("@example.com")).any().any()


@pytest.mark.parametrize(
    ("scored", "learned"),
    [
        (fraud.holdout(), fraud.transactions()[0]),
        (fraud.transactions()[2], fraud.transactions()[0]),
        (fraud.transactions()[2], fraud.transactions()[1]),
        (chatbot.questions()[2], chatbot.questions()[0]),
        (chatbot.questions()[2], chatbot.questions()[1]),
    ],
    ids=["fraud holdout", "fraud nights", "fraud nights and holdout", "chat nights", "chat nights and holdout"],
)
def test_what_is_judged_was_never_learned(scored: pd.DataFrame, learned: pd.DataFrame) -> None:
    assert set(scored.index).isdisjoint(learned.index)


def test_calls_and_bikes_are_learned_before_they_are_judged() -> None:
    assert marketing.TRAINED_UNTIL < marketing.HELD_UNTIL < min(own for own, _ in marketing.calendar(LAST))
    assert min(own for own, _ in bikes.calendar(LAST)).year == 2012
    assert bikes.holdout().index.max() < len(bikes.hours()) / 2


@each
def test_what_an_example_logs_is_what_its_monitor_declares(example: ModuleType) -> None:
    monitor, rows = monitor_of(example), last_night(example)
    logged = {*rows.columns, "confidence", "message__length", "message__words", "message__non_letters"}
    declared = {*monitor.features, *(p.attribute for p in monitor.protected), *monitor.sums}
    assert declared <= logged
    assert (monitor.model, monitor.environment, monitor.timezone) == (example.MODEL, example.ENVIRONMENT, example.ZONE)
    assert monitor.labels.delay_nights == example.LABEL_DAYS
    assert not {p.attribute for p in monitor.protected} & set(monitor.features)


def test_the_monitors_are_without_problems_and_the_checkout_alone_has_two(tmp_path) -> None:
    assert sorted(p.stem for p in (HOME / "monitors").glob("*.yaml")) == ["credit_scoring", "iris"]
    furnish(tmp_path)
    found = lint(tmp_path / "monitors", expectations_dir=tmp_path / "expectations")
    assert len(found) == 6
    assert {name: problem for name, problem in found.items() if problem} == {}


def test_the_demo_plays_quiet_nights_first_and_one_or_two_bad_ones() -> None:
    for name in ("fraud", "marketing", "chatbot", "bikes"):
        quiet, bad = nights(name, LAST)
        assert len(quiet) >= 12
        assert 1 <= len(bad) <= 2
        assert max(n.played for n in quiet) < min(n.played for n in bad)
        assert not any(n.fault for n in quiet)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("card_fraud", "ODbL 1.0"),
        ("bank_calls", "10.24432/C5K306"),
        ("chat_banking77", "Casanueva"),
        ("chat_out_of_scope", "CC BY 3.0"),
        ("bike_hours", "10.24432/C5W894"),
    ],
)
def test_each_data_set_is_small_and_the_one_whose_digest_and_licence_are_written_beside_it(
    name: str, said: str
) -> None:
    file = DATA / f"{name}.parquet"
    assert file.stat().st_size < 1_500_000
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in readme
    assert said in readme
    assert "Open Database License" in (HOME / "NOTICE").read_text(encoding="utf-8")
