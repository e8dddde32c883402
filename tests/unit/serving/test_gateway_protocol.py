"""What the gateway takes for a request, and how it refuses the rest without repeating it."""

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.profiles.layout import FeatureType
from vigil.serving.columns import Column, fit, fit_extra, fit_ids
from vigil.serving.protocol import Refusal, parse

SECRET = "Jane-4711"
NAMES = ("a", "b", "c")
cells = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
tables = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, cells)), min_size=1, max_size=5)


def refused(body: object, **given: Any) -> Refusal:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refusal) as caught:
        parse(text, **{"known": {"a", "b"}, "most": 10, **given})
    assert SECRET not in str(caught.value)
    return caught.value


@given(tables)
def test_all_formats_say_the_same_rows(rows: list[dict[str, Any]]) -> None:
    by_column = {name: [row[name] for row in rows] for name in NAMES}
    bodies = [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": list(NAMES), "data": [[row[n] for n in NAMES] for row in rows]}},
        {
            "dataframe_split": {
                "columns": list(NAMES),
                "index": [7] * len(rows),
                "data": [[r[n] for n in NAMES] for r in rows],
            }
        },
        *({kind: said} for kind in ("inputs", "instances") for said in (rows, by_column)),
    ]
    for body in bodies:
        columns, count = parse(json.dumps(body).encode(), known=NAMES, most=5)
        assert (columns, count) == (by_column, len(rows))


@given(tables, st.sets(st.sampled_from(NAMES)))
def test_a_column_that_nobody_knows_is_refused_by_name_in_every_format(
    rows: list[dict[str, Any]], known: set[str]
) -> None:
    by_column = {name: [row[name] for row in rows] for name in NAMES}
    split = {"columns": list(NAMES), "data": [list(row.values()) for row in rows]}
    one = {name: f"{SECRET}{name}" for name in NAMES}
    for body in ({"dataframe_records": rows}, {"dataframe_split": split}, {"inputs": by_column}, {"instances": one}):
        if known == set(NAMES):
            assert set(parse(json.dumps(body).encode(), known=known, most=5)[0]) == known
            continue
        refusal = refused(body, known=known)
        assert refusal.status == 400
        listed = str(refusal).partition(": ")[2].partition(";")[0]
        assert listed == ", ".join(f'"{name}"' for name in NAMES if name not in known)


def test_a_refusal_of_many_long_or_odd_names_stays_short_and_printable() -> None:
    names = ["\ud800", "<b>\n", *("x" * 500 + str(n) for n in range(50))]
    text = str(refused({"inputs": [dict.fromkeys(names, SECRET)]}))
    assert "and 42 more" in text
    assert len(text) < 1000
    assert text.isascii()
    assert text.isprintable()


def test_a_key_that_a_record_lacks_is_a_null_there() -> None:
    body = json.dumps({"dataframe_records": [{"a": 1}, {"b": 2}]}).encode()
    assert parse(body, known=("a", "b"), most=5) == ({"a": [1, None], "b": [None, 2]}, 2)


def test_one_object_of_single_values_is_one_row() -> None:
    assert parse(b'{"inputs": {"a": 1, "b": "x"}}', known=("a", "b"), most=5) == ({"a": [1], "b": ["x"]}, 1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"inputs": [{"a": "Jane-4711"', "not valid JSON"),
        (b"\xff\xfe\xfa", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"inputs": [{"a": ' + b"1" * 5000 + b"}]}", "not valid JSON"),
        ([{"a": SECRET}], "not a JSON object"),
        ({}, "exactly one of"),
        ({SECRET: 1}, "exactly one of"),
        ({"inputs": [{"a": 1}], "instances": [{"a": 1}]}, "exactly one of"),
        ({"inputs": [{"a": 1}], SECRET: 1}, "exactly one of"),
        ({"inputs": [{"a": 1}], "params": {"t": SECRET}}, "`params`"),
        ({"inputs": SECRET}, "list of objects"),
        ({"inputs": [SECRET]}, "row 0"),
        ({"instances": [[1, SECRET]]}, "row 0"),
        ({"inputs": []}, "no rows"),
        ({"inputs": {}}, "no rows"),
        ({"inputs": {"a": []}}, "no rows"),
        ({"inputs": {"a": [1, 2], "b": [SECRET]}}, "same length"),
        ({"inputs": {"a": [1], "b": SECRET}}, "same length"),
        ({"dataframe_records": {"a": [SECRET]}}, "list of objects"),
        ({"dataframe_records": [{"a": 1}, SECRET]}, "row 1"),
        ({"dataframe_split": [SECRET]}, "`columns`"),
        ({"dataframe_split": {"columns": ["a"], "rows": [[SECRET]]}}, "`columns`"),
        ({"dataframe_split": {"columns": ["a", 5], "data": [[1, 2]]}}, "`columns`"),
        ({"dataframe_split": {"columns": [SECRET, SECRET], "data": [[1, 2]]}}, "occurs twice"),
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [SECRET]]}}, "row 1"),
        ({"dataframe_split": {"columns": ["a"], "data": []}}, "no rows"),
    ],
)
def test_a_body_of_another_shape_is_refused_with_400_and_not_repeated(body: object, words: str) -> None:
    refusal = refused(body)
    assert refusal.status == 400
    assert words in str(refusal)


