"""What use cases need from the outside world: the smallest Protocols that do.

Every adapter of a port passes the same contract suite (`vigil.testing`, tests/contracts). Tables cross as pyarrow.
Where some consumers only read, a port has a read half (`ReadLog` of `PredictionLog`, `ReadResults` of `Results`, …).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vigil.ports.notes import NoteKind as NoteKind
from vigil.ports.notes import StageNote as StageNote
from vigil.ports.notes import StageNotes as StageNotes
from vigil.ports.outside import Artifacts as Artifacts
from vigil.ports.outside import Clock as Clock
from vigil.ports.outside import Explain as Explain
from vigil.ports.outside import ModelRunner as ModelRunner
from vigil.ports.outside import Notifier as Notifier
from vigil.ports.outside import QualityOutcome as QualityOutcome
from vigil.ports.outside import QualityScan as QualityScan
from vigil.ports.outside import QualitySuite as QualitySuite
from vigil.ports.outside import Registry as Registry
from vigil.ports.outside import Reporter as Reporter
from vigil.ports.outside import ServingProbe as ServingProbe
from vigil.ports.outside import ServingState as ServingState
from vigil.ports.outside import SettableClock as SettableClock
from vigil.ports.outside import Traffic as Traffic
from vigil.ports.outside import TrafficCount as TrafficCount
from vigil.ports.outside import VersionInfo as VersionInfo
from vigil.ports.rows import INTAKE as INTAKE
from vigil.ports.rows import REPEATED as REPEATED
from vigil.ports.rows import Intake as Intake
from vigil.ports.rows import Partition as Partition
from vigil.ports.rows import Piece as Piece
from vigil.ports.rows import PredictionLog as PredictionLog
from vigil.ports.rows import ReadLog as ReadLog
from vigil.ports.rows import Scanner as Scanner
from vigil.ports.rows import Sifted as Sifted
from vigil.ports.rows import Unread as Unread
from vigil.ports.rows import WriteLog as WriteLog
from vigil.ports.state import Grant as Grant
from vigil.ports.state import Lease as Lease
from vigil.ports.state import Ledger as Ledger
from vigil.ports.state import Outbox as Outbox
from vigil.ports.state import OutboxEntry as OutboxEntry
from vigil.ports.state import Profiles as Profiles
from vigil.ports.state import ReadLedger as ReadLedger
from vigil.ports.state import ReadProfiles as ReadProfiles
from vigil.ports.state import ReadResults as ReadResults
from vigil.ports.state import Results as Results


@dataclass(frozen=True, kw_only=True)
class ReadPorts:
    """What a judgement is made from. The stores of now, or a point-in-time view of them: nothing here writes."""

    clock: Clock
    log: ReadLog
    profiles: ReadProfiles
    results: ReadResults
    ledger: ReadLedger
    artifacts: Artifacts
    notes: StageNotes


@dataclass(frozen=True, kw_only=True)
class Ports(ReadPorts):
    """All of them: what `wiring` hands to a use case."""

    log: PredictionLog
    profiles: Profiles
    results: Results
    ledger: Ledger
    lease: Lease
    outbox: Outbox
    intake: Intake
    scanner: Scanner
    quality: QualitySuite
    quality_scan: QualityScan
    reporter: Reporter
    notifier: Callable[[], Notifier]  # made when first needed: a missing connection must not stop judging
    registry: Registry
    runner: ModelRunner
    probe: ServingProbe
    traffic: Traffic
    explain: Explain | None = None  # without it, holdouts have no contributions
    public_url: str = ""  # base of the links in messages


@dataclass(frozen=True, kw_only=True)
class BacktestPorts(Ports):
    """Point-in-time views of the stores, at a time that the backtest sets; what it writes stays in memory."""

    clock: SettableClock
