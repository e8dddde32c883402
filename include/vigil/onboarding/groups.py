"""Which columns may tell protected groups apart, and groups for those that are numbers."""

import re
from collections.abc import Mapping, Sequence

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.intake.naming import absent
from vigil.intake.types import Band
from vigil.onboarding.columns import Holds, Look

# characteristics protected by EU Charter Art. 21 and, in the US, ECOA Regulation B (12 CFR 1002.2(z))
NAMES = re.compile(
    r"(^|_)(age|alter|sex|gender|race|ethnic\w*|nationality|citizen\w*|foreign\w*|religion|faith|marital\w*|married|"
    r"geschlecht|familienstand|staatsangeh\w*|nationalit\w*|sexe|genre|sexo|estado_civil|"
    r"disab\w*|pregnan\w*|orientation|mother_tongue|native\w*|birth\w*|colou?r_of_skin|public_assistance)(_|$)",
    re.IGNORECASE,
)
MOST_GROUPS = 20
AGES = ((26.0, 60.0), ("25_or_under", "26_to_59", "60_or_over"))


class Candidate(Spec):
    """An attribute that fairness may be watched by. band: how it is cut, where the log has numbers."""

    attribute: str
    column: str
    levels: tuple[str, ...]  # most frequent first; empty where a band makes them
    band: Band | None = None

    @property
    def usual(self) -> str:
        """The reference group that is offered: the middle band, or the most frequent level."""
        return self.band.labels[len(self.band.labels) // 2] if self.band else self.levels[0]


def candidates(looks: Mapping[str, Look], named: Sequence[str]) -> list[Candidate]:
    """Attributes that people named, else those whose names say so. Raises DataError for one that makes no groups."""
    for name in named:
        if name not in looks:
            raise DataError(absent(name, looks, "--protected"))
    chosen = named or [n for n, one in looks.items() if NAMES.search(n) and _groups(one) is None]
    made = []
    for name in chosen:
        problem = _groups(looks[name])
        if problem:
            raise DataError(f"--protected {name}: {problem}")
        made.append(_candidate(looks[name]))
    return made


def _groups(one: Look) -> str | None:
    """Why a column makes no groups, or None."""
    if one.holds is Holds.NUMBER and (one.distinct > MOST_GROUPS):
        ages = (one.low or 0) >= 0 and (one.high or 0) <= 120 and re.search("age|alter", one.name, re.IGNORECASE)
        return None if ages else "its numbers must be cut into bands first: add `bands:` under `source:`, then name it"
    if one.distinct > MOST_GROUPS:
        return (
            f"it has {one.distinct} values, so most groups would be too small to judge; "
            "name an attribute with fewer, or join its values under `source: values:`"
        )
    return None if one.distinct >= 2 else "it has one value only: there is nobody to compare"


def _candidate(one: Look) -> Candidate:
    if one.holds is Holds.NUMBER and one.distinct > MOST_GROUPS:
        band = Band(column=one.name, edges=AGES[0], labels=AGES[1])
        return Candidate(attribute=f"{one.name}_band", column=one.name, levels=(), band=band)
    return Candidate(attribute=one.name, column=one.name, levels=one.levels)
