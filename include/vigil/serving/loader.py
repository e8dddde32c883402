"""Which version answers: follows the registry, off the request path, and never takes a version that is not verified."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from vigil.config.schema import Monitor
from vigil.core.errors import TamperedArtifact, VigilError
from vigil.core.words import Role
from vigil.ports import Registry, ServingState
from vigil.serving.columns import Column
from vigil.serving.model import LoadedModel, load

log = logging.getLogger(__name__)

FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0  # seconds; a version that failed is not fetched twice a second for ever


class Answering(NamedTuple):
    """The version that answers, and in which role. Replaced as a whole: a request sees the old one or the new one."""

    model: LoadedModel
    role: Role


class Problem(NamedTuple):
    """Why the registry's wish is not fulfilled. `short` may be told to callers; `detail` is for operators."""

    short: str
    detail: str


class _Failure(NamedTuple):
    problem: Problem
    tries: int
    again_at: float


class Slot:
    """One model's place in the gateway. `poll` and `warm` are each called by one thread at a time.

    now: None until a version could be loaded; afterwards there always is one, the last that was good.
    problem: why `now` is not what the registry wants; standby: why the stand-in could not take over at once.
    """

    def __init__(
        self, registry: Registry, monitor: Monitor, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.monitor = monitor
        self.now: Answering | None = None
        self.problem: Problem | None = Problem("it was not loaded yet", "the registry was not asked yet")
        self.standby: Problem | None = None
        self.last_poll: datetime | None = None
        self.since: datetime | None = None  # when the version that answers began to
        self.challenger: LoadedModel | None = None  # in shadow: asked, never answered with
        self._registry, self._monotonic = registry, monotonic
        self._state: ServingState | None = None
        self._loaded: dict[str, LoadedModel] = {}
        self._failures: dict[str, _Failure] = {}

    def poll(self, at: datetime) -> None:
        """Asks the registry who should answer, and swaps when that version is verified and loaded."""
        try:
            state = self._registry.serving(self.monitor.model)
        except Exception as error:  # noqa: BLE001 - process border: whatever the registry raises, the old version serves
            self._note(Problem("the model registry does not answer for it", f"{type(error).__name__}: {error}"))
            return
        self._state, self.last_poll = state, at
        version = state.serving
        if version is None:
            self._note(Problem(f"it has no {state.serve.value}", f"alias {state.serve.value!r} is not set"))
            return
        found = self._get(version)
        if isinstance(found, Problem):
            self._note(found)
            return
        before, self.now = self.now, Answering(found, state.serve)
        if before is None or (before.model.version, before.role) != (version, state.serve):
            self.since = at
            log.info("model %s: version %s answers as %s", self.monitor.model, version, state.serve.value)
        self._note(None)

    def warm(self) -> None:
        """Loads the version that stands by, so that a fallback takes over at once; drops those nobody needs."""
        state, now = self._state, self.now
        if state is None:
            return
        others = {state.champion, state.fallback} - {None, state.serving}
        beside = self._get(state.challenger) if state.challenger and state.challenger != state.serving else None
        self.challenger = beside if isinstance(beside, LoadedModel) else None
        found = {version: self._get(version) for version in others if version}
        bad = [thing for thing in found.values() if isinstance(thing, Problem)]
        self.standby = bad[0] if bad else None
        keep = {state.champion, state.fallback, state.challenger, now.model.version if now else None}
        for version in [v for v in list(self._loaded) if v not in keep]:
            self._loaded.pop(version, None)
        for version in [v for v in list(self._failures) if v not in keep]:
            self._failures.pop(version, None)

    def columns(self) -> tuple[Column, ...]:
        """The columns of all versions in memory, each once: a request may have them whoever answers it."""
        columns = {column.name: column for model in tuple(self._loaded.values()) for column in model.signature}
        return tuple(columns.values())

    def _get(self, version: str) -> LoadedModel | Problem:
        """From memory, or verified and loaded. A failed version is tried again later and later."""
        kept = self._loaded.get(version)
        if kept is not None:
            return kept
        failed = self._failures.get(version)
        if failed is not None and self._monotonic() < failed.again_at:
            return failed.problem
        try:
            loaded = load(self._registry.verify(self.monitor.model, version), self.monitor, version)
        except (Exception, SystemExit) as error:  # process border: a model's own code may raise anything
            tries = failed.tries + 1 if failed else 1
            problem = Problem(_why(version, error), f"{type(error).__name__}: {error}")
            wait = min(FIRST_RETRY * 2 ** (tries - 1), LONGEST_RETRY)
            self._failures[version] = _Failure(problem, tries, self._monotonic() + wait)
            ours = isinstance(error, VigilError)  # says all by itself
            log.exception("model %s: %s: %s", self.monitor.model, *problem, exc_info=not ours)
            return problem
        self._failures.pop(version, None)
        self._loaded[version] = loaded
        return loaded

    def _note(self, problem: Problem | None) -> None:
        if problem and problem != self.problem:
            log.error("model %s: %s (%s)", self.monitor.model, problem.short, problem.detail)
        self.problem = problem


def _why(version: str, error: BaseException) -> str:
    if isinstance(error, TamperedArtifact):
        return f"version {version} differs from its manifest and is not loaded"
    return f"version {version} could not be loaded"
