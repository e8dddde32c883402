"""Whether the judgement answers: of the questions that were due, how many got a judgement, and why the others did not.

One definition of "due", for the objective that every monitor has (`coverage:`), for the SLI `evaluation_coverage`, and
for what is shown. A family that is mostly unknown for some nights makes the monitor blind to it: an overdue unknown.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.verdicts.limits import Bound, Limit, LimitKind
from vigil.verdicts.types import BURN, Cause, Coverage, NightResult, State, Verdict

YOUNG_NIGHTS = 21  # judged nights with rows, before which a model may wait for its past
METRIC = "judged"  # of the verdict on a family that is mostly unknown; its subject is the family
PART = 0.5  # of the night's rows: what fewer belong to is a part, and may be too small to be judged
FEW = (Cause.TOO_FEW_ROWS, Cause.NO_DATA)
UNCOUNTED = (BURN, METRIC)  # they are about other nights and other questions
NEXT = {
    Cause.TOO_FEW_NIGHTS: "`vigil why` names the nights that teach, `vigil rebaseline` takes others",
    Cause.TOO_FEW_ROWS: "lower `min_rows`, or rule on what has more rows",
    Cause.NO_DATA: "log what the rules ask about, or take the rules out",
    Cause.LABELS_PENDING: "send the labels, or set `labels:` to when they come",
    Cause.CHECK_FAILED: "`vigil why` names the check that fails",
    Cause.ROWS_MISSING: "`vigil rows` names what the rows are without",
    Cause.GATE_FAILED: "repair what the gate of the suite looks at",
}


class CoverageGoal(Spec):
    """How much of what is asked must be judged.

    share: of a family's questions that were due on a night.
    nights: below the share on each of so many judged nights in a row, the monitor is blind to the family.
    families: those that must be judged. Labels and small groups decide the others: they are shown, and page nobody.
    """

    share: float = Field(default=0.8, gt=0, le=1)
    nights: int = Field(default=7, ge=2, le=60)
    families: tuple[Family, ...] = (Family.SERVICE, Family.QUALITY, Family.DRIFT)


class Blindness(Spec):
    """A family that was mostly unknown on each of the last `nights` nights on which it was asked about."""

    family: Family
    since: date
    nights: int
    newest: Coverage

    def __str__(self) -> str:
        told = f"{self.newest.judged:,} of {self.newest.due:,} questions judged"
        causes = ", ".join(f"{cause.value} ({n:,})" for cause, n in worst_first(self.newest))
        return f"{told}, {causes}" if causes else told


def is_due(v: Verdict, *, young: bool) -> bool:
    """Whether a question was to be answered on its night."""
    if v.metric in UNCOUNTED or (v.cause is Cause.LABELS_PENDING and not v.overdue):
        return False
    return not (young and v.cause is Cause.TOO_FEW_NIGHTS)


def counted(verdicts: Sequence[Verdict], *, rows: int, young: bool) -> tuple[Coverage, ...]:
    """The coverage of each family that had a question due. rows: of the night; young: the model waits for its past."""
    found = []
    for family in Family:
        due = [v for v in verdicts if v.family is family and is_due(v, young=young)]
        unknown = [v for v in due if v.state is State.UNKNOWN]
        if due:
            found.append(
                Coverage(
                    family=family,
                    due=len(due),
                    judged=len(due) - len(unknown),
                    few=sum(_small_part(v, rows) for v in unknown),
                    causes=dict(Counter(v.cause for v in unknown if v.cause)),
                    young=young,
                )
            )
    return tuple(found)


def _small_part(v: Verdict, rows: int) -> bool:
    """Whether a question is about a part of the night (a small group, a sparse column) that has too few rows."""
    return v.cause in FEW and v.measurement is not None and v.measurement.n < PART * rows


def coverage_of(result: NightResult) -> tuple[Coverage, ...]:
    """As it was stored; for a result of an older release counted now, as of a model that waits for its past."""
    return result.coverage or counted(result.verdicts, rows=result.rows, young=True)


def worst_first(coverage: Coverage) -> list[tuple[Cause, int]]:
    """Why questions were not judged, the most frequent cause first."""
    return sorted(coverage.causes.items(), key=lambda item: (-item[1], item[0].value))


def blind_to(goal: CoverageGoal, results: Sequence[NightResult]) -> tuple[Blindness, ...]:
    """The families that the newest nights hardly judged. results: in date order; days of rest and gaps do not count."""
    found = []
    for family in goal.families:
        asked = [(r.night, c) for r in results if r.rows for c in coverage_of(r) if c.family is family and not c.young]
        last_good = max((n for n, (_, c) in enumerate(asked) if c.share >= goal.share), default=-1)
        low = asked[last_good + 1 :]
        if len(low) >= goal.nights:
            found.append(Blindness(family=family, since=low[0][0], nights=len(low), newest=low[-1][1]))
    return tuple(found)


def covered(draft: NightResult, past: Sequence[NightResult], goal: CoverageGoal, *, young: bool) -> NightResult:
    """A judged night with its coverage, and an overdue unknown for each family that it is blind to."""
    if draft.rest:
        return draft
    result = draft.model_copy(update={"coverage": counted(draft.verdicts, rows=draft.rows, young=young)})
    tonight = {c.family for c in result.coverage} if result.rows else set()
    before = [r for r in past if r.night < result.night]
    blind = [b for b in blind_to(goal, (*before, result)) if b.family in tonight]
    return result.model_copy(update={"verdicts": (*result.verdicts, *(_verdict(b, goal) for b in blind))})


def _verdict(blind: Blindness, goal: CoverageGoal) -> Verdict:
    """An unknown that must not be: on its second night it opens an incident, as that of every blind monitor."""
    causes = worst_first(blind.newest)
    advice = f"; {NEXT[causes[0][0]]}" if causes and causes[0][0] in NEXT else ""
    reason = (
        f"{blind.family.value}: {blind}; below {goal.share:.0%} on {blind.nights} nights, since {blind.since}. "
        f"The monitor is blind to {blind.family.value}{advice}"
    )
    return Verdict(
        metric=METRIC,
        subject=blind.family.value,
        family=Family.SERVICE,
        state=State.UNKNOWN,
        cause=Cause.BLIND,
        reason=reason,
        overdue=True,
        limit=Limit(kind=LimitKind.COVERAGE, bound=Bound(side="<", limit=goal.share), nights=goal.nights),
    )
