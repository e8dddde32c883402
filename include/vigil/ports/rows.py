"""Rows: the prediction log, logs that others write, and the scan that makes profiles of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pydantic import ConfigDict

from vigil.core.spec import Spec
from vigil.core.window import Window
from vigil.core.words import Role

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.intake.types import Source
    from vigil.profiles.row_ledger import Elsewhere
    from vigil.profiles.types import Edges, Key, Profile


class Partition(Spec):
    """The stored rows of one model's night: files, and a digest that changes when rows or labels do.

    files may hold rows outside the window; `window` decides. beside: files of the same dates without a row of the
    window and environment. broken: (file, reason) of unreadable
    files, and of those in `files` with rows of no night: rows are missing from every number, so the
    partition's verdicts cannot be `ok`.
    labels_through: labels that were observed later are not there, as for whoever looked then; None: all are.
    """

    model: str
    environment: str
    window: Window
    files: tuple[str, ...]
    outcome_files: tuple[str, ...]
    beside: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    digest: str
    labels_through: datetime | None = None

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")


INTAKE = "intake"  # how the batches begin that came from a `source:`
REPEATED = b"vigil.repeated"  # in a sample's schema metadata: rows left out because their id is in another one


class Sifted(NamedTuple):
    """Rows of a source, held against those of the log. unknown: those that the log has not.

    known: how many it has with the same content. differing: how many it has with other content.
    """

    unknown: pa.Table
    known: int
    differing: int


class ReadLog(Protocol):
    """Reads the stored predictions and outcomes of all models."""

    def reference(self, model: str) -> pa.Table | None: ...
    def partition(self, monitor: Monitor, window: Window, *, labels_through: datetime | None = None) -> Partition:
        """labels_through: without the labels that were observed later, as if the log had never had them."""
        ...

    def sample(self, monitor: Monitor, partition: Partition, *, rows: int) -> pa.Table:
        """At most `rows` de-duplicated rows in the window, chosen by hash of the id: always the same ones.

        Only rows that were served: what a challenger answers, nobody gets. Columns: the log's own, plus `label` (null
        where unknown). All rows when rows >= their number. Schema metadata: see REPEATED.
        """
        ...


class WriteLog(Protocol):
    """Takes in predictions and outcomes.

    write_* commit atomically: a reader sees all rows of a batch or none. The same batch_id twice is
    one batch. Rows go to the UTC date of their `served_at` (predictions) or `observed_at` (outcomes).
    Raises DataError where required columns are missing or have the wrong type.
    """

    def write_predictions(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]: ...
    def write_outcomes(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]: ...
    def sift_predictions(self, model: str, rows: pa.Table) -> Sifted:
        """Unknown are rows whose id and UTC date are not in the log: a file that grows is taken again and again.

        A challenger answers the ids of others: its rows are held against its own.
        """
        ...

    def sift_outcomes(self, model: str, rows: pa.Table) -> Sifted:
        """Unknown are rows whose id, label and observed_at are not in the log: a label may be corrected."""
        ...

    def replacing(self, model: str, *, at: datetime) -> AbstractContextManager[None]:
        """Takes out of the log what came from a `source:`, and keeps it elsewhere; rows and reference are as before
        where the block raises."""
        ...

    def write_reference(self, model: str, rows: pa.Table) -> str:
        """Keeps the reference rows of a model without a registry; returns the digest of their content."""
        ...


class PredictionLog(ReadLog, WriteLog, Protocol):
    """The stored predictions and outcomes of all models."""

    def dates(self, model: str) -> tuple[date, ...]:
        """The UTC dates of the model's stored predictions, in order."""
        ...

    def label_times(self, monitor: Monitor, window: Window) -> tuple[datetime, ...]:
        """The full hours, in order, within or at whose end labels of the window's predictions were observed."""
        ...

    def find(self, prediction_id: str, *, model: str | None = None) -> Mapping[str, object] | None:
        """The earliest row with this id, and `model`, the name of its log."""
        ...


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some rows of a log that others write, as they are there."""

    origin: str  # the file's name, or the database's
    batch: str  # identifies the piece and its content
    first: int  # number of its first row in the origin, from 1
    rows: pd.DataFrame
    numbered: bool = True  # whether its rows come in the same order whenever they are read, as in a file


class Unread(Spec):
    """A file that could not be taken, or not all of it: said with the reason, and tried again next time."""

    origin: str
    why: str


class Intake(Protocol):
    """Logs that others write. A file counts as taken when its last piece was and the next is asked for, unless it is
    only looked at, or its name is in `unfinished` by then. A file that cannot be read is handed out as Unread; those
    behind it are read all the same. Raises DataError for an address or a database that cannot be read at all.
    """

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
    ) -> Iterator[Piece | Unread]: ...
    def replacing(self, model: str) -> AbstractContextManager[None]:
        """Which pieces of the model were taken is known as before where the block raises."""
        ...


class Scanner(Protocol):
    """One scan of a partition -> one profile per (version, role). Missing columns raise DataError."""

    def scan(self, monitor: Monitor, partition: Partition, edges: Edges, night: date) -> Mapping[Key, Profile]: ...
    def elsewhere(self, monitor: Monitor, partition: Partition) -> Elsewhere:
        """Every row of the partition's files, those `beside` it included, by night and environment."""
        ...

    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        """Quantile edges and level lists from reference rows."""
        ...

    def scan_table(
        self, monitor: Monitor, rows: pa.Table, edges: Edges, *, night: date, version: str, role: Role
    ) -> Profile:
        """Profile of rows in memory (a holdout, a replay): the same engine, the same counts.

        Columns as in the log; `label` may be among them."""
        ...
