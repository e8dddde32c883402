"""What the columns of an unknown log hold."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tests.unit.onboarding.made_log import calls, drafted
from vigil.core.errors import DataError
from vigil.onboarding.columns import DayOrMonth, Holds, column, dated, look
from vigil.onboarding.draft import REFUSED


def holds(values, name="x") -> Holds:
    return column(name, pd.Series(values)).holds


MANY = range(200)


@pytest.mark.parametrize(("values", "kind"), [
    ([f"{n / 7:.3f}" for n in MANY], Holds.NUMBER),
    ([str(n % 5) for n in MANY], Holds.NUMBER),
    ([("Bonn", "Ulm")[n % 2] for n in MANY], Holds.CATEGORY),
    ([True, False] * 100, Holds.NUMBER),
    ([f"req-{n:05x}" for n in MANY], Holds.ID),
    (list(range(1_000_000, 1_000_200)), Holds.ID),
    ([f"{n:05d}" for n in MANY], Holds.ID),  # leading zeros: a code, whatever it counts
    ([f"0{1000 + n % 7}" for n in MANY], Holds.CATEGORY),  # postal codes
    ([f"2026-10-{1 + n % 30:02d} 10:00" for n in MANY], Holds.TIME),
    (pd.date_range("2026-10-01", periods=200, freq="h"), Holds.TIME),
    ([f"The {n}th customer asks where the parcel number {n} is" for n in MANY], Holds.TEXT),
    (["EUR"] * 200, Holds.CONSTANT),
    (["2026-10-01"] * 200, Holds.TIME),  # the one day of a short log
    ([None] * 200, Holds.EMPTY),
    ([""] * 200, Holds.EMPTY),
    ([1.5, None] * 100, Holds.NUMBER),
])  # fmt: skip
def test_a_column_is_told_by_its_values(values, kind):
    assert holds(values) is kind


@pytest.mark.parametrize(
    ("word", "format"),
    [("13.10.2026 09:30", "%d.%m.%Y %H:%M"), ("10/13/2026 09:30 PM", "%m/%d/%Y %I:%M %p"),
     ("2026/10/13", "%Y/%m/%d"), ("13 Oct 2026 09:30", "%d %b %Y %H:%M"), ("2026-10-13T09:30:00", "auto")],
)  # fmt: skip
def test_the_format_of_times_is_found(word, format):
    found = column("when", pd.Series([word, word.replace("13", "14")]))
    assert (found.holds, found.time_format, found.ambiguous) == (Holds.TIME, format, None)


def test_a_day_that_could_be_a_month_is_said_to_be_ambiguous():
    found = column("when", pd.Series(["01/02/2026", "03/04/2026"]))
    assert {found.time_format, found.ambiguous} == {"%d/%m/%Y", "%m/%d/%Y"}
    assert not found.decided


@pytest.mark.parametrize(("days", "format"), [
    (["03/04/2026", "04/04/2026", "05/04/2026"], "%d/%m/%Y"),  # three days in a row, or three months
    (["03/04/2026", "03/05/2026", "03/06/2026"], "%m/%d/%Y"),
    (["11/03/2026", "12/03/2026", "01/04/2026", "02/04/2026"], "%d/%m/%Y"),  # in order only this way
])  # fmt: skip
def test_the_rows_of_a_log_tell_the_day_from_the_month(days, format):
    found = column("when", pd.Series(days))
    assert (found.time_format, found.decided) == (format, True)
    assert dated(found, None) is found


def test_where_the_rows_do_not_tell_the_day_from_the_month_people_are_asked():
    found = column("when", pd.Series(["03/04/2026"] * 9))
    with pytest.raises(DataError, match=r"can be read as %d/%m/%Y and as %m/%d/%Y.*choose with --dates day-first or"):
        dated(found, None)
    assert dated(found, DayOrMonth.MONTH).time_format == "%m/%d/%Y"
    assert dated(found, DayOrMonth.DAY).time_format == "%d/%m/%Y"


def test_times_of_which_some_carry_an_offset_are_told_from_those_of_which_none_does():
    mixed = column("when", pd.Series(["2026-11-20T09:00:00Z", "2026-11-20T09:00:00"]))
    assert (mixed.zoned, mixed.partly_zoned) == (False, True)
    plain = column("when", pd.Series(["2026-11-20T09:00:00"]))
    assert (plain.zoned, plain.partly_zoned) == (False, False)


def test_a_column_of_durations_is_opaque():
    assert holds(pd.to_timedelta(range(9), unit="s")) is Holds.OPAQUE


@pytest.mark.parametrize(("first", "format"), [(1_790_000_000, "epoch_s"), (1_790_000_000_000, "epoch_ms")])
def test_numbers_are_times_where_their_name_says_so(first, format):
    values = pd.Series([first + n * 997 for n in MANY])
    assert column("created_ts", values).time_format == format
    assert column("account", values).holds is not Holds.TIME


@pytest.mark.parametrize(("written", "zoned"), [("2026-10-01T10:00:00Z", True), ("2026-10-01 10:00:00+02", True),
                                                ("2026-10-01 10:00+0200", True), ("2026-10-01 10:00:00", False),
                                                ("2026-10-01", False)])  # fmt: skip
def test_times_that_carry_their_offset_are_known_to(written, zoned):
    assert column("at", pd.Series([written, written.replace("10-01", "10-02")])).zoned is zoned


def test_missing_values_are_counted_and_blank_is_missing():
    assert column("x", pd.Series(["a", "", None, "b"])).missing == 0.5


def test_every_column_is_looked_at_also_one_whose_name_is_a_number():
    assert list(look(pd.DataFrame({0: ["a", "b"], "y": [1, 2]}))) == ["0", "y"]


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, np.array([1.0, 2.0]), b"\xff\x00", timedelta(seconds=9), 1j])
def test_lists_structures_and_bytes_are_opaque_and_no_feature(value):
    found = drafted(calls(vector=[value] * 599 + [None]))
    assert column("vector", pd.Series([value] * 3 + [None])).holds is Holds.OPAQUE
    assert found.left_out["vector"] == REFUSED[Holds.OPAQUE]
