"""A suite counted by DuckDB, straight from the files of a night: GX's own JSON, GX's own results, without pandas.

What `duckdb_expectations` cannot say in the very words of GX is run by GX itself, over all rows of the columns that it
is about. Where those are too many for memory, a share of values rests on a sample and says so; all else is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.adapters.duckdb_counted import counted
from vigil.adapters.duckdb_night import label_join, make_asked
from vigil.adapters.duckdb_rows import columns_of, connect, quoted, stored_columns
from vigil.adapters.gx_suite import gx_results, in_time
from vigil.adapters.suite_file import read_suite, whole_suite
from vigil.adapters.suite_repeated import add_repeated, repeated_of
from vigil.adapters.suite_results import checked_of, outcome, unreadable
from vigil.adapters.suite_scope import columns_needed, scales
from vigil.adapters.suite_shape import SAMPLE, SuiteResult, unaskable, unchecked
from vigil.config.suites import Expectation, Suite
from vigil.core.errors import DataError
from vigil.ports import Artifacts, Partition, QualityOutcome
from vigil.verdicts.types import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

GX_CELLS = 20_000_000  # rows times columns that GX is given at once, on pandas
GX_ROWS = 200_000  # rows of a sample, where even the columns of one expectation are more than that


class CompiledSuite:
    """Implements the QualitySuite port on DuckDB, and `scan` for nights that are better not held in memory."""

    def __init__(self, expectations: Path, artifacts: Artifacts) -> None:
        self._expectations = Path(expectations)
        self._artifacts = artifacts

    def rows(self, partition: Partition) -> int:
        """Rows in the partition's files, those of other nights in them included: no night has more."""
        with connect() as db:
            sql = "SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata(?)"
            return int(db.execute(sql, [list(partition.files)]).fetchone()[0]) if partition.files else 0

    def scan(self, monitor: Monitor, partition: Partition, *, night: date) -> QualityOutcome | None:
        """The suite over all rows of a stored night; None where it has none."""
        try:
            suite = read_suite(self._expectations / f"{monitor.suite}.json", monitor)
        except DataError as error:
            return unreadable(str(error))
        labels = "label" in json.dumps(
            [[e.type, e.kwargs] for e in suite.expectations]
        )  # else they need no looking for
        with connect() as db:
            known = partition if labels else partition.model_copy(update={"outcome_files": ()})
            label_join(db, monitor, known, columns=list(stored_columns(db, monitor, partition.files)))
            repeated = make_asked(db, monitor, labels=labels)
            return self._outcome(db, monitor, suite, night, repeated)

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome:
        """The suite over rows in memory."""
        try:
            suite = read_suite(self._expectations / f"{monitor.suite}.json", monitor)
        except DataError as error:
            return unreadable(str(error))
        with connect() as db:
            db.register("asked", rows)
            found = self._outcome(db, monitor, suite, night, repeated_of(rows))
            return found or QualityOutcome(verdicts=())

    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """The verdict of each expectation of a suite that is not kept yet, in its order. Writes nothing."""
        made = whole_suite(suite, str(suite.get("name")), monitor)
        with connect() as db:
            db.register("asked", rows)
            result, _ = checked(db, made, monitor, repeated=repeated_of(rows))
        return tuple(checked_of(each, rows.num_rows).verdict for each in result.results)

    def _outcome(self, db: Any, monitor: Monitor, suite: Suite, night: date, repeated: int) -> QualityOutcome | None:
        rows = db.execute("SELECT count(*) FROM asked").fetchone()[0]
        if not rows:
            return None
        result, mine = checked(db, suite, monitor, repeated=repeated)
        return outcome(self._artifacts, monitor, night, result, rows, counted=mine)


def checked(db: Any, suite: Suite, monitor: Monitor, *, repeated: int = 0) -> tuple[SuiteResult, int]:
    """A suite's result over the relation `asked`, in the order of the file, and how many of it were compiled.

    repeated: rows that `asked` was left without because their id is in another one.
    """
    able = [one for one in suite.expectations if not one.problem]
    mine = counted(db, able)
    results: dict[int, Any] = {e.place: unaskable(e, e.problem) for e in suite.expectations if e.problem}
    results |= mine | _by_gx(db, [one for one in able if one.place not in mine], monitor)
    add_repeated(results.values(), monitor.data.prediction_id, repeated)
    return SuiteResult(suite.name, tuple(results[place] for place in sorted(results))), len(mine)


class _Read(NamedTuple):
    """What GX is given of a night at once: some of its columns, all of its rows or a sample of them."""

    asked: tuple[Expectation, ...]
    columns: tuple[str, ...]
    sample: bool = False


def _by_gx(db: Any, asked: Sequence[Expectation], monitor: Monitor) -> dict[int, Any]:
    """What only GX can check, over all rows wherever memory allows."""
    if not asked:
        return {}
    names = tuple(columns_of(db, "asked"))
    rows = int(db.execute("SELECT count(*) FROM asked").fetchone()[0])
    results: dict[int, Any] = {}
    fitting = [one for one in asked if rows * len(columns_needed(one, names)) <= GX_CELLS]
    for one in asked:
        if one not in fitting and not scales(one):
            why = f"it is about all {rows:,} rows of the night, more than Great Expectations can hold: no sample tells"
            results[one.place] = unchecked(one, why)
    for read in _reads(fitting, names, rows):
        results |= gx_results(read.asked, in_time(_rows(db, monitor, read), read.asked, monitor))
    large = tuple(one for one in asked if one not in fitting and scales(one))
    if large:
        sampled = gx_results(large, _rows(db, monitor, _Read(large, names, sample=True)))
        for found in sampled.values():
            if found.result:
                found.result[SAMPLE] = {"rows": min(rows, GX_ROWS), "of": rows}
        results |= sampled
    return results


def _reads(asked: Sequence[Expectation], names: tuple[str, ...], rows: int) -> Iterator[_Read]:
    """The expectations in as few reads as fit into memory; a night that fits as a whole is one read."""
    if rows * len(names) <= GX_CELLS:
        yield _Read(tuple(asked), names)
        return
    group: list[Expectation] = []
    columns: tuple[str, ...] = ()
    for one in asked:
        more = tuple(dict.fromkeys((*columns, *columns_needed(one, names))))
        if group and rows * len(more) > GX_CELLS:
            yield _Read(tuple(group), columns)
            group, more = [], columns_needed(one, names)
        group, columns = [*group, one], more
    if group:
        yield _Read(tuple(group), columns)


def _rows(db: Any, monitor: Monitor, read: _Read) -> pa.Table:
    """The rows of a read. A sample is chosen by the hash of the id: always the same rows."""
    d = monitor.data
    ordering = [name for name in (d.served_at, d.prediction_id) if name in columns_of(db, "asked")]
    columns = dict.fromkeys((*read.columns, *ordering))
    listed = ", ".join(map(quoted, columns))
    sql = f"SELECT {listed} FROM asked"
    if read.sample:
        key = quoted(d.prediction_id) if d.prediction_id in columns else "row_number() OVER ()"
        keyed = f"(SELECT {listed}, CAST({key} AS VARCHAR) AS vigil_key FROM asked)"
        sql = f"SELECT {listed} FROM {keyed} ORDER BY md5_number_lower(vigil_key), vigil_key LIMIT {GX_ROWS}"
    table: pa.Table = db.sql(sql).to_arrow_table()
    return table
