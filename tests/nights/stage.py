"""One small bank on real stores (Parquet, DuckDB, SQLite, GX); only registry, chat and models are doubles."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vigil.adapters import sql_engine, sql_lease, sql_ledger, sql_outbox, sql_profiles, sql_results
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.duckdb_suite import CompiledSuite
from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.file_notes import FileNotes
from vigil.adapters.gx_suite import GxSuite
from vigil.adapters.memory import FrozenClock
from vigil.adapters.memory_notifier import MemoryNotifier
from vigil.adapters.memory_registry import MemoryRegistry
from vigil.adapters.parquet_log import ParquetLog
from vigil.adapters.read_only import NoIntake, NoProbe, NoReporter
from vigil.adapters.traffic import CountedElsewhere
from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError
from vigil.core.stages import JUDGING, Stage
from vigil.ports import Ports
from vigil.sdk import log_outcomes, log_predictions
from vigil.usecases.backfill import backfill
from vigil.usecases.night.run import run_night
from vigil.usecases.promote import promote
from vigil.verdicts.types import NightResult, State

MODEL = "shop"
TONIGHT = date(2026, 9, 20)
ROWS = 800
QUALITY = ("missing", "not_finite", "wrong_type", "new_category")
Change = Callable[[pd.DataFrame], pd.DataFrame]


def monitor(**changes: Any) -> Monitor:
    """Approves or denies a credit from an amount, a tenure and a channel; women are compared with men."""
    return Monitor.model_validate(
        {
            "version": "vigil/v1",
            "model": MODEL,
            "environment": "staging",
            "timezone": "Europe/Berlin",
            "task": "binary",
            "data": {"score": "score"},
            "features": {"amount": "numeric", "tenure": "numeric", "channel": "category"},
            "bins": 10,
            "decision": {"positive": "1", "favourable": "approve", "deserving": "0"},
            "protected": [{"attribute": "sex", "reference": "male", "groups": ["female"]}],
            "labels": {"delay_nights": 3, "grace_nights": 2, "mature_share": 0.8},
            "rules": {
                "service": [{"metric": "volume", "sigma": 6, "floor": 200}],
                "quality": [{"metric": m, "breach": "> 0.05"} for m in QUALITY],
                "drift": [{"metric": "mean_shift", "sigma": 6, "floor": 0.3, "hard": "> 1.0"}],
                "performance": [{"metric": "auc", "holdout": -0.1}],
                "fairness": [{"metric": "selection_rate_ratio", "breach": "< 0.80"}],
            },
            "slos": [{"name": "availability", "sli": "availability", "target": 0.99}],
            "risk": {"tier": 2, "affects_access": True},
            "people": {"owner": "owner@example.com", "on_call": ["call@example.com"]},
            "response": {"rollback": "auto", "fallback": "auto", "room": {"staging": "SEV3"}, "recovery_nights": 1},
            **changes,
        }
    )  # fmt: skip


def people(night: date, rows: int = ROWS) -> pd.DataFrame:
    """Who asked on a night: the same people whenever it is asked, and both sexes alike."""
    rng = np.random.default_rng([3, night.toordinal()])
    start = datetime(night.year, night.month, night.day, 6, tzinfo=UTC)
    return pd.DataFrame(
        {
            "prediction_id": [f"{night}-{n:04d}" for n in range(rows)],
            "served_at": [start + timedelta(minutes=n) for n in range(rows)],
            "amount": rng.normal(50, 10, rows),
            "tenure": rng.integers(0, 120, rows).astype(float),
            "channel": rng.choice(["web", "branch"], rows),
            "sex": rng.choice(["female", "male"], rows),
            "status": "ok",
            "latency_ms": 5.0,
            "truth": rng.random(rows),
        }
    )  # fmt: skip


def scored(rows: pd.DataFrame, *, weight: float = 1.0) -> pd.DataFrame:
    """The model's answers: the less somebody earns, the likelier a default."""
    amount = pd.to_numeric(rows["amount"], errors="coerce").fillna(50)
    score = 1 / (1 + np.exp(weight * (amount - 45) / 6))
    return rows.assign(score=score, prediction=np.where(score >= 0.5, "deny", "approve"))


class Runner:
    """Scores like the model, by version: 3 stands for rules that look at the tenure alone."""

    def score(self, model: str, version: str, rows: pa.Table, *, seconds: int, megabytes: int) -> pa.Table:
        """As the port says."""
        frame = rows.to_pandas()
        if version == "3":
            short = frame["tenure"] < 36
            return pa.table({"prediction": np.where(short, "deny", "approve"), "score": np.where(short, 0.7, 0.2)})
        made = scored(frame)
        return pa.table({"prediction": list(made["prediction"]), "score": list(made["score"])})


