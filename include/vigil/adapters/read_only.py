"""Ports that refuse: what a point-in-time view of the stores neither writes, runs nor sends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vigil.core.errors import DataError, DeliveryError, RegistryError, ReplayError

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.core.window import Window
    from vigil.core.words import Role
    from vigil.intake.types import Source
    from vigil.ports import Notifier, Piece, ServingState, Sifted, Unread, VersionInfo
    from vigil.verdicts.types import NightResult

WHY = "this is a point-in-time view, for reading only: nothing is written, run or sent from it"


class ReadHalfOnly:
    """All of a PredictionLog but its read half: every method raises DataError."""

    def dates(self, model: str) -> tuple[date, ...]:
        """Refused: it tells what came later."""
        raise DataError(f"dates of {model}: {WHY}")

    def label_times(self, monitor: Monitor, window: Window) -> tuple[datetime, ...]:
        """Refused: it tells what came later."""
        raise DataError(f"when labels of {monitor.model} came: {WHY}")

    def find(self, prediction_id: str, *, model: str | None = None) -> Mapping[str, object] | None:
        """Refused: nobody looks for one prediction in a view."""
        raise DataError(f"prediction {prediction_id}: {WHY}")

    def write_predictions(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        """Refused."""
        raise DataError(f"predictions of {model}: {WHY}")

    def write_outcomes(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        """Refused."""
        raise DataError(f"outcomes of {model}: {WHY}")

    def sift_predictions(self, model: str, rows: pa.Table) -> Sifted:
        """Refused: it is asked before rows are written."""
        raise DataError(f"new predictions of {model}: {WHY}")

    def sift_outcomes(self, model: str, rows: pa.Table) -> Sifted:
        """Refused: it is asked before rows are written."""
        raise DataError(f"new outcomes of {model}: {WHY}")

    def replacing(self, model: str, *, at: datetime) -> AbstractContextManager[None]:
        """Refused."""
        raise DataError(f"rows of {model}: {WHY}")

    def write_reference(self, model: str, rows: pa.Table) -> str:
        """Refused."""
        raise DataError(f"reference rows of {model}: {WHY}")


class NoIntake:
    """Intake: nothing is taken in. Raises DataError."""

    def pieces(
        self,
        model: str,
        source: Source,
        where: str,
        window: Window | None,
        *,
        again: bool = False,
        look: bool = False,
        unfinished: Collection[str] = (),
    ) -> Iterator[Piece | Unread]:
        """Refused."""
        raise DataError(f"rows of {where} for {model}: {WHY}")

    def replacing(self, model: str) -> AbstractContextManager[None]:
        """Refused."""
        raise DataError(f"what was taken of {model}: {WHY}")


class NoRegistry:
    """Registry: every method raises RegistryError."""

    def versions(self, model: str) -> tuple[VersionInfo, ...]:
        """Refused."""
        _no_registry(model)

    def version(self, model: str, version: str) -> VersionInfo:
        """Refused."""
        _no_registry(f"{model} {version}")

    def serving(self, model: str) -> ServingState:
        """Refused."""
        _no_registry(model)

    def move_alias(self, model: str, alias: str, version: str) -> None:
        """Refused."""
        _no_registry(f"{model} {alias}")

    def serve(self, model: str, role: Role) -> None:
        """Refused."""
        _no_registry(model)

    def tag(self, model: str, version: str, key: str, value: str) -> None:
        """Refused."""
        _no_registry(f"{model} {version}")

    def verify(self, model: str, version: str) -> Path:
        """Refused."""
        _no_registry(f"{model} {version}")

    def holdout(self, model: str, version: str) -> pa.Table:
        """Refused."""
        _no_registry(f"{model} {version}")

    def log_night(self, monitor: Monitor, result: NightResult, *, report: Path | None) -> str | None:
        """Refused."""
        _no_registry(monitor.model)


class NoRunner:
    """ModelRunner: no version is run. Raises ReplayError."""

    def score(self, model: str, version: str, rows: pa.Table, *, seconds: int, megabytes: int) -> pa.Table:
        """Refused."""
        raise ReplayError(f"{model} {version}: {WHY}")


class NoReporter:
    """Reporter: no page is made for a night that is only judged again. Raises DataError."""

    def render(self, monitor: Monitor, **about: object) -> Path:
        """Refused."""
        raise DataError(f"the report of {monitor.model}: {WHY}")


def no_notifier() -> Notifier:
    """In place of a notifier. Raises DeliveryError."""
    raise DeliveryError(f"messages: {WHY}")


class NoProbe:
    """ServingProbe without a serving layer: which version answers cannot be proved, and that is said."""

    def answering(self, model: str) -> tuple[str, str] | None:
        """Nothing is known."""
        del model
        return None


def _no_registry(what: str) -> NoReturn:
    raise RegistryError(f"{what}: {WHY}")
