"""From the spool to the prediction log, again and again, without losing or doubling a row.

A segment becomes one batch for each model and schema in it, named after the segment; the log takes a batch once, so a
crash between the write and the deletion of the segment costs nothing but a second try.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.core.ids import digest
from vigil.ports import WriteLog
from vigil.serving.segments import decode, read_segment, sync_folder
from vigil.serving.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)
Explain = Callable[[str, "pa.Table"], "pa.Table"]  # a model's name and its rows -> the rows with more columns


class Compactor:
    """Moves sealed segments to the log every `seconds`, when `rows` are waiting, and when told to.

    problem: why the last round left something behind; empty when it did not.
    """

    def __init__(
        self,
        folder: Path,
        to: WriteLog,
        *,
        new_name: Callable[[], str],
        seconds: float,
        rows: int,
        explain: Explain | None = None,
    ) -> None:
        self._explain = explain
        self._due, self._stop = threading.Event(), threading.Event()
        self._log, self._seconds, self._rows = to, seconds, rows
        self.spool = Spool(folder, new_name=new_name, on_rows=self._stored)
        self._one_at_a_time = threading.Lock()
        self.problem = ""
        self._due.set()  # what an earlier process left behind is the first thing to do
        self._thread = threading.Thread(target=self._run, name="vigil-compaction", daemon=True)
        self._thread.start()

    def flush(self) -> int:
        """Moves all that was answered before the call; the number of segments moved. `problem` says what was not."""
        with self._one_at_a_time:
            self.spool.seal().result()
            return self._round()

    def close(self) -> None:
        """Moves what is there, as far as the log takes it; the rest stays in the spool for the next start."""
        self._stop.set()
        self._due.set()
        self._thread.join()
        self.spool.close()
        with self._one_at_a_time:
            self._round()

    def _stored(self, waiting: int) -> None:
        if waiting >= self._rows:
            self._due.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._due.wait(self._seconds)
            self._due.clear()
            if self._stop.is_set():
                return
            try:
                self.flush()
            except Exception as error:  # thread border: the next round may work, and the rows are in the spool
                log.exception("spool %s: a round of compaction failed", self.spool.folder)
                self.problem = f"the spool cannot be read: {type(error).__name__}: {error}"

    def _round(self) -> int:
        moved, problems = 0, []
        for segment in self.spool.sealed():
            try:
                self._move(segment)
                moved += 1
            except Exception as error:  # noqa: BLE001 - thread border: no segment may keep the others from the log
                problems.append(f"segment {segment.stem}: {type(error).__name__}: {error}")
        problem = f"{len(problems)} segment(s) wait for the prediction log; {problems[0]}" if problems else ""
        if problem != self.problem:
            (log.error if problem else log.info)("spool: %s", problem or "the prediction log takes rows again")
        self.problem = problem
        return moved

    def _move(self, segment: Path) -> None:
        import pyarrow as pa

        contents = read_segment(segment)
        batches: dict[tuple[str, str], list[pa.Table]] = {}
        for payload in contents.payloads:
            model, rows = decode(payload)
            schema = digest([[field.name, str(field.type)] for field in rows.schema], length=8)
            batches.setdefault((model, schema), []).append(rows)
        for (model, schema), tables in batches.items():
            rows = pa.concat_tables(tables)
            if self._explain is not None and not self._stop.is_set():  # the end of a process does not wait for it
                rows = self._explain(model, rows)
            self._log.write_predictions(model, rows, batch_id=f"{segment.stem}-{model}-{schema}")
        if contents.understood:
            segment.unlink()
        else:
            self.spool.damaged.mkdir(exist_ok=True, mode=0o700)
            segment.rename(self.spool.damaged / segment.name)
            log.error(
                "spool: %s has %d damaged frame(s), and %d bytes at its end that nobody was answered for unless the "
                "disk changed them; the good rows are in the log, the segment is kept in %s",
                *(segment.name, contents.damaged, contents.torn, self.spool.damaged),
            )
        sync_folder(segment.parent)
