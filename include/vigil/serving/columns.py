"""Request columns against the model's signature: typed Arrow columns, or a refusal that names what does not fit."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vigil.core.spec import Spec
from vigil.core.value_word import word
from vigil.profiles.layout import FeatureType
from vigil.serving.protocol import Columns, Refusal

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_ID = 200


class Column(Spec):
    """One input of a model: name, MLflow type, and whether requests must have it."""

    name: str
    kind: str
    required: bool = True


def fit(signature: Sequence[Column], given: Columns) -> "pa.Table":
    """The signature's columns, in its order, with its types.

    Nothing is cast that would lose something: text is not a number, 1.5 is not whole, and a whole number or a
    boolean cannot be missing (as in MLflow). Raises Refusal 400 that names every column that does not fit.
    """
    import pyarrow as pa

    missing = [c.name for c in signature if c.required and c.name not in given]
    problems = [f"missing column(s): {', '.join(missing)}"] if missing else []
    arrays = {}
    for column in signature:
        if column.name in given:
            try:
                arrays[column.name] = KINDS[column.kind](given[column.name])
            except _Unfit as unfit:
                problems.append(f"column {column.name!r}: {unfit} (the model's signature says {column.kind})")
    if not problems and not arrays:
        problems = [f"none of the model's columns: {', '.join(c.name for c in signature)}"]
    if problems:
        raise Refusal(400, "; ".join(problems))
    return pa.table(arrays)


def fit_extra(name: str, kind: FeatureType, values: list[Any]) -> "pa.Array":
    """A column that the model does not take but the monitor names: a number column, or text."""
    try:
        return _floats(values) if kind is FeatureType.NUMERIC else _as_text(values)
    except _Unfit as unfit:
        raise Refusal(400, f"column {name!r}: {unfit} (the monitor says {kind.value})") from None


def fit_ids(name: str, values: list[Any]) -> list[str]:
    """The caller's own prediction ids: text, not empty, each once."""
    good = all(isinstance(v, str) and 0 < len(v) <= LONGEST_ID and v.isprintable() for v in values)
    if not good or len(set(values)) != len(values):
        raise Refusal(400, f"column {name!r}: every row needs its own id, a text of 1 to {LONGEST_ID} characters")
    return values


class _Unfit(Exception):
    """What a column has that it should not have, without the value."""


def _floats(values: list[Any], bits: int = 64) -> "pa.Array":
    import pyarrow as pa

    kinds = set(map(type, values))  # JSON has no subtypes, and this is many times faster than asking each value
    if not kinds <= {int, float, type(None)}:
        raise _Unfit("needs numbers")
    try:
        if int in kinds:  # Arrow refuses those that a float cannot hold exactly; a float column may round them
            values = [None if v is None else float(v) for v in values]
        return pa.array(values, pa.float64() if bits == 64 else pa.float32())
    except OverflowError:
        raise _Unfit("has a number that is too large") from None


def _whole(values: list[Any], bits: int = 64) -> "pa.Array":
    import pyarrow as pa

    if any(v is None or (isinstance(v, float) and math.isnan(v)) for v in values):
        raise _Unfit("has missing values, and whole numbers cannot be missing")
    fine = all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values)
    if not fine or any(int(v) != v for v in values):
        raise _Unfit("needs whole numbers")
    if any(not -(2 ** (bits - 1)) <= v < 2 ** (bits - 1) for v in values):
        raise _Unfit("has a number that is too large")
    return pa.array([int(v) for v in values], pa.int64() if bits == 64 else pa.int32())


def _booleans(values: list[Any]) -> "pa.Array":
    import pyarrow as pa

    if not all(isinstance(v, bool) for v in values):
        raise _Unfit("needs true or false in every row")
    return pa.array(values, pa.bool_())


def _texts(values: list[Any]) -> "pa.Array":
    import pyarrow as pa

    if not set(map(type, values)) <= {str, type(None)}:
        raise _Unfit("needs text")
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        raise _Unfit("has text that is not valid Unicode") from None


def _as_text(values: list[Any]) -> "pa.Array":
    if not all(v is None or isinstance(v, str | int | float) for v in values):
        raise _Unfit("needs single values")
    return _texts([word(v) for v in values])


def _times(values: list[Any]) -> "pa.Array":
    import pyarrow as pa

    try:
        return pa.array([None if v is None else _instant(v) for v in values], pa.timestamp("us"))
    except (TypeError, ValueError, OverflowError):
        raise _Unfit("needs dates or times in ISO 8601") from None


def _instant(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


KINDS: dict[str, Callable[[list[Any]], "pa.Array"]] = {
    "boolean": _booleans,
    "integer": lambda values: _whole(values, 32),
    "long": _whole,
    "float": lambda values: _floats(values, 32),
    "double": _floats,
    "string": _texts,
    "datetime": _times,
}
