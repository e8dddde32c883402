"""The same question asked within each protected group: a shift in a group of 8 % is invisible in the total."""

from collections.abc import Callable, Iterable, Iterator

from vigil.metrics.given import Given
from vigil.metrics.types import Reading
from vigil.profiles.types import Columns


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
    """The readings of a metric of features, subject "feature|attribute=group"."""
    for group, part in by_group(given):
        for reading in metric(part):
            yield reading.model_copy(update={"subject": f"{reading.subject}|{group}"})
