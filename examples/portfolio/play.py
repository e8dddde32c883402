"""Plays the nights of a portfolio's model: logs what it answered and what was true, and judges by Vigil's own steps."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from vigil.sdk import log_outcomes, log_predictions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from vigil.config.schema import Monitor
    from vigil.ports import Ports
    from vigil.verdicts.types import NightResult

SEED = 7
ACTOR = "demo@example.com"


class Night(NamedTuple):
    """A day of the data, the day it is played as, and what goes wrong on it."""

    own: date
    played: date
    fault: object = None


class Cast(NamedTuple):
    """One model, ready to play: its module, its monitor, the version that answers, and where it logs."""

    example: ModuleType
    monitor: Monitor
    model: Any
    version: str
    root: Path


def cast(ports: Ports, example: ModuleType, monitor: Monitor, root: Path) -> Cast:
    """Trains, registers and promotes the model, and its rules as the fallback where it has some."""
    from examples.register import register_portfolio
    from vigil.adapters.mlflow_registry import MlflowRegistry
    from vigil.usecases.promote import promote

    assert isinstance(ports.registry, MlflowRegistry)  # where the examples are registered
    version = register_portfolio(ports.registry, example).version
    promote(ports, monitor, version, actor=ACTOR, reason="first version")
    if hasattr(example, "rules"):
        rules = register_portfolio(ports.registry, example, "rules").version
        promote(ports, monitor, rules, actor=ACTOR, reason="rules that people wrote", alias="fallback")
    return ready(ports, example, monitor, root, version)


def ready(ports: Ports, example: ModuleType, monitor: Monitor, root: Path, version: str) -> Cast:
    """A registered version, checked against its manifest and loaded."""
    import mlflow

    folder = ports.registry.verify(example.MODEL, version)
    return Cast(example, monitor, mlflow.pyfunc.load_model(str(folder)).unwrap_python_model(), version, root)


def answered(example: ModuleType, model: Any, night: Night) -> pd.DataFrame:
    """What the log holds of a night, and `label`."""
    rows = example.night_rows(night.own, seed=SEED, fault=night.fault, played=night.played)
    seen = pd.concat([rows, model.predict(None, rows).reset_index(drop=True)], axis=1).assign(status="ok")
    kept: pd.DataFrame = example.kept(seen) if hasattr(example, "kept") else seen
    return kept


def serve(cast: Cast, night: Night, *, known_by: date | None = None) -> int:
    """Logs a night, and its labels unless they are known only after `known_by`. Returns the number of rows."""
    rows = answered(cast.example, cast.model, night)
    name = f"{night.played}-{night.fault or 'quiet'}"
    log_predictions(
        cast.example.MODEL,
        rows.drop(columns=["label"]),
        environment=cast.example.ENVIRONMENT,
        model_version=cast.version,
        batch_id=name,
        root=cast.root,
    )
    late = timedelta(days=cast.example.LABEL_DAYS)
    if known_by is None or night.played + late <= known_by:
        told = rows[["prediction_id"]].assign(label=rows["label"].astype(str), observed_at=rows["served_at"] + late)
        log_outcomes(cast.example.MODEL, told, batch_id=name, root=cast.root)
    return len(rows)


def past(ports: Ports, cast: Cast, nights: Sequence[Night], *, known_by: date | None = None) -> list[NightResult]:
    """Nights of history: logged, and judged as `vigil backfill` does. Opens no incident."""
    from vigil.usecases.backfill import backfill

    for night in nights:
        serve(cast, night, known_by=known_by)
    return list(backfill(ports, cast.monitor, [n.played for n in nights]))


def tonight(ports: Ports, cast: Cast, night: Night) -> NightResult:
    """A night as the DAG judges it, up to the incident; nothing is sent, and no alias moves."""
    from vigil.core.stages import JUDGING, Stage
    from vigil.usecases.night.run import run_night

    serve(cast, night, known_by=night.played)
    stages = (*JUDGING, Stage.CORRELATE, Stage.ACCOUNT)
    run_night(ports, cast.monitor, night.played, stages=stages)
    found = ports.results.latest(cast.monitor.model, cast.monitor.environment, night.played)
    assert found is not None
    return found