def test_too_many_rows_are_413() -> None:
    refusal = refused({"inputs": [{"a": SECRET}] * 11})
    assert refusal.status == 413
    assert "at most 10" in str(refusal)


def signature(**kinds: str) -> list[Column]:
    return [Column(name=name, kind=kind) for name, kind in kinds.items()]


def test_columns_come_in_the_signatures_order_and_types() -> None:
    made = fit(
        signature(x="double", n="long", i="integer", f="float", b="boolean", s="string", t="datetime"),
        {
            "t": ["2026-03-01T12:00:00+02:00"],
            "s": ["é"],
            "b": [True],
            "f": [1],
            "i": [3.0],
            "n": [2**62],
            "x": [1],
        },
    )
    assert made.schema == pa.schema(
        [
            ("x", pa.float64()),
            ("n", pa.int64()),
            ("i", pa.int32()),
            ("f", pa.float32()),
            ("b", pa.bool_()),
            ("s", pa.string()),
            ("t", pa.timestamp("us")),
        ]
    )
    assert made.to_pylist()[0]["t"].isoformat() == "2026-03-01T10:00:00"
    assert made.to_pylist()[0]["n"] == 2**62


def test_missing_numbers_nan_and_infinities_reach_the_model_and_the_log_as_they_are() -> None:
    values = fit(signature(x="double"), {"x": [None, math.nan, math.inf, 2**53 + 1]}).column("x").to_pylist()
    assert values[0] is None
    assert math.isnan(values[1])
    assert values[2:] == [math.inf, float(2**53)]


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("double", SECRET, "needs numbers"),
        ("double", True, "needs numbers"),
        ("double", [1], "needs numbers"),
        ("double", 10**400, "too large"),
        ("long", SECRET, "needs whole numbers"),
        ("long", 1.5, "needs whole numbers"),
        ("long", False, "needs whole numbers"),
        ("long", math.inf, "needs whole numbers"),
        ("long", None, "missing values"),
        ("long", math.nan, "missing values"),
        ("long", 2**63, "too large"),
        ("integer", 2**31, "too large"),
        ("boolean", 1, "true or false"),
        ("boolean", None, "true or false"),
        ("string", 4711, "needs text"),
        ("string", {"x": SECRET}, "needs text"),
        ("string", "\ud800", "Unicode"),
        ("datetime", SECRET, "ISO 8601"),
        ("datetime", 4711, "ISO 8601"),
    ],
)
def test_a_value_that_does_not_fit_names_the_column_and_not_the_value(kind: str, value: object, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        fit(signature(income=kind), {"income": [value]})
    text = str(caught.value)
    assert caught.value.status == 400
    assert "'income'" in text
    assert words in text
    assert kind in text
    assert SECRET not in text
    assert "4711" not in text


def test_every_problem_of_a_request_is_named_at_once() -> None:
    with pytest.raises(Refusal, match=r"missing column\(s\): a, b; column 'c'"):
        fit(signature(a="double", b="double", c="double"), {"c": ["x"]})


def test_an_optional_column_may_be_missing_but_not_all_of_them() -> None:
    optional = Column(name="o", kind="double", required=False)
    assert fit([*signature(a="double"), optional], {"a": [1.0]}).column_names == ["a"]
    with pytest.raises(Refusal, match="none of the model's columns"):
        fit([optional], {})


def test_a_column_that_only_the_monitor_names_is_a_number_or_text() -> None:
    assert fit_extra("x", FeatureType.NUMERIC, [1, None]).to_pylist() == [1.0, None]
    assert fit_extra("x", FeatureType.CATEGORY, [1, None, True, "<b>"]).to_pylist() == ["1", None, "1", "<b>"]
    for kind, value in ((FeatureType.NUMERIC, SECRET), (FeatureType.CATEGORY, [SECRET])):
        with pytest.raises(Refusal, match="column 'x'") as caught:
            fit_extra("x", kind, [value])
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("ids", [["a", "a"], [""], [None], [7], ["x" * 201], ["a\nb"], ["\ud800"]])
def test_ids_that_do_not_identify_are_refused(ids: list[Any]) -> None:
    with pytest.raises(Refusal, match="every row needs its own id"):
        fit_ids("prediction_id", ids)
