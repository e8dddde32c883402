"""Surprise against the model's own nights: which of many scores is further from its usual place than chance explains.

Statistics: docs/statistics.md#surprise.

One family per model and night: Benjamini-Hochberg over all scores together, and an effect that matters.
One night is a warn, the same question on 2 of 3 nights a breach, a jump beyond the hard bound a breach at once. Small
drift that lasts is found by a detector of its own and opens a ticket.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from vigil.metrics.types import Worse
from vigil.verdicts.calendar import NIGHTS_FOR_YEAR, design
from vigil.verdicts.few_rows import seen
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.scales import ARCSINE, FLOORS, Scaled, anchor, jump, scaled, words
from vigil.verdicts.scored_nights import YOUNG, Asked, Then, anchored, matrix, numbers, teaching
from vigil.verdicts.thresholds import Outcome, too_few
from vigil.verdicts.types import Cause, NightResult, State, Surprise, Verdict, column_of

if TYPE_CHECKING:
    import numpy as np

    from vigil.verdicts.usual import Usual

POWER_80 = 0.8416
HARD_CHANCE = 0.1  # of the level: no second night confirms a jump
HARD_SPREADS = 4.0  # of a usual night: what happens to the model now and then is no jump
HABIT_Z = 2.5  # of a month ago, at least
FEW_SUCCESSES = 30  # or failures, below which a share is tested by counting
LEAST_NIGHTS = 5  # nights that a model must have had before its usual place is known at all
CONFIRM_NIGHTS = 2  # nights of service before tonight, of which one must have said the same
UNLIKE = {"sd": 0.5, ARCSINE: 0.2}  # from the reference, beyond which what is usual is told once
UNLIKE_ERRORS = 3.0  # standard errors of what is usual, beyond that


def judge_surprise(
    asked: Sequence[Asked], history: Sequence[NightResult], tonight: date, settings: Surprise
) -> dict[str, Outcome]:
    """Question -> what surprise says of it, for all questions of the night together.

    history: ends in the two nights of service before tonight (`in_place`).
    """
    past = {r.night: numbers(r) for r in history}
    scales = {a.measurement.id: scaled(a.measurement) for a in asked}
    known = [a for a in asked if scales[a.measurement.id] is not None and _enough(a)]
    judgeable = {a.measurement.id for a in known}
    out = {a.measurement.id: _few_rows(a) for a in asked if a.measurement.id not in judgeable}
    if not known:
        return out
    days = tuple(d for d in sorted(past) if d < tonight)
    judged = _Family(known, past, (*days, tonight), settings)
    before = [r for r in history if r.night < tonight][-CONFIRM_NIGHTS:]
    confirmed = {v.id for r in before for v in r.verdicts if _counts(v)}
    for row, one in enumerate(known):
        out[one.measurement.id] = judged.outcome(row, again=one.measurement.id in confirmed)
    return out


def _counts(v: Verdict) -> bool:
    """Whether a past verdict is one of the two nights of a breach."""
    return v.state in (State.WARN, State.BREACH) and not v.ticket and (v.limited_by(LimitKind.SURPRISE) or v.hard)


def _enough(one: Asked) -> bool:
    """Whether there are rows enough; how many there are can be said of any number of them."""
    return not too_few(one.measurement, one.rule)


def _few_rows(one: Asked) -> Outcome:
    m = one.measurement
    why = f"{m.n} rows are fewer than the {one.rule.min_rows} that the rule asks for"
    return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why, limit=Limit(kind=LimitKind.SURPRISE))


class _Family:
    """All scores of one night, fitted and tested together."""

    def __init__(
        self,
        asked: Sequence[Asked],
        past: Mapping[date, Mapping[str, Then]],
        days: Sequence[date],
        settings: Surprise,
    ) -> None:
        import numpy as np

        from vigil.verdicts.usual import Scores, usual

        self.asked, self.days, self.settings = asked, days, settings
        self.limit = Limit(kind=LimitKind.SURPRISE, level=settings.level)
        self.tonight = [scaled(a.measurement) or Scaled(0.0, 1.0, "") for a in asked]
        scores = matrix(asked, self.tonight, past, days)
        self.values = scores.values
        self.taught, self.bad, self.learnt_tonight = teaching(scores, days, settings)
        columns, self.calendar = design(
            days,
            list(map(bool, np.any(self.taught, axis=0))),
            season=settings.season,
            terms=settings.calendar,
            trend=settings.window == "rolling",
        )
        self.usual: Usual = usual(
            Scores(
                scores.values,
                scores.variances,
                self.taught,
                columns,
                tuple(a.measurement.metric for a in asked),
                np.array([anchored(a.measurement) for a in asked]),
            )
        )
        self.away = _bounded(self.usual.surprise(self.values), scores.counts, self._shares())
        self.floors = np.array([_floor(a, s.scale) for a, s in zip(asked, self.tonight, strict=True)])
        critical = self._critical()
        self.seen = seen(
            [a.measurement for a in asked],
            self.tonight,
            self.values,
            self.taught,
            self.usual,
            self.away[:, -1],
            critical,
        )
        spread = np.where(self.seen.nights > 1, self.seen.error, self.usual.spread[:, -1])
        self.reach = np.maximum(critical * spread, self.floors) + POWER_80 * spread
        self.adjusted = self._adjusted()
        self.drift = self._drift()

    def _shares(self) -> "np.ndarray":
        """(S, N) the share that is usual, NaN for scores that are no shares."""
        import numpy as np

        zero = np.array([anchor(a.measurement) for a in self.asked])
        shares = np.sin(np.clip(self.usual.centre + zero[:, None], 0.0, np.pi) / 2) ** 2
        return np.where(np.array([s.scale == ARCSINE for s in self.tonight])[:, None], shares, np.nan)

    def _adjusted(self) -> "np.ndarray":
        """Benjamini-Hochberg over the family; importance makes a feature's threshold milder, and others' harsher."""
        import numpy as np
        from scipy.stats import false_discovery_control, norm

        z = self.seen.away
        one_sided = {Worse.HIGHER: norm.sf(z), Worse.LOWER: norm.cdf(z), Worse.AWAY: 2 * norm.sf(np.abs(z))}
        p = np.array([one_sided[a.measurement.worse][row] for row, a in enumerate(self.asked)])
        weights = np.array([self.settings.importance.get(column_of(a.measurement.subject), 1.0) for a in self.asked])
        weights = np.maximum(weights, 1e-3) / np.maximum(weights, 1e-3).mean()
        usable = self.usual.nights >= LEAST_NIGHTS
        p = np.where(usable, np.minimum(1.0, p / weights), 1.0)
        return np.asarray(false_discovery_control(p)) if len(p) else p

    def _drift(self) -> "np.ndarray":
        """(S,) whether a score drifts slowly, the way that is bad."""
        import numpy as np

        from vigil.verdicts.slow_drift import IGNORED, detector, lasting, limit

        usable = self.usual.nights >= YOUNG
        unlearnt = "year" in self.settings.season and int(self.taught.any(axis=0).sum()) < NIGHTS_FOR_YEAR
        rolling = self.settings.window == "rolling"  # what drifts slowly is usual there
        if (
            not self.settings.slow_drift or rolling or unlearnt or not usable.any()
        ):  # a season is a slow drift until it is learnt
            return np.zeros(len(self.asked), dtype=bool)
        z = np.where(np.isfinite(self.values) & usable[:, None] & ~self.bad, self.away, np.nan)
        tolerated = (IGNORED * self.floors + 2 * self.usual.unsure) / self.usual.spread[:, -1]
        least = limit(int(usable.sum()))
        path = detector(z, tolerated=tolerated, persistence=self.usual.persistence, most=least)
        up, down = lasting(path, least)
        worse = [a.measurement.worse for a in self.asked]
        return np.array([_sided(w, up=bool(up[i]), down=bool(down[i])) for i, w in enumerate(worse)])

    def _critical(self) -> "np.ndarray":
        """(S,) the surprise that would be a warn tonight, were it the only one."""
        import numpy as np
        from scipy.stats import t

        sides = np.array([2 if a.measurement.worse is Worse.AWAY else 1 for a in self.asked])
        return np.asarray(t.isf(self.settings.level / len(self.asked) / sides, self.usual.freedom))

    def outcome(self, row: int, *, again: bool) -> Outcome:
        """The verdict on one score. again: one of the two nights before said the same."""
        nights, limit = int(self.usual.nights[row]), self.limit
        if nights < LEAST_NIGHTS:
            why = f"{nights} past nights; {LEAST_NIGHTS} are needed to know what is usual"
            return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS, why=why, limit=limit)
        if self.adjusted[row] > self.settings.level:
            return self._unsurprising(row)
        leap = self._leap(row)
        if leap:
            return Outcome(state=State.BREACH, why=f"{leap}: {self._place(row)}", limit=limit, hard=True)
        if abs(self.seen.moved[row]) < self.floors[row]:
            return self._unsurprising(row)
        habit = self._habit(row) if again else ""
        if habit:
            return Outcome(state=State.WARN, why=f"{self._place(row)}, 2 of 3 nights; {habit}", limit=limit)
        state, more = (State.BREACH, ", 2 of 3 nights") if again else (State.WARN, "")
        return Outcome(state=state, why=self._place(row) + more, limit=limit)

    def _leap(self, row: int) -> str:
        """Why one night is enough, or "": a jump that is also far beyond what a usual night does."""
        value, centre = self.tonight[row].value, float(self.usual.centre[row, -1])
        usual = abs(value - centre) <= HARD_SPREADS * self.usual.spread[row, -1]
        chance = self.adjusted[row] > HARD_CHANCE * self.settings.level
        if self.asked[row].rule.hard is not None or usual or chance or self.seen.nights[row] > 1:
            return ""
        return jump(self.asked[row].measurement, self.tonight[row].scale, value, centre)

    def _unsurprising(self, row: int) -> Outcome:
        """A ticket, an ok, or unknown where so few rows could have shown nothing."""
        limit = self.limit
        if self.drift[row]:
            return Outcome(state=State.WARN, ticket=True, why=f"drifts slowly: {self._place(row)}", limit=limit)
        if self._unlike_reference(row):
            return Outcome(state=State.WARN, ticket=True, why=self._learnt(row), limit=limit)
        if self.seen.blind[row]:
            why = f"{self.asked[row].measurement.n} rows show no move that can happen: {self._place(row)}"
            return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why, limit=limit)
        return Outcome(state=State.OK, why=self._place(row), limit=limit, would_see=self._would_see(row))

    def _unlike_reference(self, row: int) -> bool:
        """Whether what is usual became known tonight, and certainly lies far from the reference: said that once.

        A change inside the first nights would be learnt as usual otherwise, and never be told.
        """
        if not self.learnt_tonight[row] or not anchored(self.asked[row].measurement):
            return False
        far = UNLIKE.get(self.tonight[row].scale)
        away = abs(float(self.usual.centre[row, -1]))
        return far is not None and away - UNLIKE_ERRORS * float(self.usual.unsure[row]) > far

    def _learnt(self, row: int) -> str:
        m, scale = self.asked[row].measurement, self.tonight[row].scale
        usual, reference = (words(m, scale, place) for place in (float(self.usual.centre[row, -1]), 0.0))
        return (
            f"what is usual is known since tonight, from {self.usual.nights[row]} nights, and it is {usual} where the "
            f"{m.yardstick or 'reference'} has {reference}: is that right, or did something change before or on the "
            "first nights?"
        )

    def _habit(self, row: int) -> str:
        """What comes and goes on the same days of every month (pay-days, statements) is told, and breaks nothing.

        Half of tonight's surprise at least, the same way, a month ago to the day or one beside it.
        """
        z, tonight = self.away[row], self.days[-1]
        for column, day in enumerate(self.days[:-1]):
            same = 27 <= (tonight - day).days <= 32 and min(abs(tonight.day - day.day), 3) <= 1
            if same and z[column] * z[-1] > 0 and abs(z[column]) >= max(HABIT_Z, abs(z[-1]) / 2):
                return f"it was so on {day} too: if that is usual, declare it under `surprise: calendar:`"
        return ""

    def _place(self, row: int) -> str:
        """Where tonight is, against where a usual night is."""
        m, scale = self.asked[row].measurement, self.tonight[row].scale
        centre = float(self.usual.centre[row, -1])
        nights = self.seen.nights[row]
        together = f"on {nights} nights together, since one has too few rows, " if nights > 1 else ""
        text = (
            f"{together}{self.seen.away[row]:+.1f} sd of a usual night from {words(m, scale, centre)}, "
            f"its place on {self.usual.nights[row]} nights{_spell(self.days, self.taught[row])}"
        )
        if self.usual.nights[row] < YOUNG:
            text += "; so few nights know their own spread badly, a wide one is assumed"
        return text

    def _would_see(self, row: int) -> str:
        """The move that would have been a warn tonight, with 80 % power, were it the only one."""
        m, scale = self.asked[row].measurement, self.tonight[row].scale
        centre, nights = float(self.usual.centre[row, -1]), self.seen.nights[row]
        reach = float(self.reach[row])
        when = f"on {nights} nights" if nights > 1 else "tonight"
        low, high = (words(m, scale, centre - reach), words(m, scale, centre + reach))
        text = {Worse.AWAY: f"below {low} or above {high}", Worse.LOWER: f"below {low}", Worse.HIGHER: f"above {high}"}
        return f"a value {text[m.worse]} {when} would have been found (80 % power)"


def _sided(worse: Worse, *, up: bool, down: bool) -> bool:
    return {Worse.HIGHER: up, Worse.LOWER: down, Worse.AWAY: up or down}[worse]


def _spell(days: Sequence[date], taught: "np.ndarray") -> str:
    reference = [day for day, one in zip(days, taught, strict=True) if one]
    return f" ({reference[0]} to {reference[-1]})" if reference else ""


def _floor(one: Asked, scale: str) -> float:
    return one.rule.floor or FLOORS.get(scale, 0.0)


def _bounded(away: "np.ndarray", counts: "np.ndarray", usual: "np.ndarray") -> "np.ndarray":
    """Surprise no larger than counting alone explains: few successes have a skewed share, which no scale mends.

    Source: the exact binomial test; nights that differ only make a count less surprising.
    """
    import numpy as np
    from scipy.stats import binom, norm

    k, n = counts
    exact = np.isfinite(usual) & np.isfinite(k) & (np.minimum(k, n - k) < FEW_SUCCESSES)
    tail = np.where(away > 0, binom.sf(k - 1, n, usual), binom.cdf(k, n, usual))
    most = np.abs(norm.isf(np.clip(tail, 1e-300, 0.5)))
    return np.asarray(np.where(exact, np.sign(away) * np.minimum(np.abs(away), most), away))
