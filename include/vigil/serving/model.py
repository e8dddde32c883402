"""One loaded model version: what it takes, and what it answers."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError
from vigil.core.value_word import word
from vigil.core.words import Task
from vigil.serving.answers import Answer, read_answer
from vigil.serving.columns import KINDS, Column
from vigil.serving.record import check_names, named_columns

if TYPE_CHECKING:
    import pyarrow as pa


class LoadedModel:
    """A version in memory. `predict` may be called by several threads.

    signature: its inputs, in its own order.
    """

    def __init__(self, version: str, signature: tuple[Column, ...], pyfunc: Any, *, positive: str | None) -> None:
        self.version = version
        self.signature = signature
        self._pyfunc = pyfunc
        self._scores = _positive_class(pyfunc, positive)

    def predict(self, features: "pa.Table") -> Answer:
        """The model's answer to the rows. Raises whatever the model raises, or UnfitAnswer."""
        frame = features.to_pandas()
        answer = read_answer(self._pyfunc.predict(frame), features.num_rows)
        if answer.scores is None and self._scores is not None:
            estimator, at = self._scores
            answer = answer._replace(scores=estimator.predict_proba(frame)[:, at].astype("float64").tolist())
        return answer


def load(folder: Path, monitor: Monitor, version: str) -> LoadedModel:
    """Loads a version from a folder whose files were verified. Raises RegistryError when it cannot be served."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import pyfunc

    where = f"model {monitor.model!r} version {version}"
    model = pyfunc.load_model(str(folder))
    signature = _signature(model, where)
    check_names(
        monitor,
        {c.name for c in signature}.union(named_columns(monitor)),
        where=where,
    )
    decision = monitor.decision if monitor.task is Task.BINARY else None
    return LoadedModel(version, signature, model, positive=decision.positive if decision else None)


def _signature(model: Any, where: str) -> tuple[Column, ...]:
    schema = model.metadata.get_input_schema()
    if schema is None or schema.is_tensor_spec() or not schema.has_input_names():
        raise RegistryError(
            f"{where}: no signature with named columns, so requests cannot be checked; "
            "log it with `signature=infer_signature(frame, ...)` of a DataFrame, or with an input example"
        )
    found = tuple(Column(name=c.name, kind=getattr(c.type, "name", str(c.type)), required=c.required) for c in schema)
    unknown = [c.name for c in found if c.kind not in KINDS]
    if unknown:
        raise RegistryError(
            f"{where}: column(s) {', '.join(unknown)} are of a kind that is not one of {', '.join(KINDS)}"
        )
    return found


def _positive_class(model: Any, positive: str | None) -> tuple[Any, int] | None:
    """The scikit-learn estimator behind a binary model, and which of its probabilities is the positive class's."""
    if positive is None or "sklearn" not in model.metadata.flavors:
        return None
    estimator = model.get_raw_model()
    names = [word(c) for c in getattr(estimator, "classes_", ())]
    return (estimator, names.index(positive)) if hasattr(estimator, "predict_proba") and positive in names else None
