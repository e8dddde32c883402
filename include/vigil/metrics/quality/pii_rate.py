"""Texts with personal data in them."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading
from vigil.profiles.layout import Flag


def flagged(given: Given, flag: Flag) -> Iterator[Reading]:
    """Rows whose column says yes / rows where it says yes or no, of each column that the monitor declares for the flag.

    >>> from vigil.metrics.example import profile, view
    >>> night = profile(rows=10, flags={"message__pii": (2, 8)})
    >>> asked = view(flags={"pii": ("message__pii",)})
    >>> [(r.subject, r.value, r.n) for r in flagged(Given(night, None, asked), Flag.PII)]
    [('message__pii', 0.25, 8)]
    """
    for column in given.view.flags.get(flag, ()):
        yes, known = given.tonight.flags.get(column, (0, 0))
        yield share(column, yes, known, empty=because(NOT_LOGGED, f"{column!r} says yes or no in no row"))


def pii_rate(given: Given) -> Iterator[Reading]:
    """Texts with an e-mail address, telephone, IBAN or card number / texts, in [0, 1]; interval Wilson.

    Subject: the column. Of columns under `flags: {pii: […]}`; `intake.text_facts` derives them.

    >>> from vigil.metrics.example import profile, view
    >>> night = profile(rows=10, flags={"message__pii": (2, 8)})
    >>> next(pii_rate(Given(night, None, view(flags={"pii": ("message__pii",)})))).value
    0.25
    """
    return flagged(given, Flag.PII)