class SilentRegistry:
    """A registry whose server is down."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            raise RegistryError(f"{name}: MLflow at http://127.0.0.1:9 does not answer; is the server up?")

        return refuse


class Bank:
    """The stores below one folder, and what a night does with them."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder, self.monitor = folder, monitor(**changes)
        self.clock = FrozenClock(datetime(2026, 9, 21, 2, tzinfo=UTC))
        self.registry = MemoryRegistry(folder / "registry")
        self.notifier = MemoryNotifier(clock=self.clock)
        self.log = folder / "log"
        holdout = pa.Table.from_pandas(self.labelled(scored(people(date(2026, 1, 1), 2000))), preserve_index=False)
        for _ in range(3):
            self.registry.add(
                MODEL, files={"MLmodel": b"m"}, inputs={"amount": "double", "tenure": "double"}, holdout=holdout
            )
        engine = sql_engine.open_engine(f"sqlite:///{folder / 'vigil.db'}")
        sql_engine.upgrade(engine)
        self.artifacts = FileArtifacts(folder / "artifacts", "http://127.0.0.1:1")
        self.ports = Ports(
            clock=self.clock,
            log=ParquetLog(self.log),
            intake=NoIntake(),
            scanner=DuckDBScanner(),
            profiles=sql_profiles.SqlProfiles(engine),
            results=sql_results.SqlResults(engine),
            ledger=sql_ledger.SqlLedger(engine, folder / "checkpoints.jsonl"),
            lease=sql_lease.SqlLease(engine),
            outbox=sql_outbox.SqlOutbox(engine),
            quality=GxSuite(folder / "expectations", self.artifacts),
            quality_scan=CompiledSuite(folder / "expectations", self.artifacts),
            reporter=NoReporter(),
            notifier=lambda: self.notifier,
            registry=self.registry,
            runner=Runner(),
            probe=NoProbe(),
            traffic=CountedElsewhere(folder, None),
            artifacts=self.artifacts,
            notes=FileNotes(self.artifacts),
        )

    @staticmethod
    def labelled(rows: pd.DataFrame) -> pd.DataFrame:
        """With the label that follows: the higher the score, the likelier a default."""
        return rows.assign(label=np.where(rows["truth"] < rows["score"], "1", "0"))

    def promoted(self) -> "Bank":
        """Version 1, then 2, are champion; 3 is the fallback."""
        for version, alias in (("1", "champion"), ("3", "fallback"), ("2", "champion")):
            promote(self.ports, self.monitor, version, actor="ada", reason="test", alias=alias)
        return self

    def serve(
        self, night: date, change: Change | None = None, *, rows: int = ROWS, answered: Change | None = None
    ) -> pd.DataFrame:
        """Logs a night. change: what happens to the inputs before the model sees them; answered: to the rows after."""
        asked = people(night, rows)
        made = scored(change(asked) if change else asked)
        made = answered(made) if answered else made
        log_predictions(
            MODEL,
            made.drop(columns=["truth"], errors="ignore"),
            environment="staging",
            model_version="2",
            root=self.log,
        )
        return made

    def tell_truth(self, made: pd.DataFrame, *, days: int = 1) -> None:
        """Logs the labels of rows that were served."""
        rows = self.labelled(made)
        seen = pd.to_datetime(rows["served_at"]) + timedelta(days=days)
        told = pd.DataFrame({"prediction_id": rows["prediction_id"], "label": rows["label"], "observed_at": seen})
        log_outcomes(MODEL, told, root=self.log)

    def teach(self, nights: int = 10) -> "Bank":
        """Quiet nights before tonight, with labels, judged without consequences."""
        days = [TONIGHT - timedelta(days=n) for n in range(nights, 0, -1)]
        for day in days:
            self.tell_truth(self.serve(day))
        list(backfill(self.ports, self.monitor, days))
        return self

    def judged(self, night: date = TONIGHT) -> list[date]:
        """The night's steps until it is judged; the past nights that it restated."""
        return list(run_night(self.ports, self.monitor, night, stages=JUDGING).changed)

    def judge(self, night: date = TONIGHT) -> NightResult:
        """The night's judgement."""
        self.judged(night)
        found: NightResult = self.ports.results.latest(MODEL, "staging", night)
        return found

    def night(self, night: date = TONIGHT) -> str | None:
        """All stages of the nightly DAG but the report; the incident, if there is something to do."""
        stages = [stage for stage in Stage if stage is not Stage.REPORT]
        return run_night(self.ports, self.monitor, night, stages=stages).incident

    def streams(self) -> Mapping[str, list[tuple[str, str]]]:
        """(key, type) of every event, by stream."""
        return {name: [(e.key, e.type) for e in self.ports.ledger.read(name)] for name in self.ports.ledger.streams()}

    def types(self, stream: str) -> list[str]:
        """The types of a stream's events."""
        return [e.type for e in self.ports.ledger.read(stream)]


def states(result: NightResult, metric: str) -> dict[str, State]:
    """Subject -> state of one metric."""
    return {v.subject: v.state for v in result.verdicts if v.metric == metric}


def poorer_women(rows: pd.DataFrame) -> pd.DataFrame:
    """A pipeline writes the amounts of women in another currency."""
    return rows.assign(amount=np.where(rows["sex"] == "female", rows["amount"] * 0.85, rows["amount"]))


def copied(past: Path, to: Path) -> Bank:
    """A bank with another one's past: version 2 is champion, 3 the fallback; tonight nothing was served yet."""
    shutil.copytree(past, to)
    made = Bank(to)
    for version, alias in (("1", "previous"), ("3", "fallback"), ("2", "champion")):
        made.registry.move_alias(MODEL, alias, version)
    made.registry.writes.clear()
    return made


def bank_after(past: Path, to: Path, change: Change) -> Bank:
    """A bank after tonight, with inputs changed so."""
    made = copied(past, to)
    made.serve(TONIGHT, change)
    made.night()
    return made


class Killed(Exception):
    """The worker died here."""


class Mortal:
    """Lets the n-th write of a port happen, and dies before it can say so. left: [n], shared by the ports."""

    def __init__(self, port: Any, writes: tuple[str, ...], left: list[int]) -> None:
        self._port, self._writes, self._left = port, writes, left

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._port, name)
        if name not in self._writes:
            return inner

        def call(*args: Any, **kwargs: Any) -> Any:
            done = inner(*args, **kwargs)
            self._left[0] -= 1
            if self._left[0] == 0:
                raise Killed(name)
            return done

        return call
