"""Which column is the label: by its name, its words, the rows that still lack it, and how it goes with the answers.

Labels come late: those that are missing belong to the newest nights. A feature that few rows have is missing all over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.intake.column_values import text
from vigil.onboarding.columns import Holds, Look
from vigil.onboarding.roles import BEFORE, FEW, NAMES, Guess, Word, binary, fits, sounds

if TYPE_CHECKING:
    import pandas as pd

RIPE = 0.8  # share of rows with a value, from which a column counts as known nearly everywhere
CHANCE = 0.001  # of so long an end without a value, if the missing values lay anywhere
CLEARLY = 4.0  # standard errors
FOLLOWS = 0.5  # sd of the score between the means of a label's two values
ALIKE = 0.6  # correlation of a quantity with its forecast
SHARED = 0.8  # of a label's rows have a word that the answers have too
AGREES = 0.2  # Cohen's kappa of several classes with the answers: 0 is chance, 1 is always
LEAST_ROWS = 20  # with label and answer
LEAST_NIGHTS = 4


class Known(StrEnum):
    """For which rows a column has a value."""

    EVERYWHERE = "everywhere"
    RIPENING = "ripening"  # the newest nights lack it
    SPREAD = "spread"  # many rows lack it, on old nights and new ones


class Log(NamedTuple):
    """A sample of a log and what is known of it.

    nights: the local day of each row; said: the answers as text, None where they are in no column; score: as numbers.
    """

    frame: pd.DataFrame
    looks: Mapping[str, Look]
    roles: Mapping[Word, Guess]
    nights: pd.Series
    said: pd.Series | None
    score: pd.Series | None

    @property
    def answer(self) -> Look | None:
        """The column of the answers."""
        return self.looks[self.roles[Word.PREDICTION].column] if Word.PREDICTION in self.roles else None

    @property
    def quantity(self) -> bool:
        """Whether the answers are numbers of any size."""
        return self.answer is not None and self.answer.holds is Holds.NUMBER and self.answer.distinct > FEW

    @property
    def two(self) -> bool:
        """Whether there are two answers."""
        return self.answer.distinct <= 2 if self.answer is not None else self.score is not None

    def free(self) -> list[Look]:
        """The columns that may be the label."""
        taken = {g.column for g in self.roles.values()}
        left = [c for c in self.looks.values() if c.name not in taken and not BEFORE.search(c.name)]
        return [c for c in left if fits(Word.LABEL, c)]


def known_for(there: pd.Series, nights: pd.Series) -> Known:
    """Where the rows without a value lie. there: whether a row has one."""
    seen: Any = there.groupby(nights).agg(["sum", "count"])
    if not there.any() or seen["sum"].sum() == 0:
        return Known.SPREAD
    share = seen["sum"] / seen["count"]
    last = int((seen["sum"] > 0).to_numpy().nonzero()[0][-1])
    until, after = seen.iloc[: last + 1], seen.iloc[last + 1 :]
    by_row = (1 - float(until["sum"].sum() / until["count"].sum())) ** int(after["count"].sum())
    nights_without = int((until["sum"] == 0).sum())  # where there are some already, more of them are nothing new
    by_night = ((nights_without + 1) / (len(until) + 1)) ** len(after) if nights_without else 0.0
    if len(after) and max(by_row, by_night) < CHANCE:
        return Known.RIPENING
    old, rows = share.iloc[: len(share) // 2], int(seen["count"].iloc[-1])
    if len(old) and share.iloc[-1] < old.min() / 2:  # some labels come at once
        usual = float(old.mean())
        if (usual - share.iloc[-1]) * rows > CLEARLY * max(1.0, rows * usual * (1 - usual)) ** 0.5:
            return Known.RIPENING
    return Known.EVERYWHERE if there.mean() >= RIPE else Known.SPREAD


def named(looks: Mapping[str, Look], roles: Mapping[Word, Guess]) -> Guess | None:
    """The label of a log that has nothing else, by its name."""
    taken = {g.column for g in roles.values()}
    free = [
        c for c in looks.values() if c.name not in taken and fits(Word.LABEL, c) and not BEFORE.search(c.name)
    ]  # fmt: skip
    best = min(((place, n) for n, c in enumerate(free) if (place := sounds(c)) is not None), default=None)
    return Guess(column=free[best[1]].name, why="by its name; check it") if best else None


def label(
    frame: pd.DataFrame, looks: Mapping[str, Look], roles: Mapping[Word, Guess], nights: pd.Series
) -> Guess | None:
    """The label, or None. Each column gives its reasons; the one whose reasons weigh most is taken.

    nights: the local day of each row.
    """
    import pandas as pd

    said = text(frame[roles[Word.PREDICTION].column]) if Word.PREDICTION in roles else None
    score = pd.to_numeric(frame[roles[Word.SCORE].column], errors="coerce") if Word.SCORE in roles else None
    log = Log(frame, looks, roles, nights, said, score)
    weighed = [w for one in log.free() if _possible(log, one) and (w := _weighed(log, one)) is not None]
    return max(weighed, key=lambda w: w[0])[1] if weighed else _ripened(log)


def _possible(log: Log, one: Look) -> bool:
    """Whether a closer look is worth its time: a wide log has thousands of columns."""
    if sounds(one) is not None:
        return True
    if log.two:
        return binary(one) and one.missing > 0
    return one.distinct > FEW if log.quantity else not one.counts or one.distinct <= FEW


def _weighed(log: Log, one: Look) -> tuple[float, Guess] | None:
    """(weight, the guess) of a column that may be the label; None where nothing says so."""
    place, values = sounds(one), text(log.frame[one.name])
    known, alike = known_for(values.notna(), log.nights), _alike(log, one, values)
    if alike is False and (place != 0 or log.two):  # no name makes two answers of many values
        return None
    late = known is Known.RIPENING
    sure = bool(alike) and not log.two  # that two columns say yes and no tells little
    named_so = place == 0 or (place is not None and known is not Known.SPREAD)
    follows = late and _follows(log, one)
    if not (named_so or sure or follows or (alike and late)):
        return None
    goes = _goes_with(log, one, values)
    why = "by its name; check it"
    if alike:
        why = f"closest to the answers (r = {goes:.2f}); check it" if log.quantity else _SAME
    elif follows and not named_so:
        why = "not known for the newest rows, and it follows the score"
    weight = _name_weight(one, place) + 4 * bool(alike) + 2 * late + goes
    return weight, Guess(column=one.name, why=why)


def _name_weight(one: Look, place: int | None) -> float:
    """How much a name counts; more where it says nothing else: `subscribed` beside `credit_in_default`."""
    word = re.search(NAMES[Word.LABEL][place], one.name, re.IGNORECASE) if place is not None else None
    return 3 - place + len(word.group()) / len(one.name) if place is not None and word else 0.0


_SAME = "its values are those of the answers"


def _alike(log: Log, one: Look, values: pd.Series) -> bool | None:
    """Whether the values are the answers' own; False where they cannot be; None where that tells nothing."""
    import pandas as pd

    said = log.said
    if log.answer is None or said is None:
        return False if log.score is not None and one.distinct > 2 else None
    if log.quantity:
        if one.holds is not Holds.NUMBER or one.distinct <= FEW:
            return None
        true, forecast = (pd.to_numeric(v, errors="coerce") for v in (values, said))
        return True if _correlation(said, values) > ALIKE and 0.5 < float(true.mean() / forecast.mean()) < 2 else None
    words, theirs = set(said.dropna()), set(values.dropna())
    if log.two:
        return True if words == theirs else (None if binary(one) else False)
    return bool(values.dropna().isin(words).mean() >= SHARED) and _kappa(said, values) > AGREES


