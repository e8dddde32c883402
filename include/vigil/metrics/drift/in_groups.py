"""The same question asked within each protected group: a shift in a group of 8 % is invisible in the total."""

from collections.abc import Callable, Iterable, Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading
from vigil.profiles.types import Columns

NULLS = "(missing)"  # the group of rows whose attribute is null: nobody misses it


def by_group(given: Given) -> Iterator[tuple[str, Given]]:
    """("attribute=group", the night of that group alone) of each group that occurs tonight, against the same group."""
    attributes = {p.attribute for p in given.view.protected}
    before = given.baseline.group_columns if given.baseline else {}
    for group, columns in sorted(given.tonight.group_columns.items()):
        if group.split("=", 1)[0] not in attributes:
            continue
        tonight = given.tonight.model_copy(update={"columns": columns})
        was = given.baseline and given.baseline.model_copy(update={"columns": before.get(group, Columns())})
        yield group, Given(tonight, was, given.view, given.edges)


def in_groups(given: Given, metric: Callable[[Given], Iterable[Reading]]) -> Iterator[Reading]:
    """The readings of a metric of features, subject "feature|attribute=group"; one, unknown, of a group gone."""
    for group, part in by_group(given):
        for reading in metric(part):
            yield reading.model_copy(update={"subject": f"{reading.subject}|{group}"})
    for group in gone(given):
        yield unknown(f"all|{group}", because(NO_ROWS, f"nobody of {group} tonight; the baseline has rows of it"))


def gone(given: Given) -> Iterator[str]:
    """Groups of the baseline that no row of tonight belongs to, of attributes that were logged tonight."""
    tonight, before = given.tonight.group_columns, given.baseline.group_columns if given.baseline else {}
    logged = {group.split("=", 1)[0] for group in tonight} & {p.attribute for p in given.view.protected}
    for group in sorted(before.keys() - tonight.keys()):
        attribute, who = group.split("=", 1)
        if attribute in logged and who != NULLS:
            yield group
