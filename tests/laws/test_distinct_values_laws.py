"""One and two different values are told from more, whatever the numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigil.metrics.quality.distinct_values import FEW, different
from vigil.profiles.edges import fit
from vigil.profiles.types import NumericColumn

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def column(values: list[float], edges: tuple[float, ...]) -> NumericColumn:
    array = np.asarray(values)
    bins = np.bincount(np.searchsorted(edges, array, side="left"), minlength=len(edges) + 1)
    return NumericColumn(
        rows=len(values), bins=tuple(map(int, bins)), total=float(array.sum()), total_sq=float((array**2).sum()),
        smallest=float(array.min()), largest=float(array.max()),
    )  # fmt: skip


@given(st.lists(NUMBERS, min_size=1, max_size=60), st.lists(NUMBERS, min_size=2, max_size=60))
def test_one_value_is_told_from_all_other_columns(values: list[float], reference: list[float]) -> None:
    counted = different(column(values, fit(np.asarray(reference), 8)))
    assert (counted == 1) == (len(set(values)) == 1)


@given(NUMBERS, st.floats(0.001, 1e5), st.integers(1, 400), st.integers(1, 400))
def test_two_values_are_two_wherever_they_lie_and_however_often(low: float, gap: float, a: int, b: int) -> None:
    values = [low] * a + [low + gap] * b
    if np.ptp(values) ** 2 < 1e-5 * max(np.abs(values)) ** 2:  # closer than sums of squares can tell
        return
    assert different(column(values, fit(np.asarray([low - 1, low + gap + 1]), 4))) == 2


@given(NUMBERS, st.floats(0.01, 1e5), st.floats(0.05, 0.95), st.integers(2, 100))
def test_a_value_between_makes_them_more_than_two(low: float, gap: float, where: float, each: int) -> None:
    values = [low] * each + [low + gap] * each + [low + where * gap]
    if len(set(values)) < 3:
        return
    assert different(column(values, fit(np.asarray([low - 1, low + gap + 1]), 4))) > FEW
