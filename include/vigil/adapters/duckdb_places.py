"""Which rows of a night's files are of this night and environment, and which of another: by two columns alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vigil.adapters.duckdb_files import files_of, is_dated
from vigil.adapters.duckdb_rows import connect, instant, literal
from vigil.profiles.row_ledger import Elsewhere, Place

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.ports import Partition

OWN = "own"
SHOWN = 20  # environments that are kept by name
OTHERS = "(others)"
LONGEST = 60  # characters of the name of an environment


def elsewhere(monitor: Monitor, partition: Partition) -> Elsewhere:
    """Every row of the files, those beside the night's included, in one place each.

    A row without a time is missed by its own environment alone; one of another night by nobody tonight, whatever its
    environment is.
    """
    import pyarrow.parquet as pq

    # a file without times has no row of this environment, or it would be told as broken
    dated = {file: is_dated(pq.read_schema(file), monitor.data.served_at) for file in partition.beside}
    files = [*partition.files, *(file for file, has in dated.items() if has)]
    undated = [file for file, has in dated.items() if not has]
    counted: Counter[tuple[str, str]] = Counter()
    with connect() as db:
        for sql in [_sql(monitor, partition, files)] * bool(files) + [_sql_undated(undated)] * bool(undated):
            counted.update({(place, word): rows for place, word, rows in db.execute(sql).fetchall()})
    places: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for (place, word), rows in counted.items():
        places[place] += rows
        words[word] += rows if place == Place.OTHER_ENVIRONMENT else 0
    own = places.pop(OWN, 0)
    return Elsewhere(own=own, places={Place(p): n for p, n in sorted(places.items())}, environments=_largest(words))


def _largest(words: Mapping[str, int]) -> dict[str, int]:
    """The environments with most rows by name, the others together."""
    order = sorted(((n, word) for word, n in words.items() if n), key=lambda item: (-item[0], item[1]))
    rest = sum(n for n, _ in order[SHOWN:])
    return {word: n for n, word in order[:SHOWN]} | ({OTHERS: rest} if rest else {})


def _sql(monitor: Monitor, partition: Partition, files: Sequence[str]) -> str:
    """SQL of the rows by place and environment."""
    when = instant(monitor.data.served_at)
    first, end = (
        f"CAST({literal(t.isoformat())} AS TIMESTAMPTZ)" for t in (partition.window.start, partition.window.end)
    )
    own, word = literal(monitor.environment), "CAST(environment AS VARCHAR)"
    blank = f"coalesce(trim({word}), '') = ''"
    return f"""
        SELECT CASE
            WHEN {when} IS NULL THEN CASE WHEN {word} = {own} OR {blank} THEN '{Place.NO_TIME}'
                                     ELSE '{Place.OTHER_ENVIRONMENT}' END
            WHEN {when} < {first} OR {when} >= {end} THEN '{Place.OTHER_NIGHT}'
            WHEN {blank} THEN '{Place.NO_ENVIRONMENT}'
            WHEN {word} = {own} THEN '{OWN}'
            ELSE '{Place.OTHER_ENVIRONMENT}' END AS place, {_shown(word)} AS word, count(*)
        FROM {files_of(files)} GROUP BY ALL"""


def _sql_undated(files: Sequence[str]) -> str:
    """SQL of the rows of files of other environments that have no times."""
    word = _shown("CAST(environment AS VARCHAR)")
    return f"SELECT '{Place.OTHER_ENVIRONMENT}', {word} AS word, count(*) FROM {files_of(files)} GROUP BY ALL"


def _shown(word: str) -> str:
    return f"left(coalesce({word}, ''), {LONGEST})"
