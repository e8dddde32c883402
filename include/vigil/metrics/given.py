"""What every metric is given: tonight, the baseline, and what the monitor declares."""

from collections.abc import Iterator
from dataclasses import dataclass

from vigil.metrics.types import View
from vigil.profiles.layout import FeatureType
from vigil.profiles.types import CategoryColumn, Edges, NumericColumn, Profile

Column = NumericColumn | CategoryColumn


@dataclass(frozen=True, slots=True)
class Given:
    """Tonight's profile, the baseline's (None where there is none, or its bins are others), the monitor's view.

    edges: those that tonight was counted on; None where they are not at hand.
    """

    tonight: Profile
    baseline: Profile | None
    view: View
    edges: Edges | None = None

    def numeric(self) -> Iterator[tuple[str, NumericColumn, NumericColumn | None]]:
        """(feature, tonight's column, the baseline's) of each declared numeric feature; one never seen is empty."""
        for name, kind in self.view.features.items():
            if kind is FeatureType.NUMERIC:
                was = self.baseline.columns.numeric.get(name) if self.baseline else None
                yield name, self.tonight.columns.numeric.get(name, NumericColumn()), was

    def category(self) -> Iterator[tuple[str, CategoryColumn, CategoryColumn | None]]:
        """(feature, tonight's column, the baseline's) of each declared category feature; one never seen is empty."""
        for name, kind in self.view.features.items():
            if kind is FeatureType.CATEGORY:
                was = self.baseline.columns.category.get(name) if self.baseline else None
                yield name, self.tonight.columns.category.get(name, CategoryColumn()), was

    def open(self, name: str) -> bool:
        """Whether a category has so many levels that no edge knows which of them are new."""
        return self.edges is not None and name in self.edges.open

    def features(self) -> Iterator[tuple[str, Column, Column | None]]:
        """Both kinds: the numeric ones, then the categories."""
        yield from self.numeric()
        yield from self.category()
