"""Contributions for what the gateway logs, and for holdouts: a process beside it explains a sample of the rows.

A process of its own, with low priority: shap and the model's second copy never share an interpreter with answers, and a
model that hangs or crashes while it is explained takes nothing down.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from vigil.adapters.shap_values import BACKGROUND, CannotExplain, contributions, score_of
from vigil.core.errors import RegistryError
from vigil.core.sample import in_sample
from vigil.core.words import Task
from vigil.ports import ReadLog, Registry

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

log = logging.getLogger(__name__)
SECONDS = 120.0  # that one batch's explanations may take, the first one's imports included
MOST = 500  # rows of one batch and version that are explained


class ShapExplainer:
    """Adds `contrib__<feature>` to rows of the prediction log: numbers in the sample, null elsewhere.

    A row is compared with the version's own holdout, or with the model's reference rows. Versions that cannot be
    explained are named in the log once, and are not tried again by this process. Used by one thread at a time.
    """

    def __init__(
        self,
        registry: Registry,
        to: ReadLog,
        *,
        share: float,
        seconds: float = SECONDS,
        worker: Callable[[Any], None] | None = None,
    ) -> None:
        """share: of all ids. seconds: for one batch. worker: what the process runs; `work` unless a test says else."""
        self._registry, self._log = registry, to
        self._share, self._seconds, self._worker = share, seconds, worker or work
        self._gave_up: set[tuple[str, str]] = set()
        self._process: Any = None
        self._line: Any = None

    def __call__(self, monitor: Monitor, rows: pa.Table, *, share: float | None = None) -> pa.Table:
        """The rows with contributions of the sample's answered ones. Never raises, and never drops a row."""
        d, part = monitor.data, self._share if share is None else share
        ids, versions = rows[d.prediction_id].to_pylist(), rows[d.model_version].to_pylist()
        good = [s == "ok" for s in rows[d.status].to_pylist()]
        wanted: dict[str, list[int]] = {}
        for at, (one, version) in enumerate(zip(ids, versions, strict=True)):
            if good[at] and in_sample(str(one), part) and len(wanted.get(str(version), ())) < MOST:
                wanted.setdefault(str(version), []).append(at)
        columns: dict[str, list[float | None]] = {}
        for version, places in wanted.items():
            for feature, values in self._explained(monitor, version, rows.take(places)).items():
                column = columns.setdefault(f"contrib__{feature}", [None] * rows.num_rows)
                for at, value in zip(places, values, strict=True):
                    column[at] = value
        return _with(rows, columns)

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = None

    def _explained(self, monitor: Monitor, version: str, rows: pa.Table) -> Mapping[str, list[float]]:
        if (monitor.model, version) in self._gave_up:
            return {}
        try:
            return self._ask(monitor, version, rows)
        except CannotExplain as why:
            reason = str(why)
        except Exception as error:  # noqa: BLE001 - process border: a missing explanation must not hold a row back
            reason = f"{type(error).__name__}"
        self._gave_up.add((monitor.model, version))
        log.warning("model %s version %s: no contributions are logged: %s", monitor.model, version, reason)
        return {}

    def _ask(self, monitor: Monitor, version: str, rows: pa.Table) -> Mapping[str, list[float]]:
        known, folder = self._background(monitor, version), self._registry.verify(monitor.model, version)
        positive = monitor.decision.positive if monitor.task is Task.BINARY and monitor.decision else None
        if self._process is None or not self._process.is_alive():
            self._start()
        self._line.send((str(folder), positive, list(monitor.features), rows, known))
        if not self._line.poll(self._seconds):
            self.close()
            raise CannotExplain(f"it took more than {self._seconds:g} s")
        try:
            found = self._line.recv()
        except EOFError:
            self.close()
            raise CannotExplain("the process that explains it ended") from None
        if isinstance(found, str):
            raise CannotExplain(found)
        return dict(found)

    def _background(self, monitor: Monitor, version: str) -> pa.Table:
        """Rows that stand for what is usual: evenly from the version's holdout, else from the reference."""
        try:
            known = self._registry.holdout(monitor.model, version)
        except RegistryError:
            known = self._log.reference(monitor.model)
        if known is None or not known.num_rows:
            raise CannotExplain("it has neither a holdout nor reference rows to compare with")
        step = max(1, known.num_rows // BACKGROUND)
        return known.take(list(range(0, known.num_rows, step))[:BACKGROUND])

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._line, theirs = spawn.Pipe()
        self._process = spawn.Process(target=self._worker, args=(theirs,), name="vigil-explain", daemon=True)
        self._process.start()
        theirs.close()


def work(line: Any) -> None:
    """The process: explains what it is sent until the other end is gone."""
    os.nice(10)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    models: dict[str, Any] = {}
    while True:
        try:
            folder, positive, features, rows, known = line.recv()
        except (EOFError, OSError):
            return
        try:
            line.send(_one(models, folder, positive, features, rows, known))
        except CannotExplain as why:
            line.send(str(why))
        except Exception as error:  # noqa: BLE001 - process border: a model may raise anything; its text may hold data
            line.send(f"it raised {type(error).__name__}")


def _one(
    models: dict[str, Any], folder: str, positive: str | None, features: list[str], rows: pa.Table, known: pa.Table
) -> dict[str, list[float]]:
    from mlflow import pyfunc

    if folder not in models:
        models[folder] = pyfunc.load_model(folder)
    model = models[folder]
    inputs = [c.name for c in model.metadata.get_input_schema()]
    if missing := [n for n in inputs if n not in rows.column_names or n not in known.column_names]:
        raise CannotExplain(f"its column {missing[0]!r} is not in the reference rows or not in the log")
    mine = rows.select(inputs)
    background = known.select(inputs).cast(mine.schema, safe=False)
    found = contributions(score_of(model, positive), mine.to_pandas(), background.to_pandas())
    return {name: values for name, values in found.items() if name in features}


def _with(rows: pa.Table, columns: Mapping[str, list[float | None]]) -> pa.Table:
    import pyarrow as pa

    for name, values in columns.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.array(values, pa.float64()))
    return rows
