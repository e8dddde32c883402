"""The word of a value (`core/value_word`) for columns of Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil.core.value_word import word

if TYPE_CHECKING:
    import pyarrow as pa

REWORDED = r"^$|^\s|\s$|[^ -~]|[.]0+$|^[tTfF][rRaA][uUlL][sSeE][eE]?$"  # texts that may not be their own word


def word_column(column: pa.ChunkedArray) -> pa.Array:
    """The word of each value, null where it is missing. Raises DataError for values that have none.

    >>> import pyarrow as pa
    >>> word_column(pa.chunked_array([[True, None], [False]])).to_pylist()
    ['1', None, '0']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_string(whole.type) and not pc.any(pc.match_substring_regex(whole, REWORDED)).as_py():
        return whole  # most columns of ids are their own words
    try:
        coded = whole.dictionary_encode()
    except pa.ArrowNotImplementedError:
        return pa.array([word(value) for value in whole.to_pylist()], pa.string())
    known = pa.array([word(value) for value in _values(coded.dictionary)], pa.string())
    return known.take(coded.indices)


def _values(column: pa.Array) -> Any:
    """As Python has them; floats of four bytes stay so: as one of eight, 0.1 would be 0.10000000149."""
    import pyarrow as pa

    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        return column.to_numpy(zero_copy_only=False).astype("float32")
    return column.to_pylist()
