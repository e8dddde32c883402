"""A registry in memory and one folder: for tests and rehearsals. It passes the same contract as MLflow's."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.adapters.model_files import keep_verified, manifest_of
from vigil.core.errors import NotRegistered, RegistryError
from vigil.core.words import Role
from vigil.ports import ServingState, VersionInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.verdicts.types import NightResult


class MemoryRegistry:
    """Registry whose versions are dictionaries and whose artefacts lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions: dict[tuple[str, str], VersionInfo] = {}
        self._holdouts: dict[tuple[str, str], pa.Table] = {}
        self._aliases: dict[str, dict[str, str]] = {}
        self._roles: dict[str, Role] = {}
        self._nights: dict[tuple[str, str], str] = {}
        self.writes: list[tuple[str, str, str]] = []  # (model, alias or "serve", what was written)

    def add(
        self,
        model: str,
        *,
        files: Mapping[str, bytes],
        inputs: Mapping[str, str],
        holdout: "pa.Table | None" = None,
        status: str = "READY",
    ) -> VersionInfo:
        """Registers the next version of `model`, with its files' manifest."""
        number = str(1 + sum(name == model for name, _ in self._versions))
        store = self.store(model, number)
        for name, content in files.items():
            (store / name).parent.mkdir(parents=True, exist_ok=True)
            (store / name).write_bytes(content)
        info = VersionInfo(
            model=model,
            version=number,
            status=status,
            created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=int(number)),
            manifest=manifest_of(store),
            inputs=dict(inputs),
        )
        self._versions[model, number] = info
        self._aliases.setdefault(model, {})
        if holdout is not None:
            self._holdouts[model, number] = holdout
        return info

    def store(self, model: str, version: str) -> Path:
        """Where the version's files lie (tests tamper with them here)."""
        return self._folder / "store" / model / version

    def versions(self, model: str) -> tuple[VersionInfo, ...]:
        """All versions, oldest first."""
        self._known(model)
        return tuple(self.version(model, number) for name, number in self._versions if name == model)

    def version(self, model: str, version: str) -> VersionInfo:
        """One version with its aliases."""
        info = self._versions.get((model, version))
        if info is None:
            raise RegistryError(f"{model!r} version {version} is not registered")
        aliases = tuple(a for a, number in self._aliases[model].items() if number == version)
        return info.model_copy(update={"aliases": aliases})

    def serving(self, model: str) -> ServingState:
        """The aliases and who answers now."""
        aliases = self._known(model)
        return ServingState(
            champion=aliases.get("champion"),
            fallback=aliases.get("fallback"),
            challenger=aliases.get("challenger"),
            serve=self._roles.get(model, Role.CHAMPION),
        )

    def move_alias(self, model: str, alias: str, version: str) -> None:
        """Points the alias at the version."""
        self.version(model, version)
        self._aliases[model][alias] = version
        self.writes.append((model, alias, version))

    def serve(self, model: str, role: Role) -> None:
        """Lets the fallback stand in, or the champion serve again."""
        self._known(model)
        if role not in (Role.CHAMPION, Role.FALLBACK):
            raise RegistryError(f"model {model!r}: the {role.value} cannot serve; the champion or the fallback can")
        self._roles[model] = role
        self.writes.append((model, "serve", role.value))

    def tag(self, model: str, version: str, key: str, value: str) -> None:
        """Sets a tag of a version."""
        info = self.version(model, version)
        self._versions[model, version] = info.model_copy(update={"tags": {**info.tags, key: value}})

    def verify(self, model: str, version: str) -> Path:
        """Copies the version to the cache and checks every file."""
        return keep_verified(
            self._folder / "cache",
            self.version(model, version).manifest,
            what=f"model {model!r} version {version}",
            fetch=lambda to: Path(shutil.copytree(self.store(model, version), to, dirs_exist_ok=True)),
        )

    def holdout(self, model: str, version: str) -> "pa.Table":
        """The rows the version was tested on."""
        self.version(model, version)
        if (model, version) not in self._holdouts:
            raise RegistryError(f"model {model!r} version {version} was registered without a holdout")
        return self._holdouts[model, version]

    def log_night(
        self, monitor: "Monitor", result: "NightResult", *, report: Path | None, incident: str | None = None
    ) -> str | None:
        """A run id; the same judgement gets the same one."""
        del report, incident  # there is nowhere to show them
        key = (monitor.model, f"{result.environment}/{result.night}/{result.digest_key}")
        return self._nights.setdefault(key, f"run-{len(self._nights) + 1}")

    def _known(self, model: str) -> dict[str, str]:
        if model not in self._aliases:
            raise NotRegistered(f"model {model!r} is not registered")
        return self._aliases[model]
