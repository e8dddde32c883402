"""What the prediction log takes: its own columns in their stored types, and of the others what a night can count.

Raises DataError before anything is written, so that a batch is stored whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from vigil.adapters.arrow_word import word_column
from vigil.core.errors import DataError
from vigil.core.words import Role, Status

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTIONS = {
    "prediction_id": "text",
    "served_at": "timestamp",
    "environment": "text",
    "model_version": "name",
    "role": "text",
    "status": "text",
    "latency_ms": "number",
}
OUTCOMES = {"prediction_id": "text", "label": "label", "observed_at": "timestamp"}
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}")
NAMED = 3  # wrong values and columns that a message names

_EXPECTED = {
    "timestamp": "it must be a timestamp with a time zone. A naive time is ambiguous twice a year: localise it first",
    "number": "it must be a number (milliseconds)",
    "text": "it must be text",
    "name": "it must be text",
}


def predictions(rows: pa.Table, model: str) -> pa.Table:
    """The predictions as they are stored. Raises DataError that says what to correct."""
    check_model(model)
    what = f"predictions of {model!r}"
    made = _accepted(rows, PREDICTIONS, what)
    for name, known in (("role", Role), ("status", Status)):
        _check_known(made, name, known, what)
    return made


def outcomes(rows: pa.Table, model: str) -> pa.Table:
    """The outcomes as they are stored, labels as words. Raises DataError that says what to correct."""
    check_model(model)
    return _accepted(rows, OUTCOMES, f"outcomes of {model!r}")


def check_model(model: str) -> None:
    """Raises DataError where a model's name cannot be that of a folder."""
    if not SAFE_NAME.fullmatch(model):
        raise DataError(f"{model!r} cannot name a model's log: letters, digits, '_', '-' and '.' only")


def check_names(names: Iterable[str], what: str) -> None:
    """Raises DataError where two columns have one name; a night tells no capitals from small letters."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.lower())
        seen[name.lower()] = name
        if other is None:
            continue
        if other == name:
            raise DataError(f"{what}: two columns have the name {name!r}; drop or rename one of them")
        raise DataError(
            f"{what}: the columns {other!r} and {name!r} are one where capitals do not count; "
            "drop or rename one of them"
        )


def _accepted(rows: pa.Table, wanted: Mapping[str, str], what: str) -> pa.Table:
    check_names(rows.column_names, what)
    missing = [name for name in wanted if name not in rows.column_names]
    if missing:
        raise DataError(f"{what}: missing column(s) {', '.join(missing)}; there are {', '.join(rows.column_names)}")
    for at, name in enumerate(rows.column_names):
        column = rows.column(at)
        stored = _own(column, name, wanted[name], what) if name in wanted else _countable(column, name, what)
        if stored is not column:
            rows = rows.set_column(at, name, stored)
    return rows


def _own(column: pa.ChunkedArray, name: str, kind: str, what: str) -> pa.ChunkedArray | pa.Array:
    """One of the log's own columns in its stored type."""
    import pyarrow as pa

    if kind not in ("number", "label") and column.null_count:
        raise DataError(f"{what}: {name} is null in {column.null_count} of {len(column)} row(s); fill it in")
    if kind in ("text", "label", "name"):
        column = _countable(column, name, what)
    try:
        stored = _stored(column, kind)
    except (TypeError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{what}: {name} is {column.type}; {_EXPECTED[kind]}") from error
    if kind in ("text", "name") and stored.null_count:
        raise DataError(f"{what}: {name} is empty in {stored.null_count} of {len(column)} row(s); fill it in")
    return stored


def _stored(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray | pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = column.type
    if kind == "timestamp":
        if not pa.types.is_timestamp(type_) or type_.tz is None:
            raise TypeError(type_)
        return column.cast(pa.timestamp("us", tz="UTC"), safe=False)
    if kind == "number":
        if not (pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_null(type_)):
            raise TypeError(type_)
        return column.cast(pa.float64())
    if kind == "name" and _is_text(type_):  # version 1.0 need not be version 1
        plain = column.cast(pa.string())
        return pc.if_else(pc.equal(pc.utf8_trim_whitespace(plain), ""), None, plain)
    return word_column(column)


def _countable(column: pa.ChunkedArray, name: str, what: str) -> pa.ChunkedArray:
    """The column as the log holds it. Raises DataError where its values are no single numbers, words or times."""
    import pyarrow as pa

    type_ = column.type
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if any(fits(type_) for fits in _held()):
        return column
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_fixed_size_binary(type_):
        try:
            return column.cast(pa.binary()).cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DataError(
                f"{what}: {name} holds bytes that are no UTF-8 text; log text, or drop the column"
            ) from None
    if pa.types.is_duration(type_):
        raise DataError(f"{what}: {name} is {column.type}; log it as a number, such as its `dt.total_seconds()`")
    raise DataError(
        f"{what}: {name} is {column.type}, and each row needs a single number, text or time; "
        "log its parts as columns of their own, or drop it"
    )


def _held() -> tuple[Callable[[pa.DataType], bool], ...]:
    from pyarrow import types

    return (
        types.is_null,
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_timestamp,
        types.is_date,
        types.is_time,
        _is_text,
    )


def _is_text(type_: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_dictionary(type_):
        type_ = type_.value_type
    return bool(types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_))


def _check_known(rows: pa.Table, name: str, known: type[Role] | type[Status], what: str) -> None:
    import pyarrow.compute as pc

    wrong = sorted(set(pc.unique(rows.column(name)).to_pylist()) - set(known))
    if wrong:
        named = ", ".join(map(repr, wrong[:NAMED]))
        raise DataError(f"{what}: {name} is {named}; it must be one of {', '.join(known)}")
