"""Thresholds for a budget of false alarms: the first half of a history tunes them, the second half says what they do.

Only what is learnt from the model's own nights is tuned: how many sd, which quantile, how surprising, how far a jump.
Bounds that people set (`breach`, `warn`, `holdout`) are theirs: where those alarm too often, that is said.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import ceil
from typing import Any, Literal

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.usecases.backtest import Told
from vigil.usecases.backtest_account import Account, Truth, account
from vigil.verdicts.kinds.kind import Setting
from vigil.verdicts.kinds.registry import KINDS
from vigil.verdicts.limits import LimitKind
from vigil.verdicts.rates import NIGHTS
from vigil.verdicts.types import State, Verdict

MOST = 8  # steps

Make = Callable[[Sequence[str]], Monitor]  # a monitor with `key=value` set
Judge = Callable[[Monitor, Sequence[date]], Told]


class Knob(Spec):
    """One threshold, by its dotted key, and what it is and was."""

    key: str
    about: str  # the metric
    was: float
    now: float
    kind: str  # of threshold, in `verdicts/kinds/registry.py`
    side: Literal["", "<", ">"] = ""  # of a hard bound
    nights: int = 0  # that the rule of a quantile looks back at

    @property
    def name(self) -> str:
        """The key in its rule."""
        return self.key.rpartition(".")[2]

    @property
    def as_setting(self) -> Setting:
        """What its kind of threshold moves."""
        return Setting(self.name, self.now, side=self.side or None, nights=self.nights)

    def written(self, value: float) -> str:
        """A value as YAML has it."""
        return f'"{self.side} {value:.4g}"' if self.side else f"{value:.4g}"

    @property
    def setting(self) -> str:
        """As `--set` takes it."""
        return f"{self.key}={self.side} {self.now:.4g}" if self.side else f"{self.key}={self.now:.4g}"


class Tuned(Spec):
    """What is proposed, and what it does in both halves. unmet: why the budget is not kept, where it is not."""

    budget: float
    split: date  # the first night of the second half
    knobs: tuple[Knob, ...]
    present: tuple[Account, Account]
    proposed: tuple[Account, Account]
    unmet: str = ""


def needed(budget: float) -> int:
    """Nights that a history must have: with fewer, a half is not expected to have a single alarm of the budget.

    >>> needed(2.0)
    366
    """
    return 2 * ceil(NIGHTS / budget) if budget > 0 else 0


def halves(nights: Sequence[date], budget: float) -> tuple[Sequence[date], Sequence[date]]:
    """Raises DataError for a history that is too short to tell anything about such a budget."""
    if budget <= 0:
        raise DataError("--budget: a budget of no alarms cannot be tuned for; say how many a year are bearable")
    least = needed(budget)
    if len(nights) < least:
        raise DataError(
            f"a history of {len(nights)} nights is too short for {budget:g} a year: {least} nights are needed, so that "
            f"each half may be expected to have one alarm. {2 * NIGHTS / max(len(nights), 1):.3g} a year is the least "
            "budget that it can tell anything about"
        )
    middle = len(nights) // 2
    return nights[:middle], nights[middle:]


def tune(
    make: Make, judge: Judge, raw: Mapping[str, Any], nights: Sequence[date], truth: Truth, budget: float
) -> Tuned:
    """raw: the monitor's YAML; what it does not write is not tuned, but for the level of surprise."""
    first, second = halves(nights, budget)
    monitor = make(())
    whole = judge(monitor, nights)
    present = (account(part(whole, first), truth), account(part(whole, second), truth))
    knobs, unmet = _search(make, judge, raw, first, truth, budget, part(whole, first))
    changed = tuple(k for k in knobs.values() if k.now != k.was)
    if not changed:
        return Tuned(budget=budget, split=second[0], knobs=(), present=present, proposed=present, unmet=unmet)
    told = judge(make([k.setting for k in changed]), nights)
    proposed = (account(part(told, first), truth), account(part(told, second), truth))
    return Tuned(budget=budget, split=second[0], knobs=changed, present=present, proposed=proposed, unmet=unmet)


def part(told: Told, nights: Sequence[date]) -> Told:
    """The same backtest, of some of its nights, and the incidents that they opened."""
    mine = frozenset(nights)
    return told.model_copy(
        update={
            "nights": tuple(d for d in told.nights if d.night in mine),
            "incidents": tuple(i for i in told.incidents if i.opened_night in mine),
        }
    )


