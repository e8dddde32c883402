"""Detects whole numbers that are codes, such as regions or products: their mean has no meaning, a new code has."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NAME = re.compile(
    r"(^|_)(code|type|kind|class|category|cat|region|area|branch|segment|state|country|city|district|zip|plz|postcode|"
    r"product|channel|group|cluster|sector|industry|occupation|profession|education|marriage|marital|gender|sex|status|"
    r"weekday|day_of_week|month|season|weather|flag|merchant|mcc|currency|bank|device|team|agent|plan|tier|reason|"
    r"purpose|source|campaign_id|filiale|sparte|bundesland|kategorie|produkt)(_|$|\d)|(_id|_code|_cd|_nr)$",
    re.IGNORECASE,
)
QUANTITY = re.compile(
    r"(^|_)(n|num|number|count|cnt|amount|sum|total|days?|weeks?|months|years?|age|avg|mean|share|rate|ratio|anzahl)(_|$)",
    re.IGNORECASE,
)  # stronger than NAME: category_count counts
MOST = 50  # different codes; more are a quantity, or a name that no night repeats
SEVERAL = 6  # different values from which on the shape of their frequencies says something
DIPS = 2  # values rarer than both their neighbours: a quantity has one hump, or two
SURE = 3.0  # standard errors between a dip and its neighbours


class Why(StrEnum):
    """Why whole numbers are taken for codes."""

    NAME = "its name says that its numbers are codes"
    TWO = "it has two values"
    SHAPE = "its values are frequent and rare without order, as codes are"


def codes(name: str, values: pd.Series) -> Why | None:
    """Why a column of whole numbers holds codes, or None for a quantity.

    values: the numbers that are there, not empty.

    >>> import pandas as pd
    >>> ages = pd.Series(range(18, 90))
    >>> codes("region", pd.Series([1, 2, 3, 2])), codes("age", ages), codes("children", pd.Series([0, 1, 1, 2]))
    (<Why.NAME: 'its name says that its numbers are codes'>, None, None)
    """
    frequency = values.value_counts().sort_index()
    if len(frequency) > MOST or bool((values % 1 != 0).any()):
        return None
    if NAME.search(name) and not QUANTITY.search(name):
        return Why.NAME
    if len(frequency) == 2:
        return Why.TWO
    if len(frequency) >= SEVERAL and _dips([int(n) for n in frequency]) >= DIPS:
        return Why.SHAPE
    return None


def _dips(frequency: list[int]) -> int:
    """How many values are surely rarer than the next lower and the next higher one."""

    def rarer(one: int, other: int) -> bool:
        return bool(other - one > SURE * (one + other) ** 0.5)

    inner = range(1, len(frequency) - 1)
    return sum(rarer(frequency[i], frequency[i - 1]) and rarer(frequency[i], frequency[i + 1]) for i in inner)
