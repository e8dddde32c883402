"""Scans and suites that are not done again: what they found is kept by the content of the rows that it was found in.

Judging needs no rows, so that other rules for the same nights cost no scan, and who was interrupted goes on.
"""

from __future__ import annotations

import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.ids import digest
from vigil.ports import QualityOutcome
from vigil.profiles.codec import CURRENT, decode, encode
from vigil.profiles.edges import edges_digest
from vigil.profiles.row_ledger import Elsewhere
from vigil.profiles.types import Edges, Key, Profile

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.ports import Partition, QualityScan, Scanner

# what can change a verdict, and no profile
JUDGING = frozenset({"rules", "slos", "risk", "people", "response", "schedule", "description", "labels", "suite",
                     "quality", "source", "traffic", "kpis", "bins", "levels"})  # fmt: skip


class Kept:
    """Small files by name below `folder`; without one, in memory. A file appears whole or not at all."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """What was kept under the name."""
        if self._folder is None:
            return self._memory.get(name)
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Keeps it. A disk that takes no more costs another scan one day, not this run."""
        if self._folder is None:
            self._memory[name] = content
            return
        path = self._folder / name
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            draft.replace(path)
        except OSError:
            self._folder = None
            self._memory[name] = content


class KeptScans:
    """Scanner that scans rows which it has not seen; the same rows under the same settings give the same profiles."""

    def __init__(self, scanner: Scanner, kept: Kept) -> None:
        self._scanner, self._kept = scanner, kept

    def scan(self, monitor: Monitor, partition: Partition, edges: Edges, night: date) -> Mapping[Key, Profile]:
        """As the scanner would."""
        settings = monitor.model_dump(mode="json", exclude=set(JUDGING))
        name = f"{night}/{digest([CURRENT, settings, partition.digest, edges_digest(edges)], length=32)}.profiles"
        stored = self._kept.get(name)
        if stored is not None:
            try:
                return unpacked(stored)
            except (DataError, ValueError, KeyError, zlib.error):
                pass  # cut off, or of another release: scanned again
        found = self._scanner.scan(monitor, partition, edges, night)
        self._kept.put(name, packed(found))
        return found

    def elsewhere(self, monitor: Monitor, partition: Partition) -> Elsewhere:
        """As the scanner looks: two columns are read anew."""
        return self._scanner.elsewhere(monitor, partition)

    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        """As the scanner does."""
        return self._scanner.fit_edges(monitor, rows)

    def scan_table(self, monitor: Monitor, rows: pa.Table, edges: Edges, **about: Any) -> Profile:
        """As the scanner does."""
        return self._scanner.scan_table(monitor, rows, edges, **about)


class KeptSuites:
    """QualityScan that checks rows which it has not seen."""

    def __init__(self, suites: QualityScan, kept: Kept, expectations: Path) -> None:
        self._suites, self._kept, self._expectations = suites, kept, expectations

    def rows(self, partition: Partition) -> int:
        """As the suite counts."""
        return self._suites.rows(partition)

    def scan(self, monitor: Monitor, partition: Partition, *, night: date) -> QualityOutcome | None:
        """As the suite would."""
        file = self._expectations / f"{monitor.suite}.json"
        suite = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        settings = monitor.model_dump(mode="json", exclude=set(JUDGING))
        name = f"{night}/{digest([settings, suite, partition.digest], length=32)}.suite"
        stored = self._kept.get(name)
        if stored is not None:
            try:
                told = json.loads(stored)
                return QualityOutcome.model_validate(told) if told is not None else None
            except ValueError:
                pass  # cut off: checked again
        outcome = self._suites.scan(monitor, partition, night=night)
        self._kept.put(name, json.dumps(outcome.model_dump(mode="json") if outcome else None).encode())
        return outcome


def packed(found: Mapping[Key, Profile]) -> bytes:
    """The profiles of a scan as one file."""
    told = [[key.model_dump(mode="json"), b64encode(encode(profile)).decode()] for key, profile in found.items()]
    return json.dumps(told).encode()


def unpacked(stored: bytes) -> dict[Key, Profile]:
    """Raises DataError or ValueError for a file that is not whole."""
    return {Key.model_validate(key): decode(b64decode(profile)) for key, profile in json.loads(stored)}