def knobs_of(monitor: Monitor, raw: Mapping[str, Any]) -> dict[str, Knob]:
    """Every threshold of the monitor that may be tuned, by its key."""
    level = monitor.surprise.level
    surprising = any(rule.surprise for family in Family for rule in getattr(monitor.rules, family.value))
    all_rules = Knob(key="surprise.level", kind="surprise", about="all surprise rules", was=level, now=level)
    found = [all_rules] if surprising else []
    for family, rules in (raw.get("rules") or {}).items():
        for index, rule in enumerate(getattr(monitor.rules, family)[: len(rules or ())]):
            place = f"rules.{family}.{index}"
            for kind, threshold in KINDS.items():
                for field, value, side, nights in threshold.settings(rule) if threshold.asks(rule) else ():
                    key = f"{place}.{field}"
                    about = {"about": rule.metric, "was": value, "now": value, "side": side or "", "nights": nights}
                    found.append(Knob(key=key, kind=kind, **about))
    return {k.key: k for k in found}


def moved(knob: Knob, *, milder: bool) -> Knob:
    """One step milder or stricter, as its kind of threshold has it."""
    now = KINDS[knob.kind].moved(knob.as_setting, milder=milder)
    return knob.model_copy(update={"now": float(f"{now:.4g}")})


def _stuck(knobs: Sequence[Knob]) -> str:
    """What cannot be milder, in words; "" where everything can."""
    stuck = ((knob, KINDS[knob.kind].stuck(knob.as_setting)) for knob in knobs)
    return "; ".join(f"{knob.key}={knob.now:.4g} ({knob.about}) {why}" for knob, why in stuck if why)


def responsible(told: Told, sums: Account, knobs: Mapping[str, Knob]) -> tuple[set[str], set[str]]:
    """(keys of the thresholds that made false incidents, questions whose bounds are not tuned)."""
    false = {o.opened for o in sums.incidents if o.false}
    keys, fixed = set(), set()
    for day in told.nights:
        if day.joined is None or day.joined.opened not in false:
            continue
        asked = {question for _, question in day.joined.signals}
        for v in (*day.first.verdicts, *day.last.verdicts):
            if v.id in asked and v.state is State.BREACH:
                mine = {key for key, knob in knobs.items() if _made_by(v, knob)}
                keys |= mine
                fixed |= set() if mine else {v.id}
            elif v.id in asked and v.state is State.UNKNOWN:
                fixed.add(v.id)
    return keys, fixed


def _made_by(v: Verdict, knob: Knob) -> bool:
    if v.limited_by(LimitKind.SURPRISE):
        return knob.name == "level" and not v.hard
    if v.metric != knob.about or knob.key.split(".")[1] != v.family.value:
        return False
    return v.limit is not None and v.limit.field == knob.name


def _search(
    make: Make,
    judge: Judge,
    raw: Mapping[str, Any],
    nights: Sequence[date],
    truth: Truth,
    budget: float,
    told: Told,
) -> tuple[dict[str, Knob], str]:
    """The knobs after the search, and why the budget is not kept."""
    knobs, sums = knobs_of(make(()), raw), account(told, truth)
    missed, stuck = {m.what for m in sums.missed}, ""
    if _within(sums, budget):
        return _stricter(make, judge, knobs, nights, truth, told), ""
    for _ in range(MOST):
        keys, fixed = responsible(told, sums, knobs)
        if not keys:
            return knobs, f"what still alarms is no threshold that is learnt: {', '.join(sorted(fixed)) or 'nothing'}"
        stuck = _stuck([v for k, v in knobs.items() if k in keys])
        trial = {k: moved(v, milder=True) if k in keys else v for k, v in knobs.items()}
        if trial == knobs:
            return knobs, stuck or "no threshold can be milder"
        told = judge(make([k.setting for k in trial.values() if k.now != k.was]), nights)
        sums = account(told, truth)
        lost = {m.what for m in sums.missed} - missed
        if lost:
            missing = f"one step further would miss {', '.join(sorted(lost))}"
            return knobs, f"{missing}; {stuck}" if stuck else missing
        knobs = trial
        if _within(sums, budget):
            return knobs, ""
    still = f"after {MOST} steps there are still {sums.false_incidents} false incidents"
    return knobs, f"{still}; {stuck}" if stuck else still


def _stricter(
    make: Make,
    judge: Judge,
    knobs: dict[str, Knob],
    nights: Sequence[date],
    truth: Truth,
    told: Told,
) -> dict[str, Knob]:
    """The budget has room: stricter thresholds find more, as long as they cost no alarm on any quiet night."""
    was = account(told, truth)
    for _ in range(MOST):
        trial = {k: v if v.name == "hard" else moved(v, milder=False) for k, v in knobs.items()}
        if trial == knobs:
            break
        sums = account(judge(make([k.setting for k in trial.values() if k.now != k.was]), nights), truth)
        worse = sums.false_incidents > was.false_incidents or sums.false_alarm_nights > was.false_alarm_nights
        if worse or {m.what for m in sums.missed} - {m.what for m in was.missed}:
            break
        knobs = trial
    return knobs


def _within(sums: Account, budget: float) -> bool:
    value = sums.incidents_per_year.value
    return value is not None and value <= budget
