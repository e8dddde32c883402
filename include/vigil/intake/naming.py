"""Messages about a missing column, with a suggestion."""

from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 40


def absent(name: str, columns: Iterable[object], where: str) -> str:
    """Names the missing column, the likeliest typing error, and the columns there are.

    >>> absent("sorce", ["score", "age"], "calls.csv")
    "calls.csv: there is no column 'sorce'; did you mean 'score'? It has: age, score"
    """
    have = sorted(map(str, columns))
    near = get_close_matches(name, have, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    more = f" and {len(have) - LISTED} more" if len(have) > LISTED else ""
    return f"{where}: there is no column {name!r}{hint} It has: {', '.join(have[:LISTED]) or 'no columns'}{more}"
