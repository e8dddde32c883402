"""MLflow's scoring protocol: the body of `/invocations` -> its columns.

Refusals say what is wrong with the shape of a request. They name columns and never repeat a value: bodies hold
personal data.
"""

import json
from collections.abc import Collection, Mapping, Set
from typing import Any

from vigil.core.errors import VigilError

FORMATS = ("dataframe_split", "dataframe_records", "inputs", "instances")
MOST_NAMES, LONGEST_NAME = 10, 60  # of unknown columns in one refusal
ONE_OF = "send a JSON object with exactly one of " + ", ".join(f"`{name}`" for name in FORMATS)

Columns = dict[str, list[Any]]  # name -> one value a row


class Refusal(VigilError):
    """A request that is not answered with a prediction; `status` is the HTTP status, the text has no data in it."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


def parse(body: bytes, *, known: Collection[str], most: int) -> tuple[Columns, int]:
    """The columns of the body, and its number of rows (1 .. most).

    A record without a key has a null there. Raises Refusal: 400, also for a column that is not among the `known`
    (a misspelt optional column would otherwise be missing without a word), and 413 for more than `most` rows.

    >>> parse(b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}', known={"a", "b"}, most=9)
    ({'a': [1, 3], 'b': [2, 4]}, 2)
    """
    kind, content = _content(body)
    if kind == "dataframe_split":
        return _split(content, known, most)
    if isinstance(content, list):
        return _records(content, kind, known, most)
    if isinstance(content, dict) and kind != "dataframe_records":
        return _by_column(content, kind, known, most)
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


def _split(content: Any, known: Collection[str], most: int) -> tuple[Columns, int]:
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
    _only_known(set(names), known)
    return dict(zip(names, map(list, zip(*data, strict=True)), strict=True)), len(data)


def _records(content: list[Any], kind: str, known: Collection[str], most: int) -> tuple[Columns, int]:
    _countable(len(content), most)
    for number, row in enumerate(content):
        if not isinstance(row, dict):
            raise Refusal(
                400, f"`{kind}`: row {number} is not an object of column names and values" + _or_columns(kind)
            )
    present = {name for row in content for name in row}
    _only_known(present, known)
    return {name: [row.get(name) for row in content] for name in present}, len(content)


def _by_column(content: dict[str, Any], kind: str, known: Collection[str], most: int) -> tuple[Columns, int]:
    lists = [isinstance(values, list) for values in content.values()]
    if lists and not any(lists):  # {"a": 1, "b": 2}: one row
        _only_known(content.keys(), known)
        return {name: [value] for name, value in content.items()}, 1
    if not all(lists) or len({len(values) for values in content.values()}) > 1:
        raise Refusal(400, f"`{kind}`: an object must have one list for each column, all of the same length")
    rows = len(next(iter(content.values()))) if content else 0
    _countable(rows, most)
    _only_known(content.keys(), known)
    return content, rows


def _only_known(names: Set[str], known: Collection[str]) -> None:
    unknown = sorted(names - set(known))
    if not unknown:
        return
    said = ", ".join(json.dumps(name[:LONGEST_NAME]) for name in unknown[:MOST_NAMES])
    more = f" and {len(unknown) - MOST_NAMES} more" if len(unknown) > MOST_NAMES else ""
    raise Refusal(
        400,
        f"unknown column(s): {said}{more}; send the model's own columns and those that its monitor names "
        "(features, protected attributes, the prediction id)",
    )


def _countable(rows: int, most: int) -> None:
    if rows == 0:
        raise Refusal(400, "the request has no rows")
    if rows > most:
        raise Refusal(413, f"the request has {rows} rows; at most {most} are taken at once: send several requests")


def _or_columns(kind: str) -> str:
    return "" if kind == "dataframe_records" else ", or an object with one list for each column"
