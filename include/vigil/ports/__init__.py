"""What use cases need from the outside world: the smallest Protocols that do.

Every adapter of a port passes the same contract suite (tests/contracts). Tables cross as pyarrow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict

from vigil.core.spec import Spec
from vigil.ports.notes import NoteKind as NoteKind
from vigil.ports.notes import StageNote as StageNote
from vigil.ports.notes import StageNotes as StageNotes
from vigil.ports.outside import Artifacts as Artifacts
from vigil.ports.outside import Clock as Clock
from vigil.ports.outside import ModelRunner as ModelRunner
from vigil.ports.outside import Notifier as Notifier
from vigil.ports.outside import QualityOutcome as QualityOutcome
from vigil.ports.outside import QualityScan as QualityScan
from vigil.ports.outside import QualitySuite as QualitySuite
from vigil.ports.outside import Registry as Registry
from vigil.ports.outside import Reporter as Reporter
from vigil.ports.outside import ServingProbe as ServingProbe
from vigil.ports.outside import ServingState as ServingState
from vigil.ports.outside import Traffic as Traffic
from vigil.ports.outside import TrafficCount as TrafficCount
from vigil.ports.outside import VersionInfo as VersionInfo
from vigil.ports.rows import INTAKE as INTAKE
from vigil.ports.rows import REPEATED as REPEATED
from vigil.ports.rows import Intake as Intake
from vigil.ports.rows import Partition as Partition
from vigil.ports.rows import Piece as Piece
from vigil.ports.rows import PredictionLog as PredictionLog
from vigil.ports.rows import Scanner as Scanner
from vigil.ports.rows import Sifted as Sifted
from vigil.ports.rows import Unread as Unread
from vigil.ports.state import Grant as Grant
from vigil.ports.state import Lease as Lease
from vigil.ports.state import Ledger as Ledger
from vigil.ports.state import Outbox as Outbox
from vigil.ports.state import OutboxEntry as OutboxEntry
from vigil.ports.state import Profiles as Profiles
from vigil.ports.state import Results as Results


class Ports(Spec):
    """All of them: what `wiring` hands to a use case."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")

    clock: Any
    log: Any
    intake: Any = None  # only monitors with a `source:` need it
    scanner: Any
    profiles: Any
    results: Any
    ledger: Any
    lease: Any
    outbox: Any
    quality: Any
    quality_scan: Any = None  # without it, Great Expectations checks every night
    reporter: Any
    notifier: Callable[[], Any]  # made when first needed: a missing connection must not stop judging
    registry: Any
    runner: Any
    probe: Any
    artifacts: Any
    notes: Any
    traffic: Any = None  # only monitors with `traffic:` need it
    explain: Any = None  # (monitor, rows, share) -> rows with contributions; without it, holdouts have none
    public_url: str = ""  # base of the links in messages
