"""The prediction log on Parquet: `root/{predictions,outcomes}/model=<m>/date=<UTC date>/<batch>.parquet`.

Batches are committed as `parquet_files` says. An outcome counts for nights from the day before it was observed and
earlier: nothing is known about a prediction long before it is made, and so a night reads only the outcomes since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters import accepted_rows
from vigil.adapters.duckdb_labels import hours_of_labels, outcomes_digest
from vigil.adapters.duckdb_night import label_join, make_asked
from vigil.adapters.duckdb_rows import OUTCOME, READ, columns_of, connect, named, quoted, stored_columns
from vigil.adapters.duckdb_sift import OUTCOME_KEY, PREDICTION_KEY, sift
from vigil.adapters.parquet_files import (
    Broken,
    commit,
    committed,
    dates,
    fingerprint,
    keep_reference,
    may_count,
    may_hold,
    readable,
    unclaimed,
    usable,
    visible,
)
from vigil.adapters.parquet_replaced import moved_aside, place
from vigil.config.as_before import as_before
from vigil.core.ids import digest, slug
from vigil.ports import INTAKE, REPEATED, Partition, Sifted

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.adapters.parquet_files import Footers
    from vigil.config.schema import Monitor
    from vigil.core.window import Window

EARLY = timedelta(days=1)  # how long before its prediction an outcome may be dated (clocks differ)


class ParquetLog:
    """Predictions and outcomes of all models below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = Path(root)

    def write_predictions(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        """Commits a batch of predictions; the same batch twice is one batch. Raises DataError for bad rows."""
        return self._write("predictions", model, accepted_rows.predictions(rows, model), "served_at", batch_id)

    def write_outcomes(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        """Commits a batch of outcomes. Labels are kept as words. Raises DataError for bad columns."""
        return self._write("outcomes", model, accepted_rows.outcomes(rows, model), "observed_at", batch_id)

    @contextmanager
    def replacing(self, model: str, *, at: datetime) -> Iterator[None]:
        """Moves what came from a `source:` to replaced/<at>/, so that the source can be read anew in the block. If
        that raises, rows and reference are as before.
        """
        to, reference = place(self._root / "replaced", at), self._reference(model)
        aside = {self._folder(kind, model): to / kind / f"model={model}" for kind in ("predictions", "outcomes")}
        with as_before(reference.parent, reference.name), moved_aside(aside, f"{INTAKE}-"):
            yield

    def write_reference(self, model: str, rows: pa.Table) -> str:
        """Keeps the model's reference rows, instead of those before. Returns the digest of their content."""
        return keep_reference(self._reference(model), rows)

    def reference(self, model: str) -> pa.Table | None:
        """The model's reference rows, or None."""
        import pyarrow.parquet as pq

        path = self._reference(model)
        return pq.read_table(path) if path.exists() else None

    def _reference(self, model: str) -> Path:
        accepted_rows.check_model(model)
        return self._root / "references" / f"{model}.parquet"

    def sift_predictions(self, model: str, rows: pa.Table) -> Sifted:
        """Unknown are rows whose id and UTC date are not in the log, a challenger's apart from the others'."""
        return sift(rows, self._of_days("predictions", model, rows, "served_at"), PREDICTION_KEY)

    def sift_outcomes(self, model: str, rows: pa.Table) -> Sifted:
        """Unknown are rows whose id, label and observed_at are not in the log."""
        return sift(rows, self._of_days("outcomes", model, rows, "observed_at"), OUTCOME_KEY)

    def _of_days(self, kind: str, model: str, rows: pa.Table, when: str) -> Footers:
        """The readable files of the UTC dates of the rows."""
        import pyarrow.compute as pc

        days = set(pc.unique(pc.cast(rows.column(when), "date32")).to_pylist())
        return readable(self._files(kind, model, lambda day: day in days))[0]

    def partition(self, monitor: Monitor, window: Window, *, labels_through: datetime | None = None) -> Partition:
        """The files that may hold rows of the window, and the outcomes since, up to `labels_through`.

        A file of either kind that cannot be used is in `broken`, the others stay usable; so is one with rows that no
        night can claim, beside its good rows in `files`. The digest depends on the
        content of the files and on the labels of this window's predictions; not on where the log is, nor on other
        nights' labels.
        """
        names = self._files("predictions", monitor.model, lambda day: day in window.utc_dates)
        at = monitor.data.served_at
        footers, cut = readable(names)
        held = {f: m for f, m in footers.items() if may_hold(m, at=at, window=window, environment=monitor.environment)}
        files, odd = usable(held, needed=named(monitor), at=at)
        outcomes, lost, mute = self._outcomes(monitor.model, window, labels_through)
        beside = tuple(f for f, m in footers.items() if f not in held and may_count(m, at=at, window=window))
        nobodys = unclaimed(footers, (*files, *beside), at=at, window=window, environment=monitor.environment)
        broken = (*cut, *odd, *nobodys, *lost, *mute)
        identity = [[self._relative(f), fingerprint(f)] for f in files]
        identity += [["broken", self._relative(f)] for f, _ in broken]
        identity += [["beside", self._relative(f), fingerprint(f)] for f in beside]
        joined = outcomes_digest(monitor, window, files, outcomes, labels_through) if files and outcomes else ""
        return Partition(
            model=monitor.model,
            environment=monitor.environment,
            window=window,
            files=files,
            outcome_files=outcomes,
            beside=beside,
            broken=broken,
            digest=digest([identity, joined], length=32),
            labels_through=labels_through,
        )

    def dates(self, model: str) -> tuple[date, ...]:
        """The UTC dates of which the log has a folder."""
        return tuple(dates(self._folder("predictions", model)))

    def label_times(self, monitor: Monitor, window: Window) -> tuple[datetime, ...]:
        """The hours at whose end, or within which, labels of this window's predictions were observed."""
        files = readable(self._files("predictions", monitor.model, lambda day: day in window.utc_dates))[0]
        outcomes, _, _ = self._outcomes(monitor.model, window, None)
        return hours_of_labels(monitor, window, list(files), outcomes) if files and outcomes else ()

    def _outcomes(self, model: str, window: Window, through: datetime | None) -> tuple[tuple[str, ...], Broken, Broken]:
        """(files with outcomes since the window began, (file, reason) of those cut in half, and of unusable ones)."""
        since, last = window.start.date() - EARLY, date.max if through is None else through.date()
        known, lost = readable(self._files("outcomes", model, lambda day: since <= day <= last))
        outcomes, mute = usable(known, needed=OUTCOME, at="observed_at")
        return outcomes, lost, mute

    def find(self, prediction_id: str, *, model: str | None = None) -> Mapping[str, Any] | None:
        """The earliest row with this id, and `model`, the name of its log; or None."""
        for folder in sorted((self._root / "predictions").glob("model=*")):
            name = folder.name.removeprefix("model=")
            files = readable(self._files("predictions", name))[0] if model in (None, name) else {}
            if not files:
                continue
            with connect() as db:
                if "prediction_id" not in columns_of(db, READ, [list(files)]):
                    continue
                sql = f"SELECT * FROM {READ} WHERE CAST(prediction_id AS VARCHAR) = ? ORDER BY served_at LIMIT 1"
                found = db.sql(sql, params=[list(files), prediction_id]).to_arrow_table().to_pylist()
            if found:
                return {**found[0], "model": name}
        return None

    def sample(self, monitor: Monitor, partition: Partition, *, rows: int) -> pa.Table:
        """Served rows of the window, each once and with its label, chosen by hash of the id: always the same ones."""
        import pyarrow as pa

        if not partition.files:
            return pa.table({})
        with connect() as db:
            label_join(db, monitor, partition, columns=list(stored_columns(db, monitor, partition.files)))
            repeated = make_asked(db, monitor)
            text = f"CAST({quoted(monitor.data.prediction_id)} AS VARCHAR)"
            found: pa.Table = db.sql(
                f"SELECT * FROM asked ORDER BY md5_number_lower({text}), {text} LIMIT {int(rows)}"
            ).to_arrow_table()
            return found.replace_schema_metadata({REPEATED: str(repeated)})

    def _folder(self, kind: str, model: str) -> Path:
        return self._root / kind / f"model={model}"

    def _files(self, kind: str, model: str, wanted: Callable[[date], bool] = lambda _: True) -> list[str]:
        return visible(self._folder(kind, model), wanted)

    def _relative(self, name: str) -> str:
        return Path(name).relative_to(self._root).as_posix()

    def _write(self, kind: str, model: str, rows: pa.Table, when: str, batch_id: str) -> tuple[str, ...]:
        import pyarrow.compute as pc

        folder, batch = self._folder(kind, model), f"{slug(batch_id, most=100)}-{digest(batch_id, length=8)}"
        before = committed(folder, batch)
        if before or rows.num_rows == 0:
            return before
        days = pc.cast(rows.column(when), "date32")
        split = [(day, rows.filter(pc.equal(days, day))) for day in sorted(pc.unique(days).to_pylist())]
        return commit(folder, batch, split)
