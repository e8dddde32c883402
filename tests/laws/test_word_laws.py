"""One value has one word at every door: Python, pandas, Arrow, and SQL over stored columns of any type."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from unicodedata import normalize

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.adapters.arrow_word import word_column
from vigil.adapters.duckdb_rows import columns_of, text_of
from vigil.core.errors import DataError
from vigil.core.spec import Spec, ValueWord
from vigil.core.value_word import BLANKS, word
from vigil.intake.column_values import text
from vigil.serving.answers import read_answer

known = st.characters(exclude_categories=("Cs", "Cn", "Co"), exclude_characters="\x00")  # of any version of Unicode
letters = st.text(known, max_size=6)
hard = st.sampled_from(
    ["1.0", "-0.0", "-0", "1.10", "007.0", "true", "TRUE", "tRUE", "False", "nan", "NULL", "", "é", "é", "1e3", "K"]
)
blanks = st.text(st.sampled_from(BLANKS), max_size=2)
texts = st.builds(lambda before, middle, after: before + middle + after, blanks, letters | hard, blanks)
# repr of a float below 1e-4 has an exponent, and a decimal has none
tenths = st.decimals(-(10**9), 10**9, places=4, allow_nan=False)


@pytest.fixture(scope="module")
def db():
    with duckdb.connect(":memory:", config={"threads": 1}) as made:
        made.execute("SET TimeZone = 'UTC'")
        yield made


def by_sql(db, column: pa.Array) -> list[str | None]:
    db.register("given", pa.table({"x": column}))
    kind = columns_of(db, "given")["x"]
    return [found for (found,) in db.sql(f"SELECT {text_of('x', kind)} FROM given").fetchall()]


def everywhere(db, column: pa.Array) -> list[list[str | None]]:
    """The words of an Arrow column through each door that takes such a column."""
    return [
        [
            word(v)
            for v in (column.to_numpy(zero_copy_only=False) if column.type == pa.float32() else column.to_pylist())
        ],
        list(text(column.to_pandas())),
        word_column(pa.chunked_array([column])).to_pylist(),
        by_sql(db, column),
        by_sql(db, column.dictionary_encode()),
    ]


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_has_one_word_in_every_type_and_at_every_door(db, number):
    typed = [
        pa.array([number, None], pa.int64()), pa.array([number, None], pa.float64()), pa.array([str(number), None]),
        pa.array([Decimal(number).quantize(Decimal("0.00")), None], pa.decimal128(38, 2)),
    ]  # fmt: skip
    if abs(number) < 2**24:
        typed.append(pa.array([number, None], pa.float32()))
    for column in typed:
        for words in everywhere(db, column):
            assert words == [str(number), None], column.type
    written = f"{number}.0" if number else "0.0"  # as pandas and spreadsheets write whole floats
    assert word(written) == word(np.int64(number)) == word(np.float64(number)) == str(number)
    for values in ([number], [float(number)], np.array([float(number)]), pd.Series([number], dtype="Int64")):
        assert read_answer(values, 1).texts == [str(number)]


@given(st.booleans())
def test_yes_and_no_have_the_words_of_one_and_nought(db, value):
    expected = str(int(value))
    for column in (pa.array([value, None]), pa.array([str(value), None]), pa.array([str(value).lower(), None])):
        for words in everywhere(db, column):
            assert words == [expected, None]
    same = [
        value,
        np.bool_(value),
        int(value),
        float(value),
        Decimal(value),
        str(value),
        str(value).upper(),
        f"{int(value)}.0",
    ]
    assert {word(v) for v in same} == {expected}
    assert list(text(pd.Series([value, None], dtype="boolean"))) == [expected, None]
    assert read_answer(np.array([value]), 1).texts == [expected]


class Declared(Spec):
    value: ValueWord


@given(st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9))
def test_a_value_that_yaml_has_in_quotes_has_the_word_of_the_value_in_the_log(value):
    assert Declared.model_validate({"value": str(value)}).value == word(value)


@given(st.lists(st.none() | texts, min_size=1, max_size=20))
def test_text_has_one_word_at_every_door(db, given):
    column = pa.array(given, pa.string())
    expected = [word(v) for v in given]
    for words in everywhere(db, column):
        assert words == expected


@given(texts)
def test_the_word_of_a_word_is_that_word(given):
    once = word(given)
    assert word(once) == once


@given(letters)
def test_composed_and_decomposed_letters_and_blanks_around_them_make_no_other_word(given):
    assert word(normalize("NFD", given)) == word(normalize("NFC", given)) == word(f"\t{given}\u00a0 ")


@given(st.lists(st.none() | st.floats(width=64), min_size=1, max_size=20))
def test_a_float_has_one_word_at_every_door(db, given):
    expected = [word(v) for v in given]
    for words in everywhere(db, pa.array(given, pa.float64())):
        assert words == expected
    again = pd.read_csv(
        StringIO(pd.DataFrame({"x": [v for v in given if v is not None]}).to_csv(index=False)), dtype=str
    )
    kept = [w for v, w in zip(given, expected, strict=True) if v is not None]
    through_csv = [None if w == "" else w for w in again["x"].fillna("")]
    assert [word(w) for w in through_csv] == kept


@given(st.lists(st.none() | st.floats(-(2.0**53), 2.0**53, width=32), min_size=1, max_size=20))
def test_a_float_of_four_bytes_has_one_word_at_every_door(db, given):
    column = pa.array(given, pa.float32())
    first, *others = everywhere(db, column)
    assert all(words == first for words in others)


@given(tenths)
def test_a_decimal_has_the_word_of_the_float(db, given):
    column = pa.array([given], pa.decimal128(20, 6))
    for words in everywhere(db, column):
        assert words == [word(given)]
    if given == 0 or abs(given) >= Decimal("0.0001"):
        assert word(given) == word(float(given))


@given(st.dates(date(1970, 1, 2), date(2200, 1, 1)), st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_times_have_one_word_at_every_door(db, day, moment):
    for column in (
        pa.array([day]), pa.array([moment], pa.timestamp("us")), pa.array([moment], pa.timestamp("us", "UTC")),
    ):  # fmt: skip
        first, *others = everywhere(db, column)
        assert all(words == first for words in others)
    assert word(pd.Timestamp(moment, tz="UTC")) == word(moment.replace(tzinfo=UTC))


@given(st.lists(st.none() | letters, min_size=1, max_size=10))
def test_bytes_of_a_text_have_its_word(db, given):
    column = pa.array([None if v is None else v.encode() for v in given], pa.binary())
    for words in everywhere(db, column):
        assert words == [word(v) for v in given]


def test_a_version_is_not_rounded():
    assert [word(v) for v in ("1.10", "1.1", "2.0.0", "007", "v1.0")] == ["1.10", "1.1", "2.0.0", "007", "v1.0"]


MISSING = [
    None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), np.datetime64("NaT"), Decimal("NaN"), "", " \u3000",
]  # fmt: skip
NO_SINGLE_VALUE = [
    1 + 2j, [1], {"a": 1}, np.array([1, 2]), np.complex64(1), pd.Timedelta("1s"), np.timedelta64(1, "ns"), b"\xff",
]  # fmt: skip


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_what_is_missing_has_no_word(missing):
    assert word(missing) is None


@pytest.mark.parametrize("value", NO_SINGLE_VALUE, ids=repr)
def test_what_is_no_single_value_is_refused(value):
    with pytest.raises(DataError):
        word(value)


def test_an_instant_of_numpy_has_the_word_of_that_of_python():
    assert word(np.datetime64("2026-11-20T09:00:00.5", "ns")) == word(datetime(2026, 11, 20, 9, 0, 0, 500_000))  # noqa: DTZ001
