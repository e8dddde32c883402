"""What must hold of every log that others write, however it is written and in whatever pieces it arrives."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.intake.made_source import log, source, wanted
from tests.unit.usecases.intake_stage import NIGHT, append, kept, loans, monitor, stores
from vigil.core.window import night_window
from vigil.intake.column_values import text
from vigil.intake.normalise import normalise
from vigil.intake.times import instants
from vigil.intake.types import Time
from vigil.usecases.ingest import ingest

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
# pandas knows no change of clocks after 2037
moments = st.datetimes(datetime(2001, 1, 1), datetime(2037, 12, 31)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001
values = st.one_of(st.none(), st.booleans(), st.integers(-(10**14), 10**14), st.text(max_size=8),
                   st.floats(allow_nan=True, allow_infinity=False, width=32))  # fmt: skip


def read(values, **time):
    return list(instants(pd.DataFrame({"at": values}), Time(column="at", **time), "x"))


@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_an_instant_is_the_same_however_it_is_written(times, zone):
    utc = [t.replace(tzinfo=UTC) for t in times]
    expected = [pd.Timestamp(t) for t in utc]
    local = [t.astimezone(pd.Timestamp(t).tz_convert(zone).tzinfo) for t in utc]
    assert read([t.isoformat() for t in local], timezone="Asia/Tokyo") == expected
    assert read([t.strftime("%d/%b/%Y %H:%M:%S %z") for t in utc], format="%d/%b/%Y %H:%M:%S %z") == expected
    assert read([str(int(t.timestamp())) for t in utc], format="epoch_s", timezone=zone) == expected
    assert read([int(t.timestamp() * 1000) for t in utc], format="epoch_ms", timezone=zone) == expected
    assert read(pd.Series(utc), timezone=zone) == expected


@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_a_local_time_falls_into_its_own_night_or_where_the_clocks_jump_next_to_it(times, zone):
    for wrote, found in zip(times, read([t.isoformat(" ") for t in times], timezone=zone), strict=True):
        window = night_window(wrote.date(), zone)
        assert window.start <= found.to_pydatetime() < window.end


@given(st.lists(moments, min_size=2, max_size=20), st.sampled_from(ZONES))
def test_local_times_keep_their_order_also_when_the_clocks_change(times, zone):
    found = read([t.isoformat(" ") for t in sorted(times)], timezone=zone)
    assert all(b - a >= timedelta(0) for a, b in pairwise(found))


@given(st.lists(values, min_size=1, max_size=12))
def test_text_of_text_is_that_text(given):
    once = text(pd.Series(given, dtype=object))
    assert list(text(once)) == list(once)
    assert [v for v in once if v is not None and (v == "" or v != v.strip())] == []


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=12))
def test_a_whole_number_is_the_same_text_from_every_type(numbers):
    words = [str(n) for n in numbers]
    for written in (
        numbers,
        [float(n) for n in numbers],
        words,
        [f"{n}.0" for n in numbers],
        pd.array(numbers, "Int64"),
    ):
        assert list(text(pd.Series(written))) == words


@given(
    st.lists(st.sampled_from(["2026-11-20 09:00", "soon", "", None, "2026-11-21T09:00:00Z"]), min_size=1, max_size=30)
)
def test_every_row_is_taken_or_handed_back(times):
    if not any(t and t.startswith("2026") for t in times):
        return
    found = normalise(log(len(times), asked_on=times), source(), wanted(), origin="l.csv")
    named = {r.row for r in found.rejected}
    assert len(found.predictions) + len(named) == len(times)
    assert named == {n for n, t in enumerate(times, 1) if not (t and t.startswith("2026"))}


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.booleans(), st.data())
def test_a_growing_file_gives_the_same_rows_in_whatever_pieces_it_is_read(sizes, named, data):
    whole = loans(sum(sizes), **({} if named else {"ref": None}))
    columns = {"score": "risk", "prediction": "answer", **({"prediction_id": "ref"} if named else {})}
    watched = monitor(source={"columns": columns})
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        append(Path(one) / "loans.csv", whole)
        ingest(at_once := stores(Path(one)), watched, NIGHT, NIGHT)
        piecewise, start = stores(Path(other)), 0
        for size in sizes:
            append(Path(other) / "loans.csv", whole.iloc[start : start + size])
            start += size
            for _ in range(data.draw(st.integers(0, 2))):
                ingest(piecewise, watched, NIGHT, NIGHT, again=data.draw(st.booleans()))
        ingest(piecewise, watched, NIGHT, NIGHT)
        assert kept(piecewise, watched) == kept(at_once, watched)
        assert len(kept(piecewise, watched)) == len(whole)


ROW = st.fixed_dictionaries({
    "ref": st.sampled_from(["1", "2", "3", "4", ""]),
    "asked_on": st.sampled_from(["2026-11-20 09:00", "2026-11-20 10:00", "2026-03-01 09:00", "1970-01-01 00:00",
                                 "2199-01-01 00:00", "soon", ""]),
    "model": st.sampled_from(["ours", "theirs"]),
    "income": st.sampled_from(["1000", "2000", "", "much"]),
    "paid": st.sampled_from(["1", "0", ""]),
    "on": st.sampled_from(["2026-12-01", "2199-12-01", "never", ""]),
})  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(ROW, max_size=8), min_size=1, max_size=3), st.booleans(), st.sampled_from([".csv", ".jsonl"]))
def test_every_row_of_a_source_is_in_exactly_one_place(files, accepted, ending):
    watched = monitor(source={
        "predictions": f"logs/*{ending}", "only": {"model": "ours"},
        "outcomes": {"label": "paid", "observed_at": {"column": "on"}},
    })  # fmt: skip
    with TemporaryDirectory() as home:
        (Path(home) / "logs").mkdir()
        ports = stores(Path(home))
        for number, rows in enumerate(files):
            frame = pd.DataFrame([{"risk": 0.2, "answer": "grant", "city": "Bonn", **row} for row in rows])
            path = Path(home) / "logs" / f"{number}{ending}"
            frame.to_csv(path, index=False) if ending == ".csv" else frame.to_json(path, orient="records", lines=True)
        first, second = (ingest(ports, watched, NIGHT, NIGHT, again=True, accept=lambda _: accepted) for _ in range(2))
        for told in (first, second):
            places = (told.new, told.known, told.conflicting, told.excluded, told.rejected, told.rows_held)
            assert told.rows == sum(places)
            assert told.labels.rows == sum(told.labels.model_dump().values()) - told.labels.rows
            assert told.outcomes == told.labels.new
            lost = {one.origin for one in told.unread}
            assert told.rows == sum(len(rows) for n, rows in enumerate(files) if f"{n}{ending}" not in lost)
        assert second.new == 0
        assert not (accepted and second.held)
