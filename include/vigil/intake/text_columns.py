"""Columns that replace texts: length, number of words, and the results of `text_facts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil.intake.text_facts import TextRules, facts

if TYPE_CHECKING:
    import pandas as pd


def text_columns(name: str, texts: pd.Series, rules: TextRules) -> dict[str, Any]:
    """The columns that are kept of one column of texts: `<name>__length`, `<name>__pii`, …; see docs/text.md.

    >>> import pandas as pd
    >>> made = text_columns("message", pd.Series(["Where is my card?", None]), TextRules())
    >>> made["message__words"].tolist()[0], made["message__pii"].tolist()
    (4.0, ['0', None])
    """
    import pandas as pd

    words: Any = texts.astype("string")
    length = words.str.len().astype("Float64")
    letters = words.str.count(r"[^\W\d_]").astype("Float64")
    made: dict[str, Any] = {
        f"{name}__length": length.astype(float),
        f"{name}__words": words.str.count(r"\S+").astype("Float64").astype(float),
        f"{name}__non_letters": (1 - letters / length.where(length > 0)).astype(float),
    }
    known = facts([None if pd.isna(t) else t for t in words], rules)
    return made | {f"{name}__{what}": pd.Series(v, index=texts.index, dtype=object) for what, v in known.items()}
