"""The word of a value (`core/value_word`) in SQL, for stored columns of any type."""

from vigil.core.value_word import BLANKS, EXACT, FALSE, TRUE, WHOLE


def word_of(sql: str, kind: str) -> str:
    """SQL of the word of a value; null where it is missing.

    sql: the value, most often a column. kind: DuckDB's name of its type.

    >>> word_of("city", "INTEGER")
    'CAST(city AS VARCHAR)'
    """
    plain = f"CAST({sql} AS VARCHAR)"
    if kind == "BOOLEAN":
        return f"CAST(CAST({sql} AS INTEGER) AS VARCHAR)"
    if kind in ("FLOAT", "DOUBLE"):
        whole = f"{sql} = trunc({sql}) AND abs({sql}) < {EXACT!r}"
        return (
            f"CASE WHEN {not_a_number(sql)} THEN NULL WHEN {whole} THEN CAST(CAST({sql} AS BIGINT) AS VARCHAR) "
            f"ELSE {plain} END"
        )
    if kind.startswith("DECIMAL"):
        return (
            f"CASE WHEN {sql} = trunc({sql}) THEN CAST(CAST({sql} AS HUGEINT) AS VARCHAR) ELSE rtrim({plain}, '0') END"
        )
    if kind == "BLOB":
        return word_of_text(f"coalesce(try(decode({sql})), {plain})")
    if kind == "VARCHAR":
        return word_of_text(sql)
    return word_of_text(plain) if kind.startswith("ENUM") else plain


def not_a_number(x: str) -> str:
    """SQL: a number is NaN. isnan() cannot be trusted: on a Parquet column that has a smallest and a largest value,
    DuckDB 2.0 takes it for false, because NaN is in neither."""
    return f"(NOT isfinite({x}) AND abs({x}) <> CAST('inf' AS DOUBLE))"


def word_of_text(x: str) -> str:
    """SQL of the word of a text.

    Most texts are ASCII without blanks around them, or begin and end with a letter: those need little. What is left is
    trimmed of every kind of blank, which is slow.
    """
    ascii_, blank = f"strlen({x}) = length({x})", f"trim({x})"  # trim: of spaces alone
    apart = f"strlen({blank}) <> length({blank}) AND {blank} >= '!' AND right({blank}, 1) >= '!'"
    stripped = f"nfc_normalize(trim({x}, '{BLANKS}'))"
    return (
        f"CASE WHEN {ascii_} AND {x} >= '!' AND right({x}, 1) >= '!' THEN {_meant(x)} "
        f"WHEN {apart} THEN nfc_normalize({blank}) "
        f"ELSE list_transform([{stripped}], lambda w: nullif({_meant('w')}, ''))[1] END"
    )


def _meant(x: str) -> str:
    """SQL of a text without blanks around it: true, false, and whole numbers that were written as floats."""
    yes, no = (", ".join(f"'{spelling}'" for spelling in words) for words in (TRUE, FALSE))
    whole = f"regexp_replace({x}, '{WHOLE}', '\\1\\2')"
    return (
        f"CASE WHEN {x} IN ({yes}) THEN '1' WHEN {x} IN ({no}) THEN '0' "
        f"WHEN ends_with({x}, '0') AND contains({x}, '.') THEN {whole} ELSE {x} END"
    )
