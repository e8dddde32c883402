"""The spool: what was appended and confirmed survives SIGKILL and power cuts. One thread writes; one fsync serves
all requests that wait for it (group commit)."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from vigil.core.errors import VigilError
from vigil.serving.segments import MAGIC, SUFFIX, frame, rows_of, sync_folder

log = logging.getLogger(__name__)


class SpoolFailed(VigilError):
    """Rows could not be stored: the request must not be answered."""


class _Entry(NamedTuple):
    done: Future[None]
    data: bytes  # empty: seal what was written so far
    rows: int
    last: bool = False


class Depth(NamedTuple):
    """What waits for the log."""

    segments: int
    bytes: int
    rows: int


class Spool:
    """A folder of append-only segments, of which at most one is open.

    new_name: gives each segment a name that is never used again and sorts by time; a batch in the log is named by it.
    on_rows: called by the writer thread with the number of rows in the open segment, after each commit.
    Raises VigilError when another process writes to the folder.
    """

    def __init__(
        self, folder: Path, *, new_name: Callable[[], str], on_rows: Callable[[int], None] = lambda _: None
    ) -> None:
        self.folder = folder
        self.damaged = folder / "damaged"  # segments with bytes that could not be understood, for people to look at
        self._new_name, self._on_rows = new_name, on_rows
        self._queue: SimpleQueue[_Entry] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._current: Path | None = None
        self._handle = -1
        self._rows = 0
        self._counting, self._counts = threading.Lock(), dict[str, int]()  # rows of each segment
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _only_writer(folder)
        self._thread = threading.Thread(target=self._run, name="vigil-spool", daemon=True)
        self._thread.start()

    def append(self, payload: bytes, *, rows: int) -> Future[None]:
        """Resolves when the payload is on disk; fails with SpoolFailed when it could not be written."""
        return self._put(frame(payload), rows)

    def seal(self) -> Future[None]:
        """Resolves when everything appended before lies in segments that are no longer written to."""
        return self._put(b"", 0)

    def sealed(self) -> list[Path]:
        """Segments that are complete, oldest first: those of earlier processes too."""
        found = sorted(self.folder.glob(f"*{SUFFIX}"))
        current = self._current  # read after the listing: a segment is named here before it is in the folder
        return [path for path in found if path != current]

    def depth(self) -> Depth:
        """What waits for the log. Rows that an earlier process left are counted once, by reading them."""
        sizes: dict[str, int] = {}
        with self._counting:
            for path in self.folder.glob(f"*{SUFFIX}"):
                with suppress(FileNotFoundError):  # it reached the log in the meantime
                    sizes[path.name] = path.stat().st_size
                    if path.name not in self._counts:
                        self._counts[path.name] = rows_of(path)
            for gone in self._counts.keys() - sizes.keys():
                del self._counts[gone]
            return Depth(len(sizes), sum(sizes.values()), sum(self._counts.values()))

    def close(self) -> None:
        """Writes what was appended, seals it, and lets another process have the folder."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(_Entry(Future(), b"", 0, last=True))
        self._thread.join()
        os.close(self._lock)

    def _put(self, data: bytes, rows: int) -> Future[None]:
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # a caller that goes away must not cancel what others wait for
        with self._gate:
            if self._closed:
                raise SpoolFailed("the spool is closed: the gateway is shutting down")
            self._queue.put(_Entry(done, data, rows))
        return done

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            try:
                while True:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            waiting: list[_Entry] = []
            for entry in batch:
                if entry.data:
                    waiting.append(entry)
                    continue
                self._commit(waiting)
                waiting = []
                self._leave()
                entry.done.set_result(None)
                if entry.last:
                    return
            self._commit(waiting)

    def _commit(self, entries: list[_Entry]) -> None:
        if not entries:
            return
        try:
            if self._current is None:
                self._open()
            _write(self._handle, b"".join(entry.data for entry in entries))
            os.fsync(self._handle)
        except Exception as error:  # thread border: whoever waits must be told, and the next one served
            # After a failed write or fsync nobody knows what is on disk: nothing more goes into this segment.
            log.exception("spool %s: cannot write; requests are refused until it works again", self.folder)
            self._leave()
            for entry in entries:
                entry.done.set_exception(SpoolFailed(f"the spool cannot be written: {error}"))
            return
        self._rows += sum(entry.rows for entry in entries)
        if self._current is not None:
            with self._counting:
                self._counts[self._current.name] = self._rows
        for entry in entries:
            entry.done.set_result(None)
        self._on_rows(self._rows)

    def _open(self) -> None:
        path = self.folder / f"{self._new_name()}{SUFFIX}"
        self._current, self._rows = path, 0
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        _write(self._handle, MAGIC)
        sync_folder(self.folder)

    def _leave(self) -> None:
        if self._handle >= 0:
            with suppress(OSError):  # what had to be on disk was synced; the writer must not die of a failed close
                os.close(self._handle)
        self._handle, self._current, self._rows = -1, None, 0


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _only_writer(folder: Path) -> int:
    """A lock that the kernel gives back when the process dies, however it dies."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise VigilError(
            f"spool {folder}: another gateway writes to it; stop that one, or give this one its own state folder"
        ) from error
    return handle
