"""Business formulas: arithmetic over counts and sums, read without `eval`."""

import ast
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from vigil.core.errors import MonitorError
from vigil.core.words import Task

COUNTS = ("rows", "requests", "answered", "errors", "fallback", "favourable")
OF_LABELS = ("labelled", "tp", "fp", "fn", "tn")
CELLS = ("all", "favourable", "unfavourable")
LABELLED_CELLS = ("tp", "fp", "fn", "tn")
FUNCTIONS = {"min": min, "max": max, "abs": abs}
LENGTH = 500


def names_of(sums: Iterable[str]) -> tuple[str, ...]:
    """Every name that a formula may use beside its own constants.

    >>> [n for n in names_of(["amount"]) if n.startswith("sum_")][:2]
    ['sum_amount', 'sum_amount_favourable']
    """
    summed = [sum_name(column, cell) for column in sums for cell in (*CELLS, *LABELLED_CELLS)]
    return (*COUNTS, *OF_LABELS, *summed)


def sum_name(column: str, cell: str) -> str:
    """What a formula calls the sum of a column over a cell.

    >>> sum_name("amount", "all"), sum_name("amount", "tp")
    ('sum_amount', 'sum_amount_tp')
    """
    return f"sum_{column}" if cell == "all" else f"sum_{column}_{cell}"


def used(formula: str) -> frozenset[str]:
    """The names in a formula. Raises MonitorError where it is no expression."""
    if len(formula) > LENGTH:
        raise MonitorError(f"the formula has {len(formula)} characters; {LENGTH} are allowed")
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise MonitorError(f"{formula!r} is no arithmetic: {getattr(error, 'msg', error)}") from None
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name)) - FUNCTIONS.keys()


def check(formula: str, *, sums: Iterable[str], constants: Mapping[str, float]) -> None:
    """Raises MonitorError for an unknown name, or for anything but arithmetic on numbers.

    >>> check("gain * tp - fp", sums=(), constants={"gain": 2.0})
    >>> check("tp / labeled", sums=(), constants={})
    Traceback (most recent call last):
    vigil.core.errors.MonitorError: formula 'tp / labeled': unknown name 'labeled'; did you mean 'labelled'?
    """
    known = (*names_of(sums), *constants)
    for name in sorted(used(formula)):
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"it may use {', '.join(known)}"
            raise MonitorError(f"formula {formula!r}: unknown name {name!r}; {hint}")
    try:
        value(formula, dict.fromkeys(known, 1.5) | dict(constants))
    except ZeroDivisionError:
        return


def check_task(formula: str, *, sums: Iterable[str], task: Task, decided: bool, weighted: bool) -> None:
    """Raises MonitorError for a name that is 0 on every night of such a model, or that counts other rows than others.

    decided: the monitor has a `decision`. weighted: it has `data.sampling_weight`.

    >>> check_task("tp / labelled", sums=(), task=Task.BINARY, decided=True, weighted=True)
    """
    names = sorted(used(formula))
    over = {sum_name(c, cell): cell for cell in (*LABELLED_CELLS, *CELLS[1:], CELLS[0]) for c in sums}
    of_table = [n for n in names if over.get(n, n) in LABELLED_CELLS]
    of_decision = [n for n in names if over.get(n, n) in CELLS[1:]]
    instead = f"write it with {', '.join(('labelled', *COUNTS[:-1]))} or sum_<column>"
    if of_table and task is not Task.BINARY:
        what = f"{of_table[0]!r} counts a binary model's answers, and this one is {task.value}"
        raise MonitorError(f"formula {formula!r}: {what}; {instead}")
    if of_decision and (not decided or task is Task.REGRESSION):
        what = f"{of_decision[0]!r} counts favourable decisions, and the monitor has none"
        hint = "add `decision:`, or " if task is not Task.REGRESSION else ""
        raise MonitorError(f"formula {formula!r}: {what}; {hint}{instead}")
    heavy = [n for n in names if n in OF_LABELS]
    light = [n for n in names if n in COUNTS or n.startswith("sum_")]
    if weighted and heavy and light:
        what = f"with data.sampling_weight {heavy[0]!r} is a sum of weights, and {light[0]!r} is of logged rows"
        raise MonitorError(f"formula {formula!r}: {what}; use {', '.join(OF_LABELS)} alone, or none of them")


def value(formula: str, names: Mapping[str, float]) -> float:
    """What the formula comes to. Raises ZeroDivisionError, and MonitorError for anything but arithmetic.

    >>> value("(tp - 2 * fp) / rows", {"tp": 8, "fp": 1, "rows": 100})
    0.06
    """
    from simpleeval import InvalidExpression, simple_eval  # type: ignore[import-untyped]

    try:
        return float(simple_eval(formula, names=dict(names), functions=dict(FUNCTIONS)))
    except ZeroDivisionError:
        raise
    except (InvalidExpression, TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise MonitorError(f"formula {formula!r}: {error}") from None
