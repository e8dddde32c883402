"""The composition root: settings + monitors -> ports. The only file that imports adapters.

Imports are inside the functions: a DAG file may import this module at parse time for `monitors()` alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vigil.core.errors import DeliveryError
from vigil.core.spec import Spec
from vigil.ports import BacktestPorts, Ports, ReadPorts
from vigil.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from vigil.adapters.airflow_api import AirflowApi
    from vigil.adapters.mlflow_registry import MlflowRegistry
    from vigil.config.schema import Monitor
    from vigil.ports import Clock, Explain, Notifier, Outbox, PredictionLog, ReadLog, Registry
    from vigil.verdicts.types import NightResult

# Nothing phones home. Set before any of the libraries is imported; MLflow takes only the word "true".
TELEMETRY_OFF = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "GX_ANALYTICS_ENABLED": "false"}


class SlackAccess(Spec):
    """How to reach Slack. In Airflow it comes from the connection `slack_api_default`."""

    token: str
    base_url: str = "https://slack.com/api/"


def monitors(settings: Settings | None = None) -> tuple[dict[str, Monitor], dict[str, str]]:
    """The monitors that load, by model name, and the error text of each file that does not."""
    from vigil.config.load import load_all

    return load_all((settings or Settings()).monitors_dir)


def unwatched(settings: Settings | None = None) -> dict[str, str]:
    """Model -> what is wrong with its YAML, for each model whose file does not load."""
    from vigil.config.load import load_all, whose

    folder = (settings or Settings()).monitors_dir
    good, broken = load_all(folder)
    named = {whose(folder, file): error for file, error in broken.items()}
    return {model: error for model, error in named.items() if model not in good}


def monitor(name: str, settings: Settings | None = None) -> Monitor:
    """One monitor. Raises MonitorError with the file's own error, or with the names that exist."""
    from vigil.config.load import get

    return get((settings or Settings()).monitors_dir, name)


def open_ports(settings: Settings | None = None, *, slack: SlackAccess | None = None) -> Ports:
    """All ports, on the adapters that the settings name."""
    settings = settings or Settings()
    os.environ.update(TELEMETRY_OFF)
    from vigil.adapters import sql_engine, sql_lease, sql_ledger, sql_outbox, sql_profiles, sql_results
    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.adapters.duckdb_suite import CompiledSuite
    from vigil.adapters.evidently_report import EvidentlyReporter
    from vigil.adapters.file_artifacts import FileArtifacts
    from vigil.adapters.file_notes import FileNotes
    from vigil.adapters.gateway_probe import GatewayProbe
    from vigil.adapters.gx_suite import GxSuite
    from vigil.adapters.read_only import NoProbe
    from vigil.adapters.source_reader import SourceReader
    from vigil.adapters.subprocess_runner import SubprocessRunner
    from vigil.adapters.system_clock import SystemClock
    from vigil.adapters.traffic import CountedElsewhere

    settings.state_dir.mkdir(parents=True, exist_ok=True)
    engine = sql_engine.open_engine(settings.database)
    sql_engine.upgrade(engine)
    clock, registry, log = SystemClock(), open_registry(settings), open_log(settings.predictions_dir)
    outbox = sql_outbox.SqlOutbox(engine)
    artifacts = FileArtifacts(settings.artifacts_dir, settings.public_url)
    return Ports(
        clock=clock,
        log=log,
        intake=SourceReader(settings.home, settings.state_dir / "intake", os.environ),
        scanner=DuckDBScanner(),
        profiles=sql_profiles.SqlProfiles(engine),
        results=sql_results.SqlResults(engine),
        ledger=sql_ledger.SqlLedger(engine, settings.checkpoints),
        lease=sql_lease.SqlLease(engine),
        outbox=outbox,
        quality=GxSuite(settings.expectations_dir, artifacts),
        quality_scan=CompiledSuite(settings.expectations_dir, artifacts),
        reporter=EvidentlyReporter(),
        notifier=_notifier(settings, slack, outbox, clock),
        registry=registry,
        runner=SubprocessRunner(registry),
        probe=GatewayProbe(settings.gateway_url, token=settings.gateway_token) if settings.gateway_url else NoProbe(),
        artifacts=artifacts,
        notes=FileNotes(artifacts),
        traffic=CountedElsewhere(settings.home, settings.prometheus_url),
        explain=_explainer(settings, registry, log),
        public_url=settings.public_url,
    )


