"""MLflow's scoring protocol: the body of `/invocations` -> the columns that are wanted from it.

Refusals say what is wrong with the shape of a request and never repeat any of it: bodies hold personal data.
"""

import json
from collections.abc import Collection
from typing import Any

from vigil.core.errors import VigilError

FORMATS = ("dataframe_split", "dataframe_records", "inputs", "instances")
ONE_OF = "send a JSON object with exactly one of " + ", ".join(f"`{name}`" for name in FORMATS)

Columns = dict[str, list[Any]]  # name -> one value a row


class Refusal(VigilError):
    """A request that is not answered with a prediction; `status` is the HTTP status, the text has no data in it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def parse(body: bytes, *, wanted: Collection[str], most: int) -> tuple[Columns, int]:
    """The wanted columns that the body has, and its number of rows (1 .. most).

    Other columns are dropped here, so that no request costs more than the columns the model knows.
    A record without a key has a null there. Raises Refusal (400, or 413 for more than `most` rows).

    >>> parse(b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}', wanted={"b"}, most=9)
    ({'b': [2, 4]}, 2)
    """
    kind, content = _content(body)
    if kind == "dataframe_split":
        return _split(content, wanted, most)
    if isinstance(content, list):
        return _records(content, kind, wanted, most)
    if isinstance(content, dict) and kind != "dataframe_records":
        return _by_column(content, kind, wanted, most)
    raise Refusal(400, f"`{kind}` must be a list of objects, one a row" + _or_columns(kind))


def _content(body: bytes) -> tuple[str, Any]:
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, f"the body is not valid JSON; {ONE_OF}") from None
    if not isinstance(whole, dict):
        raise Refusal(400, f"the body is not a JSON object; {ONE_OF}")
    if "params" in whole:
        raise Refusal(400, "`params` are not taken: an answer must depend on logged columns alone")
    if len(whole) != 1 or next(iter(whole)) not in FORMATS:
        raise Refusal(400, f"{ONE_OF} and no other key")
    return next(iter(whole.items()))


def _split(content: Any, wanted: Collection[str], most: int) -> tuple[Columns, int]:
    shape = "`dataframe_split` must be an object with `columns` (a list of names) and `data` (a list of rows)"
    if not isinstance(content, dict) or not content.keys() <= {"columns", "data", "index"}:
        raise Refusal(400, shape)
    names, data = content.get("columns"), content.get("data")
    if not isinstance(names, list) or not isinstance(data, list) or not all(isinstance(n, str) for n in names):
        raise Refusal(400, shape)
    if len(names) != len(set(names)):
        raise Refusal(400, "`dataframe_split`: a column name occurs twice")
    _countable(len(data), most)
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(names):
            raise Refusal(400, f"`dataframe_split`: row {number} does not have one value for each of `columns`")
    return {name: [row[at] for row in data] for at, name in enumerate(names) if name in wanted}, len(data)


def _records(content: list[Any], kind: str, wanted: Collection[str], most: int) -> tuple[Columns, int]:
    _countable(len(content), most)
    for number, row in enumerate(content):
        if not isinstance(row, dict):
            raise Refusal(
                400, f"`{kind}`: row {number} is not an object of column names and values" + _or_columns(kind)
            )
    present = [name for name in wanted if any(name in row for row in content)]
    return {name: [row.get(name) for row in content] for name in present}, len(content)


def _by_column(content: dict[str, Any], kind: str, wanted: Collection[str], most: int) -> tuple[Columns, int]:
    lists = [isinstance(values, list) for values in content.values()]
    if lists and not any(lists):  # {"a": 1, "b": 2}: one row
        return {name: [value] for name, value in content.items() if name in wanted}, 1
    if not all(lists) or len({len(values) for values in content.values()}) > 1:
        raise Refusal(400, f"`{kind}`: an object must have one list for each column, all of the same length")
    rows = len(next(iter(content.values()))) if content else 0
    _countable(rows, most)
    return {name: values for name, values in content.items() if name in wanted}, rows


def _countable(rows: int, most: int) -> None:
    if rows == 0:
        raise Refusal(400, "the request has no rows")
    if rows > most:
        raise Refusal(413, f"the request has {rows} rows; at most {most} are taken at once: send several requests")


def _or_columns(kind: str) -> str:
    return "" if kind == "dataframe_records" else ", or an object with one list for each column"
