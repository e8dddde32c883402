"""Surprise against the model's own nights: which of many scores is further from its usual place than chance explains.

One family per model and night (judgement §3): Benjamini-Hochberg over all scores together, and an effect that matters.
One night is a warn, the same question on 2 of 3 nights a breach, a jump beyond the hard bound a breach at once. Small
drift that lasts is found by a detector of its own and opens a ticket.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from vigil.metrics.types import Kind, Worse
from vigil.verdicts.calendar import NIGHTS_FOR_YEAR, design
from vigil.verdicts.scales import ARCSINE, FLOORS, Scaled, anchor, jump, scaled, words
from vigil.verdicts.scored_nights import YOUNG, Asked, Then, Told, anchored, matrix, numbers, spoilt
from vigil.verdicts.thresholds import Outcome
from vigil.verdicts.types import Cause, NightResult, State, Surprise, Verdict, column_of

if TYPE_CHECKING:
    import numpy as np

    from vigil.verdicts.usual import Usual

SURPRISE = "surprise at"  # begins the limit of these verdicts
POWER_80 = 0.8416
HARD_Z = 2.576  # from the holdout, before nights have taught
HARD_SPREADS = 4.0  # of a usual night: what happens to the model now and then is no jump
HABIT_Z = 2.5  # of a month ago, at least
FEW_SUCCESSES = 30  # or failures, below which a share is tested by counting
LEAST_NIGHTS = 5  # nights that a model must have had before its usual place is known at all
REST = 2  # nights before tonight that do not teach yet: they may be the first of an incident
CONFIRM_NIGHTS = 2  # before tonight, of which one must have said the same


def reference_nights(
    nights: Sequence[date], tonight: date, settings: Surprise, excluded: frozenset[date]
) -> tuple[date, ...]:
    """The nights that teach: the first `settings.nights` usable ones since the last re-baselining, and no later ones.

    So a drift that is slow enough is not learnt as usual. The last two nights before tonight wait: they may turn out to
    be the first of an incident. Declared nights (`from`, `to`) are taken as they are.

    >>> nights = [date(2026, 1, 1) + timedelta(days=n) for n in range(99)]
    >>> found = reference_nights(nights, date(2026, 4, 10), Surprise(nights=56), frozenset())
    >>> len(found), found[-1].isoformat()
    (56, '2026-02-25')
    """
    first, last = settings.since or date.min, settings.until or date.max
    usable = [n for n in sorted(nights) if first <= n <= last and n < tonight and n not in excluded]
    if settings.until is not None:
        return tuple(usable)
    rested = [n for n in usable if n < tonight - timedelta(days=REST)]
    return tuple((rested if len(rested) >= YOUNG else usable)[: settings.nights])


def judge_surprise(
    asked: Sequence[Asked], history: Sequence[NightResult], tonight: date, settings: Surprise, excluded: frozenset[date]
) -> dict[str, Outcome]:
    """Question -> what surprise says of it, for all questions of the night together."""
    past = {r.night: numbers(r) for r in history}
    scales = {a.measurement.id: scaled(a.measurement) for a in asked}
    known = [a for a in asked if scales[a.measurement.id] is not None and _enough(a)]
    judgeable = {a.measurement.id for a in known}
    out = {a.measurement.id: _few_rows(a) for a in asked if a.measurement.id not in judgeable}
    if not known:
        return out
    days = tuple(d for d in sorted(past) if d < tonight)
    taught = frozenset(reference_nights(days, tonight, settings, excluded))
    told = Told((*days, tonight), (*(d in taught for d in days), False))
    judged = _Family(known, past, told, settings)
    before = [r for r in history if tonight - timedelta(days=CONFIRM_NIGHTS) <= r.night < tonight]
    confirmed = {v.id for r in before for v in r.verdicts if _counts(v)}
    for row, one in enumerate(known):
        out[one.measurement.id] = judged.outcome(row, again=one.measurement.id in confirmed)
    return out


def _counts(v: Verdict) -> bool:
    """Whether a past verdict is one of the two nights of a breach."""
    return v.state in (State.WARN, State.BREACH) and not v.ticket and (v.limit.startswith(SURPRISE) or v.hard)


def _enough(one: Asked) -> bool:
    """Whether there are rows enough; how many there are can be said of any number of them."""
    return one.measurement.n >= one.rule.min_rows or one.measurement.kind is Kind.COUNT


def _few_rows(one: Asked) -> Outcome:
    m = one.measurement
    why = f"{m.n} rows; at least {one.rule.min_rows} are needed"
    return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why, limit=SURPRISE)


class _Family:
    """All scores of one night, fitted and tested together."""

    def __init__(
        self,
        asked: Sequence[Asked],
        past: Mapping[date, Mapping[str, Then]],
        told: Told,
        settings: Surprise,
    ) -> None:
        import numpy as np

        from vigil.verdicts.usual import Scores, usual

        self.asked, self.told, self.settings = asked, told, settings
        self.tonight = [scaled(a.measurement) or Scaled(0.0, 1.0, "") for a in asked]
        self.values, self.variances, counts, said = matrix(asked, self.tonight, past, told)
        self.spoilt = spoilt(self.values, np.array(told.taught), said)
        columns, self.calendar = design(told.days, told.taught, season=settings.season, terms=settings.calendar)
        self.usual: Usual = usual(
            Scores(
                self.values,
                self.variances,
                np.array(told.taught) & ~self.spoilt,
                columns,
                tuple(a.measurement.metric for a in asked),
                np.array([anchored(a.measurement) for a in asked]),
            )
        )
        self.away = _bounded(self.usual.surprise(self.values), counts, self._shares())
        self.floors = np.array([_floor(a, s.scale) for a, s in zip(asked, self.tonight, strict=True)])
        self.adjusted = self._adjusted()
        self.drift = self._drift()
        self.reach = self._reach()
        self.spell = _spell(told.reference)

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

        z = self.away[:, -1]
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
        unlearnt = "year" in self.settings.season and len(self.told.reference) < NIGHTS_FOR_YEAR
        if not self.settings.slow_drift or unlearnt or not usable.any():  # a season is a slow drift until it is learnt
            return np.zeros(len(self.asked), dtype=bool)
        z = np.where(np.isfinite(self.values) & usable[:, None] & ~self.spoilt, self.away, np.nan)
        tolerated = (IGNORED * self.floors + 2 * self.usual.unsure) / self.usual.spread[:, -1]
        least = limit(int(usable.sum()))
        path = detector(z, tolerated=tolerated, persistence=self.usual.persistence, most=least)
        up, down = lasting(path, least)
        worse = [a.measurement.worse for a in self.asked]
        return np.array([_sided(w, up=bool(up[i]), down=bool(down[i])) for i, w in enumerate(worse)])

    def _reach(self) -> "np.ndarray":
        """(S,) the distance from the usual place that would have been a warn with 80 % power, were it the only one."""
        import numpy as np
        from scipy.stats import t

        sides = np.array([2 if a.measurement.worse is Worse.AWAY else 1 for a in self.asked])
        critical = t.isf(self.settings.level / len(self.asked) / sides, self.usual.freedom)
        spread = self.usual.spread[:, -1]
        return np.asarray(np.maximum(critical * spread, self.floors) + POWER_80 * spread)

    def outcome(self, row: int, *, again: bool) -> Outcome:
        """The verdict on one score."""
        m, scale = self.asked[row].measurement, self.tonight[row].scale
        limit = f"{SURPRISE} {self.settings.level:.1%}"
        nights = int(self.usual.nights[row])
        value, centre = self.tonight[row].value, float(self.usual.centre[row, -1])
        told = nights >= LEAST_NIGHTS
        far = abs(value - centre) > HARD_SPREADS * self.usual.spread[row, -1]
        rare = far if told else abs(self.away[row, -1]) > HARD_Z
        if self.asked[row].rule.hard is None and rare:
            leap = jump(m, scale, value, centre if told else 0.0)
            if leap:
                return Outcome(state=State.BREACH, why=f"{leap}: {self._place(row)}", limit=limit, hard=True)
        if nights < LEAST_NIGHTS:
            why = f"{nights} past nights; {LEAST_NIGHTS} are needed to know what is usual"
            return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS, why=why, limit=limit)
        if self.adjusted[row] <= self.settings.level and abs(value - centre) >= self.floors[row]:
            habit = self._habit(row) if again else ""
            if habit:
                return Outcome(state=State.WARN, why=f"{self._place(row)}, 2 of 3 nights; {habit}", limit=limit)
            state, more = (State.BREACH, ", 2 of 3 nights") if again else (State.WARN, "")
            return Outcome(state=state, why=self._place(row) + more, limit=limit)
        if self.drift[row]:
            return Outcome(state=State.WARN, ticket=True, why=f"drifts slowly: {self._place(row)}", limit=limit)
        return Outcome(state=State.OK, why=self._place(row), limit=limit, would_see=self._would_see(row))

    def _habit(self, row: int) -> str:
        """What comes and goes on the same days of every month (pay-days, statements) is told, and breaks nothing.

        Half of tonight's surprise at least, the same way, a month ago to the day or one beside it.
        """
        z, tonight = self.away[row], self.told.days[-1]
        for column, day in enumerate(self.told.days[:-1]):
            same = 27 <= (tonight - day).days <= 32 and min(abs(tonight.day - day.day), 3) <= 1
            if same and z[column] * z[-1] > 0 and abs(z[column]) >= max(HABIT_Z, abs(z[-1]) / 2):
                return f"it was so on {day} too: if that is usual, declare it under `surprise: calendar:`"
        return ""

    def _place(self, row: int) -> str:
        """Where tonight is, against where a usual night is."""
        m, scale = self.asked[row].measurement, self.tonight[row].scale
        centre = float(self.usual.centre[row, -1])
        text = (
            f"{self.away[row, -1]:+.1f} sd of a usual night from {words(m, scale, centre)}, "
            f"its place on {self.usual.nights[row]} nights{self.spell}"
        )
        if self.usual.nights[row] < YOUNG:
            text += "; so few nights know their own spread badly, a wide one is assumed"
        return text

    def _would_see(self, row: int) -> str:
        """The move that would have been a warn tonight, with 80 % power, were it the only one."""
        m, scale = self.asked[row].measurement, self.tonight[row].scale
        centre, reach = float(self.usual.centre[row, -1]), float(self.reach[row])
        low, high = (words(m, scale, centre - reach), words(m, scale, centre + reach))
        text = {Worse.AWAY: f"below {low} or above {high}", Worse.LOWER: f"below {low}", Worse.HIGHER: f"above {high}"}
        return f"a value {text[m.worse]} tonight would have been found (80 % power)"


def _sided(worse: Worse, *, up: bool, down: bool) -> bool:
    return {Worse.HIGHER: up, Worse.LOWER: down, Worse.AWAY: up or down}[worse]


def _spell(reference: Sequence[date]) -> str:
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
