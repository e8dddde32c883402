"""What the judged rows of a night are without: the rows that each number leaves out, from the counts of a profile."""

from collections.abc import Iterator, Mapping

from vigil.core.words import Task
from vigil.metrics.fairness.cells import MISSING
from vigil.metrics.quality.unanswered import answered, served
from vigil.metrics.types import View
from vigil.profiles.row_ledger import Lack, Remainder
from vigil.profiles.types import Profile

Lacking = dict[tuple[Lack, str], tuple[int, int]]  # rows without it, rows that should have it
ALL = "all"
SCORES = (Lack.SCORE, Lack.SCORE_OF_LABELLED)
UNUSED = (Lack.LATENCY, Lack.PIPELINE)  # where no row has it, the log has no such column: nothing is missing
OF_A_LOG = (Lack.LABEL, Lack.LATENCY, Lack.PIPELINE, Lack.STATUS, Lack.ID)  # a holdout tells nothing of them


def lacking(night: Profile, view: View) -> Lacking:
    """(lack, subject) -> rows without it and rows that should have it, of everything that the night has at all.

    >>> from vigil.metrics.example import SEX, profile, view
    >>> from vigil.profiles.types import Cell
    >>> night = profile(rows=100, groups={"sex": {"male": Cell(n=70), "(missing)": Cell(n=30)}})
    >>> lacking(night, view(protected=(SEX,)))[Lack.GROUP, "sex"]
    (30, 100)
    """
    counted = {key: pair for key, *pair in (*_answers(night), *_labels(night, view), *_columns(night, view))}
    return {key: (max(0, rows), of) for key, (rows, of) in counted.items() if of > 0}


def remainders(
    night: Profile, baseline: Profile | None, view: View, *, champion: Profile | None = None
) -> tuple[Remainder, ...]:
    """What rows of the night are without, with the same of the baseline beside it; what no row lacks is left out.

    champion: its part of the night, where a fallback answered too: rules that stand in have no score to lose.
    """
    was = lacking(baseline, view) if baseline is not None else {}
    now = lacking(night, view)
    if night.service.fallback:
        scored = lacking(champion, view) if champion is not None else {}
        now = {k: p for k, p in now.items() if k[0] not in SCORES} | {k: p for k, p in scored.items() if k[0] in SCORES}
    found = []
    for (lack, subject), (rows, of) in now.items():
        before = was.get((lack, subject)) if lack not in OF_A_LOG else None
        told = {"reference_rows": before[0], "reference_of": before[1]} if before else {}
        if rows and not (rows == of and lack in UNUSED):
            found.append(Remainder(lack=lack, subject=subject, rows=rows, of=of, **told))
    return tuple(found)


Row = tuple[tuple[Lack, str], int, int]


def _answers(night: Profile) -> Iterator[Row]:
    asked, service = served(night), night.service
    yield (Lack.ANSWER, ALL), asked - answered(night), asked
    score = night.prediction.numeric.get("score")
    if score is not None:
        yield (Lack.SCORE, ALL), asked - score.finite, asked
    yield (Lack.LATENCY, ALL), service.requests - sum(service.latency_bins), service.requests
    yield (Lack.STATUS, ALL), service.other_words, service.requests
    yield (Lack.PIPELINE, ALL), sum(night.pipelines.get(word, 0) for word in ("", MISSING)), night.rows
    yield (Lack.ID, ALL), night.unnamed, night.rows


def _labels(night: Profile, view: View) -> Iterator[Row]:
    outcome = night.outcome
    labelled = outcome.labelled
    yield (Lack.LABEL, ALL), night.rows - labelled - outcome.neither, night.rows
    if night.task is Task.REGRESSION:
        yield (Lack.LABEL_WORD, ALL), labelled - outcome.errors.n, labelled
    else:
        yield (Lack.LABEL_WORD, ALL), outcome.neither, labelled + outcome.neither
    if "score" in night.prediction.numeric and outcome.scores:
        known = sum(sum(bins) for truth, bins in outcome.scores.items() if truth != "none")
        yield (Lack.SCORE_OF_LABELLED, ALL), labelled - known, labelled
    if outcome.ranks:
        yield (Lack.RANKING, ALL), labelled - sum(outcome.ranks.values()), labelled
    if view.weighted:
        yield (Lack.WEIGHT, ALL), outcome.bad_weights, labelled


def _columns(night: Profile, view: View) -> Iterator[Row]:
    for name in dict.fromkeys(p.attribute for p in view.protected):
        cells = night.groups.get(name, {})
        yield (Lack.GROUP, name), *without_group(night, name)
        yield (Lack.GROUP_OF_LABELLED, name), *_missing({g: c.labelled for g, c in cells.items()})
    if view.strata is not None:
        levels = next(iter(night.strata.values()), {})
        yield (Lack.STRATUM, ALL), *_missing({s: sum(n for n, _ in g.values()) for s, g in levels.items()})
    for name, number in night.columns.numeric.items():
        yield (Lack.VALUE, name), number.rows - number.finite, number.rows
    for name, category in night.columns.category.items():
        yield (Lack.VALUE, name), category.nulls, category.rows
    for name, (_, known) in night.flags.items():
        yield (Lack.FLAG, name), night.rows - known, night.rows


def without_group(night: Profile, attribute: str) -> tuple[int, int]:
    """Decisions without a value of a protected attribute, and all decisions."""
    decided = {group: cell.n for group, cell in night.groups.get(attribute, {}).items()}
    return _missing(decided or _rows_of_groups(night, attribute))


def _missing(rows: Mapping[str, int]) -> tuple[int, int]:
    return rows.get(MISSING, 0), sum(rows.values())


def _rows_of_groups(night: Profile, attribute: str) -> dict[str, int]:
    """Rows of each group where decisions are not counted: those of any of its columns."""
    found = {}
    for name, columns in night.group_columns.items():
        if name.startswith(f"{attribute}="):
            sizes = [c.rows for c in columns.numeric.values()] + [c.rows for c in columns.category.values()]
            found[name.removeprefix(f"{attribute}=")] = max(sizes, default=0)
    return found
