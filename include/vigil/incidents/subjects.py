"""What a verdict is about: the subject key that ties the questions about one column or one group together."""

import re

from vigil.metrics.catalog import CATALOG, Scope
from vigil.verdicts.types import Verdict

ALL = "all"
_ARGUMENT = re.compile(r"\(([^()]+)\)$")  # of an expectation: column_values_to_not_be_null(tenure)


def subject_key(verdict: Verdict) -> str:
    """The column if the subject names one, else the protected group, else `all`.

    >>> from vigil.core.words import Family
    >>> def about(metric, subject):
    ...     return subject_key(Verdict(metric=metric, subject=subject, family=Family.DRIFT, state="breach", reason=""))
    >>> about("psi", "income"), about("level_shift", "income:high"), about("group_mean_shift", "income|sex=female")
    ('income', 'income', 'income')
    >>> about("selection_rate_ratio", "sex=female"), about("auc", "all")
    ('sex=female', 'all')
    """
    if verdict.metric == "expectation":
        argument = _ARGUMENT.search(verdict.subject)
        return argument[1] if argument else ALL
    entry = CATALOG.get(verdict.metric)
    if entry is None or entry.scope is Scope.ALL:
        return ALL
    head = verdict.subject.partition("|")[0]
    column = head.partition(":")[0]
    return verdict.subject if "=" in column else column