def open_log(root: Path) -> PredictionLog:
    """The prediction log alone: the one place that says where predictions and outcomes are stored."""
    from vigil.adapters.parquet_log import ParquetLog

    return ParquetLog(root)


def own_settings(home: Path, *, state: Path | None = None) -> Settings:
    """Of a home that stands for itself: whatever the environment names, nothing outside its folders is touched."""
    state = state or home / ".vigil"
    return Settings(home=home, state=state, database_url=None, predictions=None, mlflow_tracking_uri=None)


class Rehearsal(NamedTuple):
    """What a backtest works on. fresh: ports whose state is in memory; stored: the same home, for reading.

    kept: where scans are kept, so that they are done once; it may be deleted.
    """

    fresh: Callable[[], BacktestPorts]
    stored: ReadPorts
    nights: list[date]  # UTC dates that the log has of the model
    kept: Path | None


def rehearsal(settings: Settings, model: str, folder: Path, *, keep: Path | None) -> Rehearsal:
    """A home to judge without changing anything in it. folder: for what is forgotten afterwards; keep: for scans."""
    os.environ.update(TELEMETRY_OFF)
    from vigil.adapters import as_known, kept_scans, memory, read_only
    from vigil.adapters.duckdb_scan import DuckDBScanner
    from vigil.adapters.duckdb_suite import CompiledSuite
    from vigil.adapters.file_notes import FileNotes
    from vigil.adapters.gx_suite import GxSuite
    from vigil.adapters.traffic import CountedElsewhere

    log, days = prediction_log(settings.predictions_dir, model)
    stored = _reading(settings, log, folder / "stored")
    partitions, kept = as_known.Partitions(log), kept_scans.Kept(keep)
    scanner = kept_scans.KeptScans(DuckDBScanner(), kept)
    made = count()

    def fresh() -> BacktestPorts:
        clock = memory.FrozenClock(datetime(1970, 1, 1, tzinfo=UTC))
        ledger = as_known.LedgerAsKnown(stored.ledger, memory.MemoryLedger(), clock)
        notes = as_known.NotesApart(folder / str(next(made)), settings.artifacts_dir)
        suites = CompiledSuite(settings.expectations_dir, notes)
        return BacktestPorts(
            clock=clock,
            log=as_known.LogAsKnown(log, partitions, clock),
            intake=read_only.NoIntake(),
            scanner=scanner,
            profiles=as_known.ProfilesAsKnown(stored.profiles),
            results=memory.MemoryResults(),
            ledger=ledger,
            lease=memory.MemoryLease(),
            outbox=memory.MemoryOutbox(),
            quality=GxSuite(settings.expectations_dir, notes),
            quality_scan=kept_scans.KeptSuites(suites, kept, settings.expectations_dir),
            reporter=read_only.NoReporter(),
            notifier=read_only.no_notifier,
            registry=as_known.RegistryAsRecorded(ledger, stored.ledger),
            runner=read_only.NoRunner(),
            probe=read_only.NoProbe(),
            artifacts=notes,
            notes=FileNotes(notes),
            traffic=CountedElsewhere(settings.home, settings.prometheus_url),
        )

    return Rehearsal(fresh=fresh, stored=stored, nights=days, kept=keep)


def reading(settings: Settings, folder: Path) -> ReadPorts:
    """The stores of a home, for reading; where it has no database yet, they are empty.

    folder: for copies of what its stages left.
    """
    return _reading(settings, open_log(settings.predictions_dir), folder)


def _reading(settings: Settings, log: ReadLog, folder: Path) -> ReadPorts:
    from vigil.adapters import memory, sql_engine, sql_ledger, sql_profiles, sql_results
    from vigil.adapters.as_known import NotesApart
    from vigil.adapters.file_notes import FileNotes
    from vigil.adapters.system_clock import SystemClock

    engine = sql_engine.open_read_only(settings.database)
    artifacts = NotesApart(folder, settings.artifacts_dir, everything=True)
    return ReadPorts(
        clock=SystemClock(),
        log=log,
        profiles=sql_profiles.SqlProfiles(engine) if engine else memory.MemoryProfiles(),
        results=sql_results.SqlResults(engine) if engine else memory.MemoryResults(),
        ledger=sql_ledger.SqlLedger(engine, settings.checkpoints) if engine else memory.MemoryLedger(),
        artifacts=artifacts,
        notes=FileNotes(artifacts),
    )


