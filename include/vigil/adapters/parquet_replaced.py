"""Batches of a log that make room for others, and come back where those fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from vigil.adapters.parquet_files import MARKERS, SINGLE


@contextmanager
def moved_aside(folders: Mapping[Path, Path], beginning: str) -> Iterator[None]:
    """Moves batches whose name begins so, each folder's to its other place, and runs the block. If that raises, they
    move back, and what the block wrote under such names is gone.

    A marker is the commit of its batch: it goes first and comes back last, so that nobody reads half of one.
    """
    folders_before = {path for folder in folders for path in (folder, *folder.rglob("*")) if path.is_dir()}
    moves = {
        path: to / path.relative_to(folder) for folder, to in folders.items() for path in _batches(folder, beginning)
    }
    try:
        for path, target in moves.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        yield
    except BaseException:
        for folder in folders:
            for path in _batches(folder, beginning):
                if path not in moves or moves[path].exists():  # else it was not moved yet
                    path.unlink()
        for path, target in reversed(moves.items()):
            if target.exists():
                target.replace(path)
        for folder, to in folders.items():
            _without_empty(folder, folders_before)
            _without_empty(to, set())
        raise


def _batches(folder: Path, beginning: str) -> list[Path]:
    """Markers first, then the files, also those that no marker counts."""
    return [*folder.glob(f"{MARKERS}/{beginning}*"), *folder.glob(f"date=*/{beginning}*{SINGLE}")]


def _without_empty(folder: Path, kept: set[Path]) -> None:
    """Takes away a folder and those in it that hold nothing, but those that are to be kept."""
    inside = sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True)
    for path in (*inside, folder):
        if path not in kept:
            with suppress(OSError):  # somebody's files are in it
                path.rmdir()


def place(root: Path, at: datetime) -> Path:
    """A folder that is not there yet, named by a time."""
    name = f"{at:%Y%m%dT%H%M%SZ}"
    places = (root / (name if n == 1 else f"{name}-{n}") for n in range(1, 1_000_000))
    return next(path for path in places if not path.exists())
