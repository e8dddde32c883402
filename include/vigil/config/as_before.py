"""Files that are as they were before, where what replaces them fails half-way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def as_before(folder: Path, pattern: str) -> Iterator[None]:
    """Runs a block; if it raises, the folder's files of this pattern are those that were there before it.

    They are copied first and come back by a rename, which needs no room on a disk that is full.
    """
    there = folder.is_dir()
    copies = {path: path.with_name(f".{path.name}.before") for path in sorted(folder.glob(pattern))}
    try:
        for path, copy in copies.items():
            shutil.copy2(path, copy)
        try:
            yield
        except BaseException:
            for path in folder.glob(pattern):
                if path not in copies:
                    path.unlink()
            for path, copy in copies.items():
                copy.replace(path)
            raise
    finally:
        for copy in copies.values():
            copy.unlink(missing_ok=True)
        if not there:
            with suppress(OSError):  # it has files now
                folder.rmdir()
