"""What the columns of the views `served` and `night` mean, in SQL; and how a query's rows are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import double, literal, name_of, quoted, text_of
from vigil.adapters.duckdb_word import not_a_number
from vigil.core.value_word import FALSE, TRUE
from vigil.core.words import Role, Task

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.profiles.layout import Decision
    from vigil.profiles.types import Edges

MISSING = "(missing)"
By = tuple[str, Role]  # version, role
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Layout:
    """A connection with the views `served` and `night`, and what their columns mean."""

    db: Any
    monitor: Monitor
    edges: Edges
    types: Mapping[str, str]

    def text(self, column: str) -> str:
        """SQL of the word of a column's value."""
        return text_of(column, self.types[column])

    def name(self, column: str) -> str:
        """SQL of the name that a column holds."""
        return name_of(column, self.types[column])

    def number(self, column: str) -> str:
        """SQL of a column's value as a number; null where it is none."""
        kind, name = self.types[column], quoted(column)
        if kind == "DOUBLE":
            return name
        number = f"TRY_CAST({name} AS DOUBLE)"
        if kind != "VARCHAR":
            return number
        yes, no = (", ".join(map(literal, words)) for words in (TRUE, FALSE))  # booleans beside a file of text
        return f"coalesce({number}, CASE WHEN {name} IN ({yes}) THEN 1.0 WHEN {name} IN ({no}) THEN 0.0 END)"

    def named(self, column: str) -> str:
        """SQL of a column's value as text, where what is missing is a group of its own."""
        return f"coalesce({self.text(column)}, {literal(MISSING)})"

    @property
    def who(self) -> dict[str, tuple[str, str]]:
        """Version and role: alias -> (SQL of the text, twice: each of them comes once)."""
        d = self.monitor.data
        version = f"coalesce({self.name(d.model_version)}, {literal(MISSING)})"
        role = f"CAST({quoted(d.role)} AS VARCHAR)"
        return {"v": (version, version), "r": (role, role)}

    def groups(self, attributes: Iterable[str]) -> dict[str, tuple[str, str]]:
        """The groups of a row: alias `g0`, `g1`, … -> (SQL of the text, column)."""
        return {f"g{i}": (self.named(a), f"s.{quoted(a)}") for i, a in enumerate(attributes)}

    @property
    def attributes(self) -> tuple[str, ...]:
        """The protected attributes, in their order."""
        return tuple(dict.fromkeys(p.attribute for p in self.monitor.protected))

    @property
    def prediction(self) -> str:
        """The prediction's column."""
        return quoted(self.monitor.data.prediction)

    @property
    def answer(self) -> str:
        """SQL of the prediction as text; null where there was no answer."""
        return self.text(self.monitor.data.prediction)

    @property
    def answered(self) -> str:
        """SQL: there was an answer."""
        kind = self.types[self.monitor.data.prediction]
        if kind == "VARCHAR":  # a blank is no answer
            return f"({self.answer} IS NOT NULL)"
        real = kind in ("FLOAT", "DOUBLE")
        no_nan = f" AND NOT {not_a_number(self.prediction)}" if real else ""
        return f"({self.prediction} IS NOT NULL{no_nan})"

    @property
    def label(self) -> str:
        """SQL of the label as text; null where it is not known."""
        return self.text("label")

    @property
    def score(self) -> str | None:
        """SQL of the score as a number, for binary models that log one."""
        name = self.monitor.data.score
        return self.number(name) if name and self.monitor.task is Task.BINARY else None

    @property
    def favourable(self) -> str:
        """SQL: the answer was the favourable decision."""
        decision = self.monitor.decision
        return f"{self.answer} = {literal(decision.favourable)}" if decision else "false"

    @property
    def positive(self) -> str:
        """SQL: the model predicted its positive class: by score, or where that is no number, by the answer."""
        decision = self.monitor.decision
        if decision is None:
            return "false"
        if self.score is None:
            return said_positive(decision, self.answer)
        threshold = double(decision.threshold)
        if self.types[self.monitor.data.score or ""] == "FLOAT":  # 0.35 in four bytes is below 0.35 in eight
            threshold = f"CAST({threshold} AS FLOAT)"
        by_score = f"{self.score} >= {threshold}"
        return f"CASE WHEN isfinite({self.score}) THEN {by_score} ELSE {said_positive(decision, self.answer)} END"


def said_positive(decision: Decision, answer: str) -> str:
    """SQL: the answer (SQL of its text) says that the label is the positive one; null where there is no answer.

    Answers may be in the words of the labels (0, 1), or in those of decisions (approve, deny): then the favourable
    one says that the label is the one that deserves it.
    """
    if decision.favourable == decision.deserving:
        return f"{answer} = {literal(decision.positive)}"
    same = "=" if decision.deserving == decision.positive else "<>"
    return f"{answer} {same} {literal(decision.favourable)}"


def select(keys: Mapping[str, tuple[str, str]], counted: Mapping[str, str], source: str) -> str:
    """SQL that counts by keys, alias -> (what is shown, what is grouped by).

    Protected groups are grouped by the columns themselves and made text afterwards, so that the same text may come
    twice. Columns to group by have their table before them (`s.`), because an alias may have the name of a column.
    """
    shown = [f"{sql} AS {alias}" for alias, (sql, _) in keys.items()]
    counts = [f"{sql} AS {alias}" for alias, sql in counted.items()]
    return f"SELECT {', '.join(shown + counts)} FROM {source} s GROUP BY {', '.join(by for _, by in keys.values())}"


def dicts(db: Any, sql: str, given: Mapping[str, Any] | None = None) -> Rows:
    """The rows of a query as dictionaries; `given` are its named parameters."""
    cursor = db.execute(sql, dict(given or {}))
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def bins_of(counted: Mapping[float, int] | None, edges: Sequence[float]) -> tuple[int, ...]:
    """DuckDB's histogram as bins: it leaves the overflow out when it is empty, and is null when nothing was counted.

    >>> bins_of({1.0: 2, 2.0: 0, float("inf"): 3}, (1.0, 2.0))
    (2, 0, 3)
    """
    found = counted or {}
    over = sum(n for key, n in found.items() if key > edges[-1])
    return (*(int(found.get(float(e), 0)) for e in edges), int(over))