def _follows(log: Log, one: Look) -> bool:
    """Whether the means of the score differ between two values."""
    if log.score is None or not binary(one) or len(one.levels) != 2:
        return False
    means = log.score.groupby(log.frame[one.name]).mean()
    return float(means.max() - means.min()) > FOLLOWS * float(log.score.std())


def _goes_with(log: Log, one: Look, values: pd.Series) -> float:
    """How closely a column goes with the answers or the score: 0 not at all, 1 always."""
    said = log.said
    if said is not None and log.quantity:
        return max(0.0, _correlation(said, values)) if one.holds is Holds.NUMBER else 0.0
    if said is not None and not log.two:
        return _kappa(said, values)
    if one.distinct != 2:
        return 0.0
    others = ([log.score] if log.score is not None else []) + ([_code(said)] if said is not None else [])
    return max((abs(_correlation(other, _code(values))) for other in others), default=0.0)


def _code(values: pd.Series) -> pd.Series:
    """1 for one of two values, 0 for the other."""
    code: pd.Series = (values == values.dropna().iloc[0]).astype(float).where(values.notna())
    return code


def _correlation(said: pd.Series, values: pd.Series) -> float:
    """Pearson's r of the rows that have both; 0 where there are too few, or one never changes."""
    import pandas as pd

    both = pd.DataFrame({"a": pd.to_numeric(said, errors="coerce"), "b": pd.to_numeric(values, errors="coerce")})
    both = both.dropna()
    if len(both) < LEAST_ROWS or both["a"].nunique() < 2 or both["b"].nunique() < 2:
        return 0.0
    return float(both["a"].corr(both["b"]))


def _kappa(said: pd.Series, values: pd.Series) -> float:
    """Cohen's kappa: how often two columns say the same, beyond what their words alone would make."""
    known = said.notna() & values.notna()
    said, values = said[known], values[known]
    if len(said) < LEAST_ROWS:
        return 0.0
    chance = float((said.value_counts(normalize=True) * values.value_counts(normalize=True)).sum())
    same = float((said == values).mean())
    return max(0.0, (same - chance) / (1 - chance)) if chance < 1 else 0.0


def _ripened(log: Log) -> Guess | None:
    """The label that neither name nor score gives away: two values, known for old rows, not for the newest ones."""
    days = sorted(log.nights.dropna().unique())
    if len(days) < LEAST_NIGHTS:
        return None
    old = log.nights.isin(days[: len(days) // 2])
    there = {c.name: text(log.frame[c.name]).notna() for c in log.free() if c.distinct == 2 and c.missing}
    ripe = [
        name for name, known in there.items()
        if float(known[old].mean()) > RIPE and known_for(known, log.nights) is Known.RIPENING
    ]  # fmt: skip
    why = "known for old rows and not for the newest, as labels are; check it"
    return Guess(column=ripe[0], why=why) if len(ripe) == 1 else None