def as_of_then(settings: Settings, stored: ReadPorts, folder: Path) -> Callable[[NightResult, datetime], ReadPorts]:
    """Makes ports of what was stored when a judgement was made. stored: of `reading`; folder: for copies of notes."""
    from vigil.adapters import as_stored, memory
    from vigil.adapters.file_notes import FileNotes

    def then(judged: NightResult, at: datetime) -> ReadPorts:
        results = as_stored.ResultsThen(stored.results, at)
        artifacts = as_stored.NotesThen(folder / "then", settings.artifacts_dir)
        return ReadPorts(
            clock=memory.FrozenClock(at),
            log=as_stored.LogThen(stored.log, judged, at),
            profiles=as_stored.ProfilesThen(stored.profiles, results, judged.edges_digest),
            results=results,
            ledger=as_stored.LedgerThen(stored.ledger, at),
            artifacts=artifacts,
            notes=FileNotes(artifacts),
        )

    return then


def backtest_page(documents: Sequence[Mapping[str, object]]) -> str:
    """The HTML of backtests."""
    from vigil.adapters.backtest_page import page

    return page(documents)


def prediction_log(root: Path, model: str) -> tuple[PredictionLog, list[date]]:
    """(a prediction log alone, the UTC dates that it has of a model)."""
    log = open_log(root)
    return log, list(log.dates(model))


def airflow(settings: Settings | None = None) -> AirflowApi:
    """Airflow's API, as far as VIGIL_AIRFLOW_USER and VIGIL_AIRFLOW_PASSWORD open it."""
    from vigil.adapters.airflow_api import AirflowApi

    settings = settings or Settings()
    return AirflowApi(settings.airflow_url, settings.airflow_user, settings.airflow_password)


def open_registry(settings: Settings) -> MlflowRegistry:
    """The model registry alone."""
    os.environ.update(TELEMETRY_OFF)
    from vigil.adapters.mlflow_registry import MlflowRegistry

    return MlflowRegistry(settings.tracking_uri, settings.state_dir / "models")


def _notifier(settings: Settings, slack: SlackAccess | None, outbox: Outbox, clock: Clock) -> Callable[[], Notifier]:
    token = slack.token if slack else settings.slack_token
    base_url = slack.base_url if slack else settings.slack_base_url

    def make() -> Notifier:
        if not token:
            raise DeliveryError(
                "Slack is not configured, so nobody can be told: add the Airflow connection slack_api_default "
                "(token as password), or set VIGIL_SLACK_TOKEN"
            )
        from vigil.adapters.slack import SlackNotifier

        return SlackNotifier(token=token, base_url=base_url, outbox=outbox, clock=clock)

    return make


def gateway(settings: Settings | None = None) -> FastAPI:
    """The prediction gateway over the models of all monitors that load."""
    settings = settings or Settings()
    from vigil.serving.app import create_app
    from vigil.serving.settings import GatewaySettings

    good, _ = monitors(settings)
    registry, log = open_registry(settings), open_log(settings.predictions_dir)
    return create_app(
        registry,
        log,
        models=good,
        spool=settings.state_dir / "spool",
        settings=GatewaySettings(
            trust_clock=settings.gateway_trust_clock,
            token=settings.gateway_token or None,  # compose files say "no token" with an empty one
            requests_in_flight=settings.gateway_requests,
            shadow=settings.gateway_shadow,
            batch_rows=settings.gateway_batch_rows,
        ),
        explain=_explainer(settings, registry, log),
    )


def _explainer(settings: Settings, registry: Registry, log: PredictionLog) -> Explain | None:
    """Contributions of features to a sample of the answers; None where nobody wants them."""
    if settings.explain_share <= 0:
        return None
    from vigil.adapters.shap_explainer import ShapExplainer

    return ShapExplainer(registry, log, share=settings.explain_share)
