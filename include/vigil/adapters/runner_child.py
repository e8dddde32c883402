"""The process that loads a model and scores rows: started by SubprocessRunner, never imported by it.

`python -m vigil.adapters.runner_child JOB` with a job folder that holds `job.json` ({"model": folder,
"inputs": {column: type}, "seconds": s, "megabytes": m}) and `rows.arrow`. It writes `scores.arrow`, or
`problem.json` ({"why": ...}). Reasons name columns, types and places in code: never a value from the rows.
"""

import json
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

from vigil.core.value_word import word

ARROW_TYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "string",
}


class Unfit(Exception):
    """The rows or the answer do not fit; the text is the reason."""


def limit(*, seconds: int, megabytes: int) -> None:
    """Caps this process for good: address space, CPU seconds, no core dump (it would hold rows)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    size = megabytes * 1024 * 1024
    try:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    except (ValueError, OSError):
        if sys.platform != "darwin":  # macOS has no address space limit; CPU and wall clock still hold
            raise


def main(job: Path) -> int:
    """Scores the job; 0 when `scores.arrow` was written."""
    order = json.loads((job / "job.json").read_text())
    limit(seconds=order["seconds"], megabytes=order["megabytes"])
    try:
        _score(job, order)
    except Unfit as unfit:
        why = str(unfit)
    except MemoryError:
        why = f"it needed more memory than the {order['megabytes']} MB it may have"
    except Exception as error:  # noqa: BLE001 - process border: a model may raise anything
        why = f"it raised {type(error).__name__} {_place(error)}"
    else:
        return 0
    (job / "problem.json").write_text(json.dumps({"why": why}))
    return 1


def _score(job: Path, order: dict[str, Any]) -> None:
    try:
        import pyarrow as pa
        from mlflow import pyfunc
    except (ImportError, OSError) as error:  # a library that cannot be mapped is one or the other
        size = order["megabytes"]
        raise Unfit(f"MLflow could not be loaded with {size} MB of memory ({type(error).__name__})") from error
    with pa.OSFile(str(job / "rows.arrow")) as file:
        rows = pa.ipc.open_file(file).read_all()
    frame = _cast(rows, order["inputs"]).to_pandas()
    answer = pyfunc.load_model(order["model"]).predict(frame)
    scores = _table(answer, rows.num_rows)
    with pa.OSFile(str(job / "scores.part"), "wb") as sink, pa.ipc.new_file(sink, scores.schema) as writer:
        writer.write_table(scores)
    (job / "scores.part").rename(job / "scores.arrow")


def _cast(rows: Any, inputs: dict[str, str]) -> Any:
    """Columns in the signature's order and types; a cast that would lose something is refused."""
    import pyarrow as pa

    columns = {}
    for name, kind in inputs.items():
        column = rows.column(name)
        wanted = ARROW_TYPES.get(kind)
        try:
            columns[name] = column.cast(pa.type_for_alias(wanted)) if wanted else column
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Unfit(f"column {name!r} is {column.type}, which is not safely a {kind}") from error
    return pa.table(columns)


def _table(answer: Any, rows: int) -> Any:
    """`prediction` as words, and `score` where there is one, from a DataFrame, a Series or an array."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if isinstance(answer, pd.DataFrame):
        if "prediction" not in answer.columns:
            if answer.shape[1] != 1:
                raise Unfit(f"it answered columns {[str(c) for c in answer.columns]} without `prediction`")
            answer = answer.set_axis(["prediction"], axis=1)
        prediction, score = answer["prediction"].to_numpy(), answer.get("score")
    else:
        prediction, score = np.asarray(answer), None
        if prediction.ndim == 2 and prediction.shape[1] == 1:
            prediction = prediction[:, 0]
    if prediction.ndim != 1 or len(prediction) != rows:
        raise Unfit(f"it answered shape {prediction.shape} for {rows} rows")
    columns = {"prediction": pa.array([word(v) for v in prediction], pa.string())}
    if score is not None:
        columns["score"] = pa.array(score.to_numpy().astype("float64"), pa.float64())
    return pa.table(columns)


def _place(error: BaseException) -> str:
    """Where it was raised: file name and line, no values."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"in {Path(last.filename).name}:{last.lineno} ({last.name})"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
