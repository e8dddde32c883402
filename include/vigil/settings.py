"""Settings from the environment (`VIGIL_*`) or `.env`. Read once, at the shell."""

from datetime import date
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are. Everything has a default that works on one machine.

    home: the folder with monitors/ and expectations/; default: the checkout this file lives in.
    state: the folder for everything that Vigil writes.
    """

    model_config = SettingsConfigDict(env_prefix="VIGIL_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(__file__).resolve().parents[2]
    state: Path | None = None
    database_url: str | None = None  # default: SQLite in `state`
    predictions: Path | None = None  # default: state/predictions
    mlflow_tracking_uri: str | None = None  # default: SQLite in `state`
    gateway_url: str | None = None  # the probe asks it which version answers
    airflow_url: str = "http://127.0.0.1:8080"  # the API that the watchdog, the heartbeat and the doctor ask
    airflow_user: str | None = None  # may read DAGs: the watchdog and the doctor then see which are paused
    airflow_password: str | None = None  # of `airflow_user`
    prometheus_url: str | None = None  # the server that counts requests for monitors with `traffic: {prometheus: …}`
    public_url: str = "http://127.0.0.1:8080"  # base of links in messages
    slack_token: str | None = None  # of the command line; DAGs use the connection slack_api_default
    slack_base_url: str = "https://slack.com/api/"  # Slack's, or an emulator's `…/api/`
    schedule_from: date = date(2026, 1, 1)  # DAG start date: no scheduled run before it
    gateway_token: str | None = None  # callers of the gateway must send it; the probe does
    gateway_requests: int = 128  # requests that the gateway works on at the same time
    gateway_batch_rows: int = 1000  # of one call of a model; 1: requests are never scored together
    gateway_shadow: bool = True  # the challenger is asked too, and logged
    explain_share: float = 0.0  # of what the gateway logs: gets contributions of features, by shap; 0: none
    gateway_trust_clock: bool = False  # demo and replays only: accept X-Vigil-Served-At

    @property
    def state_dir(self) -> Path:
        """The state folder."""
        return self.state or self.home / ".vigil"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of Vigil's own state."""
        return self.database_url or f"sqlite:///{self.state_dir / 'vigil.db'}"

    @property
    def predictions_dir(self) -> Path:
        """Root of the Parquet prediction log: predictions/ and outcomes/ below it."""
        return self.predictions or self.state_dir / "predictions"

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking and registry."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.state_dir / 'mlflow.db'}"

    @property
    def monitors_dir(self) -> Path:
        """One YAML per model."""
        return self.home / "monitors"

    @property
    def expectations_dir(self) -> Path:
        """Great Expectations suites."""
        return self.home / "expectations"

    @property
    def artifacts_dir(self) -> Path:
        """Reports and data docs."""
        return self.state_dir / "artifacts"

    @property
    def checkpoints(self) -> Path:
        """Ledger checkpoints, outside the database."""
        return self.state_dir / "checkpoints.jsonl"
