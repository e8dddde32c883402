"""Restores the files of a folder if the code that replaces them fails half-way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def as_before(folder: Path, pattern: str) -> Iterator[None]:
    """Runs a block; if it raises, the folder's files of this pattern are restored.

    They are copied first and restored by a rename, which works on a full disk too.
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
