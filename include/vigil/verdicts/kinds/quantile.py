"""quantile: of the model's own past nights; no shape is assumed, so it needs many nights."""

from collections.abc import Iterator

from vigil.metrics.catalog import Entry
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.history import sampling_error
from vigil.verdicts.kinds.kind import Setting, Silent, Tonight
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.quantiles import NOISE, nights_needed, tail
from vigil.verdicts.thresholds import Outcome, few_rows, sees_nothing, suspects, too_few
from vigil.verdicts.types import Cause, Rule, State
from vigil.verdicts.words import number


class Quantile(Silent):
    """The end of past nights that is bad."""

    def asks(self, rule: Rule) -> bool:
        """Whether the rule has one."""
        return rule.quantile is not None

    def looks_back(self, rule: Rule) -> bool:
        """Past nights are what it compares with."""
        return True

    def answer(self, rule: Rule, tonight: Tonight) -> Iterator[tuple[str, Outcome]]:
        """One night beyond the quantile is a warn, 2 of 3 nights a breach."""
        for m in tonight.known:
            yield m.subject, _outcome(rule, m, tonight)

    def explain(self, rule: Rule, m: Measurement, e: Evidence) -> Iterator[str]:
        """Where tonight lies."""
        one = _outcome(rule, m, Tonight([m], alike={m.id: e.alike(m, rule)}, history=e.placed))
        yield f"quantile {rule.quantile:g}: {one.why}; beyond it, one night is a warn"

    def contradicts(self, rule: Rule, entry: Entry) -> Iterator[tuple[str, str]]:
        """The median, the good end, or nights that never know it."""
        q = rule.quantile or 0.0
        if q == 0.5:
            yield "quantile", "one half of all nights lies beyond the median; write 0.99, or 0.01 where lower is bad"
        elif entry.worse is Worse.LOWER and q > 0.5:
            what = f"{entry.name!r} is bad when it is lower"
            yield "quantile", f"{what}: write {1 - q:.6g}, the low end of past nights, not {q:g}"
        elif entry.worse is not Worse.LOWER and q < 0.5:
            side = "higher" if entry.worse is Worse.HIGHER else "away from the usual, either way"
            yield "quantile", f"{entry.name!r} is bad when it is {side}: write {1 - q:.6g}, not {q:g}"
        elif rule.nights < nights_needed(q):
            what = f"the {q:g} quantile of {rule.nights} nights is never known"
            most = max(90, nights_needed(q))
            yield "quantile", f"{what}; {nights_needed(q)} nights are the least: set `nights: {most}`"

    def settings(self, rule: Rule) -> Iterator[Setting]:
        """The quantile."""
        if rule.quantile is not None:
            yield Setting("quantile", rule.quantile, nights=rule.nights)

    def moved(self, setting: Setting, *, milder: bool) -> float:
        """Half the tail is milder; a quantile that its rule's nights could not know stays."""
        rest = min(setting.value, 1 - setting.value) * (0.5 if milder else 2.0)
        if rest >= 0.5 or _unknown(rest, setting):
            return setting.value
        return 1 - rest if setting.value > 0.5 else rest

    def stuck(self, setting: Setting) -> str:
        """The nights know no milder one."""
        rest = min(setting.value, 1 - setting.value) / 2
        if not _unknown(rest, setting):
            return ""
        what = f"is the mildest quantile that {setting.nights} nights know"
        return f"{what}; half its tail needs `nights: {nights_needed(rest)}`"


def _unknown(rest: float, setting: Setting) -> bool:
    """Whether a tail needs more past nights than the rule has."""
    return bool(setting.nights) and nights_needed(rest) > setting.nights


def _outcome(rule: Rule, m: Measurement, tonight: Tonight) -> Outcome:
    past, called = tonight.past(m)
    quantile = rule.quantile or 0.0
    limit = Limit(kind=LimitKind.QUANTILE, level=quantile, nights=rule.nights, called=called)
    doubtful = suspects(m.id, tonight.history)  # one odd night must not be the limit by which the next one is judged
    usable = [p for p in past if all(p is not v.measurement for v in doubtful)]
    place = tail(m, usable, quantile=quantile, nights=rule.nights, floor=rule.floor)
    if place is None:
        why = f"{len(usable)} past {called}; {nights_needed(quantile)} are needed to know their {limit}"
        return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS, why=why, limit=limit)
    edge = number(place.limit, m.unit)
    where = f"{edge} from the median {number(place.centre, m.unit)}" if place.side == "±" else f"{place.side} {edge}"
    if place.over:
        again = bool(doubtful)
        why = f"beyond the {quantile:g} quantile of {place.nights} {called} ({where})"
        state = State.BREACH if again else State.WARN
        return Outcome(state=state, why=why + (", 2 of 3 nights" if again else ""), limit=limit)
    if too_few(m, rule) or sees_nothing(m, NOISE * sampling_error(m)):
        return few_rows(m, rule, limit)
    why = f"within the {quantile:g} quantile of {place.nights} {called} ({where})"
    return Outcome(state=State.OK, why=why, limit=limit, would_see=f"any value {where} would have been seen")
