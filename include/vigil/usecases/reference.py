"""A yardstick for models that no registry knows: rows that people call good, kept and profiled."""

from typing import TYPE_CHECKING

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Role
from vigil.incidents.events import ReferenceSet
from vigil.ports import Ports, VersionInfo
from vigil.usecases.model_stream import stream
from vigil.usecases.promote import as_logged
from vigil.usecases.record import append

if TYPE_CHECKING:
    import pyarrow as pa

REFERENCE = "reference"  # its place among the baselines, where versions are
LEAST = 30  # rows below which quantiles mean nothing


class Referenced(Spec):
    """What was kept as the monitor's reference."""

    rows: int
    edges_digest: str
    frozen: bool  # bin edges were made of it; else the monitor had its own already


def set_reference(
    ports: Ports, monitor: Monitor, rows: "pa.Table", *, origin: str, actor: str, refit: bool = False
) -> Referenced:
    """Keeps `rows` (in the log's words, `label` among them where known) as the yardstick of every version that has no
    holdout of its own, and freezes the bin edges if the monitor has none (with `refit`: in any case), or none of one
    of its features. A second one replaces the first; the ledger keeps both. Raises DataError where there are too few
    rows, or a column is missing.
    """
    if rows.num_rows < LEAST:
        raise DataError(f"{origin}: a reference of {rows.num_rows} rows tells nothing; give it at least {LEAST}")
    info = VersionInfo(model=monitor.model, version=REFERENCE, created_at=ports.clock.now())
    rows = as_logged(monitor, rows, info, Role.CHAMPION)
    edges, frozen = ports.profiles.edges(monitor.model), False
    if edges is None or refit or not set(monitor.features) <= {*edges.numeric, *edges.levels}:
        edges, frozen = ports.scanner.fit_edges(monitor, rows), True
    profile = ports.scanner.scan_table(
        monitor, rows, edges, night=ports.clock.now().date(), version=REFERENCE, role=Role.CHAMPION
    )
    if frozen:
        ports.profiles.put_edges(monitor.model, edges, reason=f"reference: {origin}")
    digest = ports.log.write_reference(monitor.model, rows)
    ports.profiles.put_baseline(monitor.model, REFERENCE, profile)
    body = ReferenceSet(origin=origin, rows=profile.rows, edges_digest=profile.edges_digest, digest=digest, by=actor)
    append(ports, stream(monitor.model), key=f"reference/{digest}", body=body)
    return Referenced(rows=profile.rows, edges_digest=profile.edges_digest, frozen=frozen)


def yardstick_rows(ports: Ports, monitor: Monitor, version: str) -> "pa.Table | None":
    """The rows that a version is compared with: its own holdout, else the monitor's reference, else None."""
    if ports.profiles.baseline(monitor.model, version) is not None:
        found: pa.Table = ports.registry.holdout(monitor.model, version)
        return found
    kept: pa.Table | None = ports.log.reference(monitor.model)
    return kept
