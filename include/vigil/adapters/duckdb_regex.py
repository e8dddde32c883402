"""Regular expressions that mean the same to Python and to DuckDB (RE2), as far as texts are ASCII.

Only what is listed here is translated: plain characters, sets of them, groups, alternatives, repetition, both ends, and
the classes \\d, \\w, \\s. Everything else (flags, look-around, back references, `.`) is left to Python.
"""

from __future__ import annotations

import re

LONGEST = 200  # characters of a pattern
CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t-\r\x1c- "}  # as Python has them, of ASCII
TOKEN = re.compile(
    r"""(?P<set>\[\^?(?:[A-Za-z0-9_ @:/,;.%+*?!=<>"'()$-]|\\[dws]|\\[!-/:-@\[-`{-~])+\])
    |(?P<group>\(\?:|\((?!\?)|\)|\|)
    |(?P<times>(?:[*+?]|(?<!\))\{\d{1,2}(?:,\d{0,2})?\})\??(?![*+?{]))
    |(?P<first>\^)
    |(?P<last>\$(?=\||\Z))
    |\\(?P<class>[dws])
    |(?P<escaped>\\[!-/:-@\[-`{-~])
    |(?P<plain>[A-Za-z0-9 _@:/,;=<>"'\#%&~!-])""",
    re.VERBOSE,
)


def re2(pattern: str) -> str | None:
    """The same pattern for DuckDB's regexp_matches over ASCII texts; None where it may mean something else there.

    >>> re2(r"^p\\d+$")
    '\\\\Ap[0-9]+(?:\\\\n?\\\\z)'
    >>> re2(r"(?i)yes") is None, re2("a.c") is None
    (True, True)
    """
    if len(pattern) > LONGEST:
        return None
    said, at, depth = [], 0, 0
    while at < len(pattern):
        found = TOKEN.match(pattern, at)
        if found is None:
            return None
        kind, text = str(found.lastgroup), str(found[found.lastgroup or 0])
        depth += {"(": 1, "(?:": 1, ")": -1}.get(text, 0) if kind == "group" else 0
        if kind == "last" and depth:  # what follows it in its group's neighbours could be the line break itself
            return None
        said.append(_said(kind, text))
        at = found.end()
    return "".join(said)


def _said(kind: str, text: str) -> str:
    if kind == "first":
        return r"\A"
    if kind == "last":  # Python: at the end, or before the line break that ends the text
        return r"(?:\n?\z)"
    if kind == "class":
        return f"[{CLASSES[text]}]"
    if kind == "set":
        return re.sub(r"\\([dws])", lambda found: CLASSES[found[1]], text)
    return text
