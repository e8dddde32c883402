"""Three lines inside a batch job or a service: what was predicted, and later what was true.

>>> import tempfile, pathlib
>>> from datetime import UTC, datetime
>>> row = {"prediction_id": "a", "served_at": datetime(2026, 11, 20, 9, tzinfo=UTC), "status": "ok",
...        "latency_ms": 12.5, "age": 41, "prediction": "approve"}
>>> files = log_predictions("credit", [row], environment="staging", model_version="3",
...                         root=pathlib.Path(tempfile.mkdtemp()))
>>> len(files)
1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.sample import in_sample
from vigil.core.value_word import word
from vigil.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from vigil.intake.text_facts import TextRules

Explain = Callable[["pd.DataFrame"], Mapping[str, Iterable[float]]]


def log_predictions(  # noqa: PLR0913 - what a batch is made of
    model: str,
    rows: Any,
    *,
    environment: str,
    model_version: str,
    role: str = "champion",
    batch_id: str | None = None,
    root: Path | None = None,
    explain: Explain | None = None,
    explain_share: float = 0.02,
) -> tuple[str, ...]:
    """Commits predictions atomically and returns the files.

    rows: pandas DataFrame, pyarrow Table, or list of dicts, with prediction_id, served_at (time zone aware), status
    ("ok", "error" or "timeout"), latency_ms, the features, and prediction (and score). environment, model_version and
    role are added where the rows do not have them. A column that mixes types is logged as text: the night then counts
    what is wrong with it. Where this machine has the model's monitor, `environment` must be the one that it watches.
    batch_id: the job's own name for the batch; by default a digest of its content, so that a job that is run twice logs
    once. explain: called with a pandas DataFrame of a sample of the rows (the same ones whenever they are logged:
    `explain_share` of all ids), returns feature -> contributions, one a row; they are logged as `contrib__<feature>`,
    null for the other rows; `shap_values_of` makes such a function. No rows are no batch.
    Raises DataError, and writes nothing, when rows do not fit.
    """
    from vigil.wiring import open_log

    table = _table(rows)
    if table.num_rows == 0:
        return ()
    for name, value in (("environment", environment), ("model_version", model_version), ("role", role)):
        if name not in table.column_names:
            table = _with(table, name, value)
    _check_environment(model, table, Settings().monitors_dir)
    batch = batch_id or _content(table)
    if explain is not None:
        table = _explained(table, explain, explain_share)
    return open_log(root or Settings().predictions_dir).write_predictions(model, table, batch_id=batch)


def log_outcomes(model: str, rows: Any, *, batch_id: str | None = None, root: Path | None = None) -> tuple[str, ...]:
    """Commits ground truth atomically and returns the files; batch_id as in `log_predictions`.

    rows: as there, with prediction_id, label (kept as text) and observed_at (time zone aware). A label that is logged
    again with a later observed_at corrects the earlier one. Raises DataError, and writes nothing, when rows do not fit.
    """
    from vigil.wiring import open_log

    table = _table(rows)
    if table.num_rows == 0:
        return ()
    batch = batch_id or _content(table)
    return open_log(root or Settings().predictions_dir).write_outcomes(model, table, batch_id=batch)


def without_text(rows: pd.DataFrame, *columns: str, rules: TextRules | None = None) -> pd.DataFrame:
    """The rows with what may be kept of their texts in place of the texts: length, words, refusal, personal data, …

    columns: names of text columns; each is replaced by `<column>__length`, `<column>__words`, `<column>__non_letters`,
    `<column>__refusal`, `<column>__handoff`, `<column>__pii`, `<column>__pii_kinds`, and `<column>__language` where
    `rules` name languages. See docs/text.md. Raises DataError for a column that is not there.

    >>> import pandas as pd
    >>> without_text(pd.DataFrame({"reply": ["I will put you through."]}), "reply")["reply__handoff"].tolist()
    ['1']
    """
    from vigil.intake.text_columns import text_columns
    from vigil.intake.text_facts import TextRules

    kept = rows
    for column in columns:
        if column not in rows:
            raise DataError(f"there is no column {column!r} of texts; there are {', '.join(map(str, rows.columns))}")
        kept = kept.drop(columns=column).assign(**text_columns(column, rows[column], rules or TextRules()))
    return kept


def shap_values_of(model: Any, background: pd.DataFrame, *, positive: str | None = None) -> Explain:
    """For `log_predictions(…, explain=…)`: contributions by the shap library.

    model: a scikit-learn estimator or pipeline, or a function from a data frame to scores. background: some rows of the
    model's own columns (20 are used), such as of its training data. positive: of a binary model, as the monitor's
    `decision` names it: its probability is explained, and without it that of each row's likeliest class.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 5.0]})
    >>> explain = shap_values_of(LinearRegression().fit(rows, 3 * rows["a"]), rows)
    >>> found = explain(pd.DataFrame({"a": [5.0], "b": [1.0]}))
    >>> round(found["a"][0], 6), abs(round(found["b"][0], 6))
    (12.0, 0.0)
    """
    from vigil.adapters.shap_values import contributions, score_of_estimator

    names, score = list(background.columns), score_of_estimator(model, positive)
    return lambda frame: contributions(score, frame[names], background)


def _explained(table: pa.Table, explain: Explain, share: float) -> pa.Table:
    """With contributions of a sample that is chosen by the id alone. Raises DataError where they do not fit."""
    import pyarrow as pa

    if "prediction_id" not in table.column_names:
        raise DataError("contributions need `prediction_id`: the sample is chosen by it")
    ids = [str(i) for i in table.column("prediction_id").to_pylist()]
    chosen = [n for n, i in enumerate(ids) if in_sample(i, share)]
    if not chosen:
        return table
    found = explain(table.take(chosen).to_pandas())
    for feature, values in found.items():
        given = [float(v) for v in values]
        if len(given) != len(chosen):
            raise DataError(f"explain gave {len(given)} contributions of {feature!r} for {len(chosen)} rows")
        column: list[float | None] = [None] * len(ids)
        for at, value in zip(chosen, given, strict=True):
            column[at] = value
        table = table.append_column(f"contrib__{feature}", pa.array(column, pa.float64()))
    return table


def _check_environment(model: str, table: pa.Table, monitors: Path) -> None:
    """Raises DataError where the model's monitor is at hand and watches another environment: the rows would be lost."""
    import pyarrow.compute as pc

    from vigil.config.load import environment_of

    watched = environment_of(monitors, model)
    named = {value for value in pc.unique(table.column("environment")).to_pylist() if value is not None}
    others = sorted(str(value) for value in named - {watched})
    if watched is not None and others:
        raise DataError(
            f"environment is {', '.join(map(repr, others[:3]))}, and the monitor of {model!r} watches {watched!r}: "
            f"no night would count these rows. Log them as {watched!r}, or change `environment:` in its file in "
            f"{monitors.name}/"
        )


