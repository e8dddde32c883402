"""The model registry on MLflow: versions, aliases, verified files, holdouts.

MLflow has no compare-and-set, no alias history and no audit: callers hold the model's lease, and the
ledger keeps the history (docs/adr/0009). What Vigil adds to a version is kept in version tags.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.mlflow_night import log_night
from vigil.adapters.mlflow_session import quiet_mlflow, registry_errors
from vigil.adapters.mlflow_tags import (
    COMMIT,
    DATASET,
    HOLDOUT,
    HOLDOUT_FILE,
    INPUTS,
    MANIFEST,
    MANIFEST_FILE,
    MANIFEST_SHA,
    SERVE,
)
from vigil.adapters.model_files import file_sha256, keep_verified, manifest_digest
from vigil.core.errors import RegistryError, TamperedArtifact
from vigil.core.words import Role
from vigil.ports import ServingState, VersionInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.verdicts.types import NightResult

LOGGED_MODEL = "models:/m-"  # sources that the tracking server resolves; nothing else is fetched


class MlflowRegistry:
    """Registry over an MLflow tracking URI.

    tracking_uri: `http://127.0.0.1:5000` or `sqlite:////path/mlflow.db`.
    cache: a folder of this user for verified models; it may be shared by processes.
    Every method raises RegistryError when MLflow does not have, or will not do, what is asked.
    """

    def __init__(self, tracking_uri: str, cache: Path) -> None:
        self.tracking_uri = tracking_uri
        self._cache = cache
        self._client: Any = None

    @property
    def client(self) -> Any:
        """The MlflowClient, made when first needed: importing MLflow takes seconds."""
        if self._client is None:
            quiet_mlflow()
            from mlflow import MlflowClient

            with registry_errors("connecting", uri=self.tracking_uri):
                self._client = MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri)
        return self._client

    def versions(self, model: str) -> tuple[VersionInfo, ...]:
        """All versions, oldest first."""
        client = self.client
        with registry_errors(f"versions of {model!r}", uri=self.tracking_uri):
            aliases = {str(k): str(v) for k, v in client.get_registered_model(model).aliases.items()}
            found, token = [], None
            while True:
                page = client.search_model_versions(f"name = '{_quotable(model)}'", page_token=token)
                found.extend(page)
                token = page.token
                if not token:
                    break
            infos = [self._info(v, tuple(a for a, n in aliases.items() if n == str(v.version))) for v in found]
        return tuple(sorted(infos, key=lambda info: int(info.version)))

    def version(self, model: str, version: str) -> VersionInfo:
        """One version with its aliases, tags and manifest."""
        client = self.client
        with registry_errors(f"{model!r} version {version}", uri=self.tracking_uri):
            found = client.get_model_version(model, version)
            return self._info(found, tuple(found.aliases))

    def serving(self, model: str) -> ServingState:
        """The aliases and who answers now: one request."""
        client = self.client
        with registry_errors(f"model {model!r}", uri=self.tracking_uri):
            found = client.get_registered_model(model)
        aliases = {name: str(version) for name, version in found.aliases.items()}
        role = found.tags.get(SERVE, Role.CHAMPION.value)
        if role not in (Role.CHAMPION, Role.FALLBACK):
            raise RegistryError(f"model {model!r}: tag {SERVE} is {role!r}; it must be champion or fallback")
        return ServingState(
            champion=aliases.get("champion"),
            fallback=aliases.get("fallback"),
            challenger=aliases.get("challenger"),
            serve=Role(role),
        )

    def move_alias(self, model: str, alias: str, version: str) -> None:
        """Points the alias at the version: one write. The caller holds the model's lease."""
        client = self.client
        with registry_errors(f"alias {alias!r} of {model!r} to version {version}", uri=self.tracking_uri):
            client.set_registered_model_alias(model, alias, version)

    def serve(self, model: str, role: Role) -> None:
        """Lets the fallback stand in, or the champion serve again: one write."""
        if role not in (Role.CHAMPION, Role.FALLBACK):
            raise RegistryError(f"model {model!r}: the {role.value} cannot serve; the champion or the fallback can")
        client = self.client
        with registry_errors(f"model {model!r}", uri=self.tracking_uri):
            client.set_registered_model_tag(model, SERVE, role.value)

    def tag(self, model: str, version: str, key: str, value: str) -> None:
        """Sets a tag of a version; the old value is overwritten."""
        client = self.client
        with registry_errors(f"tag {key!r} of {model!r} version {version}", uri=self.tracking_uri):
            client.set_model_version_tag(model, version, key, value)

    def verify(self, model: str, version: str) -> Path:
        """Downloads the version, compares every file with the manifest, and returns the folder."""
        what = f"model {model!r} version {version}"
        client = self.client
        with registry_errors(what, uri=self.tracking_uri):
            found = client.get_model_version(model, version)
            source, manifest = str(found.source), self._info(found, ()).manifest
        if not source.startswith(LOGGED_MODEL):
            raise RegistryError(
                f"{what}: its source {source!r} is not a model logged in MLflow; only those are fetched"
            )

        def fetch(to: Path) -> Path:
            with registry_errors(f"{what}: download", uri=self.tracking_uri):
                location = client.get_logged_model(source.removeprefix("models:/")).artifact_location
                got = quiet_mlflow().artifacts.download_artifacts(
                    artifact_uri=location, dst_path=str(to), tracking_uri=self.tracking_uri
                )
            return Path(got)

        return keep_verified(self._cache / "models", manifest, what=what, fetch=fetch)

    def holdout(self, model: str, version: str) -> "pa.Table":
        """The rows the version was tested on; TamperedArtifact if they are not the registered ones."""
        import pyarrow.parquet as pq

        info = self.version(model, version)
        expected = info.tags.get(HOLDOUT)
        if expected is None or info.run_id is None:
            raise RegistryError(
                f"model {model!r} version {version} was registered without a holdout, so it has no baseline; "
                "register it with `vigil.adapters.mlflow_register.register_version`"
            )
        with tempfile.TemporaryDirectory() as place:
            path = self._run_file(info.run_id, HOLDOUT_FILE, Path(place))
            if file_sha256(path) != expected:
                raise TamperedArtifact(f"model {model!r} version {version}: {HOLDOUT_FILE} was changed")
            return pq.read_table(path)

    def log_night(
        self, monitor: "Monitor", result: "NightResult", *, report: Path | None, incident: str | None = None
    ) -> str | None:
        """The judged night as a run of experiment `vigil/<model>`; the same judgement is logged once."""
        client = self.client
        with registry_errors(f"night {result.night} of {monitor.model!r}", uri=self.tracking_uri):
            return log_night(client, monitor, result, report=report, incident=incident, uri=self.tracking_uri)

    def _info(self, version: Any, aliases: tuple[str, ...]) -> VersionInfo:
        tags = {str(k): str(v) for k, v in version.tags.items()}
        return VersionInfo(
            model=version.name,
            version=str(version.version),
            aliases=aliases,
            run_id=version.run_id or None,
            status=str(version.status),
            created_at=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
            tags=tags,
            git_commit=tags.get(COMMIT),
            dataset_sha256=tags.get(DATASET),
            manifest=self._manifest(version, tags),
            inputs=_json_tag(version, tags, INPUTS),
        )

    def _manifest(self, version: Any, tags: dict[str, str]) -> dict[str, str]:
        """From the tag; a long one from the run's artefact, checked against the digest in the tag."""
        expected = tags.get(MANIFEST_SHA)
        if MANIFEST in tags or expected is None:
            return _json_tag(version, tags, MANIFEST)
        kept = self._cache / "manifests" / f"{Path(expected).name}.json"
        if kept.exists():
            manifest: dict[str, str] = json.loads(kept.read_text())
            if manifest_digest(manifest) == expected:
                return manifest
        with tempfile.TemporaryDirectory() as place:
            manifest = json.loads(self._run_file(version.run_id, MANIFEST_FILE, Path(place)).read_text())
            if manifest_digest(manifest) != expected:
                raise TamperedArtifact(f"model {version.name!r} version {version.version}: {MANIFEST_FILE} was changed")
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as file:
            file.write(json.dumps(manifest))
        Path(file.name).replace(kept)
        return manifest

    def _run_file(self, run_id: str, name: str, to: Path) -> Path:
        with registry_errors(f"run {run_id}: {name}", uri=self.tracking_uri):
            return Path(self.client.download_artifacts(run_id, name, str(to)))


def _json_tag(version: Any, tags: dict[str, str], key: str) -> dict[str, str]:
    try:
        value = json.loads(tags.get(key, "{}"))
    except json.JSONDecodeError as error:
        raise RegistryError(f"model {version.name!r} version {version.version}: tag {key} is not JSON") from error
    return {str(k): str(v) for k, v in value.items()}


def _quotable(model: str) -> str:
    if "'" in model or "\\" in model:
        raise RegistryError(f"model name {model!r}: quotes cannot be searched for")
    return model
