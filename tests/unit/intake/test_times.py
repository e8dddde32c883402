"""Times as strangers write them, and the instants they mean."""

from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest

from vigil.core.errors import DataError
from vigil.core.window import night_window
from vigil.intake.times import instants
from vigil.intake.types import Time

BERLIN = "Europe/Berlin"


def read(values, **time) -> list[str | None]:
    found = instants(pd.DataFrame({"at": values}), Time(column="at", **time), "calls.csv")
    assert str(found.dtype) == "datetime64[us, UTC]"
    return [None if pd.isna(v) else v.strftime("%Y-%m-%d %H:%M:%S") for v in found]


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-01T10:00:00Z",
        "2026-10-01T10:00:00.000Z",
        "2026-10-01 12:00:00+02:00",
        "2026-10-01 12:00:00+0200",
        "2026-10-01 12:00:00+02",  # as PostgreSQL exports it
        "2026-10-01 05:00:00.25-05",
        "2026-10-01T12:00+02:00",
        "20261001T100000Z",
        " 2026-10-01T10:00:00 Z ",
    ],
)
def test_a_time_with_an_offset_means_what_it_says_whatever_the_zone_of_the_column(written):
    assert read([written], timezone="Asia/Tokyo") == ["2026-10-01 10:00:00"]


@pytest.mark.parametrize(
    "written", ["2026-10-01 12:00", "2026-10-01T12:00:00", "2026-10-01 12:00:00.5", "20261001T1200"]
)
def test_a_time_without_an_offset_is_local_time(written):
    assert read([written], timezone=BERLIN) == ["2026-10-01 10:00:00"]
    assert read([written]) == ["2026-10-01 12:00:00"]


def test_a_date_alone_is_its_local_midnight_and_its_day_is_no_offset():
    assert read(["2026-10-01", "2026-12-01"], timezone=BERLIN) == ["2026-09-30 22:00:00", "2026-11-30 23:00:00"]


def test_offsets_may_come_and_go_within_a_column():
    written = ["2026-10-01T12:00:00+02:00", "2026-10-01 12:00", "2026-12-01T12:00:00+01", None, "soon"]
    assert read(written, timezone=BERLIN) == [*["2026-10-01 10:00:00"] * 2, "2026-12-01 11:00:00", None, None]


@pytest.mark.parametrize(
    ("format", "written"),
    [
        ("%d.%m.%Y %H:%M", "01.10.2026 12:00"),
        ("%m/%d/%Y %I:%M %p", "10/01/2026 12:00 PM"),
        ("%Y%m%d%H%M%S", "20261001120000"),
        ("%H:%M %d-%m-%Y", "12:00 01-10-2026"),  # ends like an offset, and has none
        ("%d/%b/%Y:%H:%M:%S %z", "01/Oct/2026:12:00:00 +0200"),
    ],
)
def test_any_format_can_be_said(format, written):
    assert read([written], format=format, timezone=BERLIN) == ["2026-10-01 10:00:00"]


@pytest.mark.parametrize("given", [[1790000000], ["1790000000"], [1790000000.0]])
def test_seconds_since_1970(given):
    assert read(given, format="epoch_s", timezone=BERLIN) == ["2026-09-21 14:13:20"]


def test_milliseconds_since_1970_and_fractions_of_seconds():
    assert read([1790000000500], format="epoch_ms") == ["2026-09-21 14:13:20"]
    found = instants(pd.DataFrame({"at": ["1790000000.123456"]}), Time(column="at", format="epoch_s"), "x")
    assert found[0].microsecond == 123456


def test_an_impossible_number_of_seconds_is_no_time_and_takes_no_other_row_down():
    assert read(["9e30", "-9e30", "inf", "x", "1790000000"], format="epoch_s") == [*[None] * 4, "2026-09-21 14:13:20"]


def test_a_year_that_no_clock_will_show_is_no_time():
    assert read(["9999-12-31 23:59", "2026-10-01 12:00"])[1] == "2026-10-01 12:00:00"


def test_times_as_a_parquet_file_stores_them():
    assert read(pd.Series([pd.Timestamp("2026-10-01 12:00"), None]), timezone=BERLIN) == ["2026-10-01 10:00:00", None]
    zoned = pd.Series([datetime(2026, 10, 1, 12, tzinfo=timezone(timedelta(hours=-5)))])
    assert read(zoned, timezone=BERLIN) == ["2026-10-01 17:00:00"]
    assert read(pd.Series([date(2026, 10, 1), None], dtype=object), timezone=BERLIN) == ["2026-09-30 22:00:00", None]
    mixed = pd.Series([datetime(2026, 10, 1, 5, tzinfo=UTC), None], dtype=object)
    assert read(mixed, timezone=BERLIN) == ["2026-10-01 05:00:00", None]


# the two nights a year whose hours cannot be counted on


def test_the_hour_that_happens_twice_counts_as_summer_time():
    assert read(["2026-10-25 02:30", "2026-10-25 03:30"], timezone=BERLIN) == [
        "2026-10-25 00:30:00", "2026-10-25 02:30:00",
    ]  # fmt: skip
    assert read(pd.Series([pd.Timestamp("2026-10-25 02:30")]), timezone=BERLIN) == ["2026-10-25 00:30:00"]


def test_the_hour_that_does_not_exist_is_moved_to_the_next_that_does():
    assert read(["2026-03-29 02:30", "2026-03-29 03:30"], timezone=BERLIN) == [
        "2026-03-29 01:00:00", "2026-03-29 01:30:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("night", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_every_local_hour_of_a_long_or_short_night_falls_into_it(night, hours):
    window = night_window(night, BERLIN)
    assert (window.end - window.start) == timedelta(hours=hours)
    words = [f"{night} {h:02d}:{m:02d}" for h in range(24) for m in (0, 59)]
    found = instants(pd.DataFrame({"at": words}), Time(column="at", timezone=BERLIN), "x")
    assert found.notna().all()
    assert found.min() >= window.start
    assert found.max() < window.end


# what cannot be read


def test_a_column_that_is_not_there_is_named_with_the_one_that_is_meant():
    with pytest.raises(
        DataError, match=r"calls\.csv: there is no column 'calledon'; did you mean 'called_on'\? It has"
    ):
        instants(pd.DataFrame({"called_on": ["2026-10-01"], "age": [3]}), Time(column="calledon"), "calls.csv")


def test_numbers_ask_for_seconds_or_milliseconds():
    with pytest.raises(DataError, match="at holds numbers; add `format: epoch_s` or `format: epoch_ms`"):
        read([1790000000])


def test_a_column_without_a_single_time_asks_for_its_format_and_shows_a_value():
    with pytest.raises(DataError, match=r"at cannot be read as times \(for example '13\.10\.26'\); add its `format:`"):
        read([None, "13.10.26"])


def test_a_piece_whose_times_are_all_missing_is_no_error():
    assert read([None, None]) == [None, None]
    assert read(pd.Series([], dtype=object)) == []