def _table(rows: Any) -> pa.Table:
    """The rows as Arrow. Raises DataError where they are none, or where two columns have one name."""
    import pyarrow as pa

    from vigil.adapters.accepted_rows import check_names

    if isinstance(rows, pa.Table):
        check_names(rows.column_names, "rows")
        return rows
    if isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        check_names(map(str, names), "rows")
        return pa.table({str(name): _column([row.get(name) for row in rows], str(name)) for name in names})
    if hasattr(rows, "columns") and hasattr(rows, "to_dict"):
        check_names(map(str, rows.columns), "rows")
        return pa.table({str(name): _series(rows[name], str(name)) for name in rows.columns})
    raise DataError(f"rows must be a DataFrame, a pyarrow Table or a list of dicts, not {type(rows).__name__}")


def _series(series: Any, name: str) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(series)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return _column(series.tolist(), name)


def _column(values: Sequence[Any], name: str) -> pa.Array:
    """Values as Arrow infers them; a mixture of types, or a number that is too large for one, as words."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        pass
    try:
        return pa.array([word(value) for value in values], type=pa.string())
    except DataError as error:
        raise DataError(f"rows: column {name!r}: {error}; log its parts as columns of their own, or drop it") from None


def _with(table: pa.Table, name: str, value: str) -> pa.Table:
    import pyarrow as pa

    return table.append_column(name, pa.array([value] * table.num_rows, type=pa.string()))


def _content(table: pa.Table) -> str:
    """A digest of the rows as Arrow writes them: the same rows give the same batch."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return f"batch-{sha256(sink.getvalue().to_pybytes()).hexdigest()[:24]}"
