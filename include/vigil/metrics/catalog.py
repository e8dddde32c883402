"""The list of metrics: name -> where it is computed and how to read it. One line each; nothing heavy is imported."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.types import Kind, Worse

HIGH, LOW, AWAY = Worse.HIGHER, Worse.LOWER, Worse.AWAY
SERVICE, QUALITY, DRIFT = Family.SERVICE, Family.QUALITY, Family.DRIFT
PERFORMANCE, FAIRNESS = Family.PERFORMANCE, Family.FAIRNESS


class Entry(Spec):
    """How one metric is found and read."""

    name: str
    family: Family
    path: str  # "module:function" below vigil.metrics
    unit: str
    worse: Worse
    kind: Kind
    says: str
    needs_labels: bool = False


_TABLE = (
    ("success_rate", SERVICE, "service.success_rate", "share", LOW, Kind.PROPORTION, "requests answered without error"),
    ("latency_p50", SERVICE, "service.latency", "ms", HIGH, Kind.NUMBER, "median latency"),
    ("latency_p95", SERVICE, "service.latency", "ms", HIGH, Kind.NUMBER, "95th percentile of latency"),
    ("latency_p99", SERVICE, "service.latency", "ms", HIGH, Kind.NUMBER, "99th percentile of latency"),
    ("latency_within", SERVICE, "service.latency", "share", LOW, Kind.PROPORTION, "requests answered within a target"),
    ("volume", SERVICE, "service.volume", "rows", AWAY, Kind.COUNT, "predictions of the night"),
    ("fallback_share", SERVICE, "service.fallback_share", "share", HIGH, Kind.PROPORTION, "answered by the rules"),
    ("duplicates", SERVICE, "service.duplicates", "share", HIGH, Kind.PROPORTION, "rows with an id already logged"),
    ("missing", QUALITY, "quality.missing", "share", HIGH, Kind.PROPORTION, "nulls of a feature"),
    ("not_finite", QUALITY, "quality.not_finite", "share", HIGH, Kind.PROPORTION, "NaN and infinities of a feature"),
    ("wrong_type", QUALITY, "quality.wrong_type", "share", HIGH, Kind.PROPORTION, "values that are no numbers"),
    ("out_of_range", QUALITY, "quality.out_of_range", "share", HIGH, Kind.PROPORTION, "outside the reference's range"),
    ("new_category", QUALITY, "quality.new_category", "share", HIGH, Kind.PROPORTION, "levels the reference never had"),
    ("psi", DRIFT, "drift.psi", "nats", HIGH, Kind.NUMBER, "population stability index of a feature"),
    ("js", DRIFT, "drift.js", "distance", HIGH, Kind.NUMBER, "Jensen-Shannon distance of a feature"),
    ("mean_shift", DRIFT, "drift.mean_shift", "sd", AWAY, Kind.NUMBER, "move of a feature's mean"),
    ("group_mean_shift", DRIFT, "drift.mean_shift", "sd", AWAY, Kind.NUMBER, "the same within a protected group"),
    ("score_shift", DRIFT, "drift.mean_shift", "sd", AWAY, Kind.NUMBER, "move of the mean score or prediction"),
    ("share_shift", DRIFT, "drift.share_shift", "share", HIGH, Kind.NUMBER, "largest move of a category's share"),
    ("prediction_shift", DRIFT, "drift.share_shift", "share", HIGH, Kind.NUMBER, "largest move of a class's share"),
    ("top_class_share", DRIFT, "drift.share_shift", "share", HIGH, Kind.PROPORTION, "the commonest prediction"),
    ("precision", PERFORMANCE, "performance.confusion", "share", LOW, Kind.PROPORTION, "right among positives"),
    ("recall", PERFORMANCE, "performance.confusion", "share", LOW, Kind.PROPORTION, "found among truly positive"),
    ("specificity", PERFORMANCE, "performance.confusion", "share", LOW, Kind.PROPORTION, "spared among truly negative"),
    ("accuracy", PERFORMANCE, "performance.confusion", "share", LOW, Kind.PROPORTION, "right among labelled"),
    ("f1", PERFORMANCE, "performance.confusion", "score", LOW, Kind.NUMBER, "harmonic mean of precision and recall"),
    ("macro_f1", PERFORMANCE, "performance.confusion", "score", LOW, Kind.NUMBER, "mean F1 over the classes"),
    ("auc", PERFORMANCE, "performance.auc", "score", LOW, Kind.NUMBER, "area under the ROC curve"),
    ("log_loss", PERFORMANCE, "performance.probability", "nats", HIGH, Kind.NUMBER, "mean log loss of the score"),
    ("brier", PERFORMANCE, "performance.probability", "score", HIGH, Kind.NUMBER, "mean squared error of the score"),
    ("rmse", PERFORMANCE, "performance.regression", "target", HIGH, Kind.NUMBER, "root mean squared error"),
    ("mae", PERFORMANCE, "performance.regression", "target", HIGH, Kind.NUMBER, "mean absolute error"),
    ("bias", PERFORMANCE, "performance.regression", "target", AWAY, Kind.NUMBER, "mean error"),
    ("label_coverage", PERFORMANCE, "performance.label_coverage", "share", LOW, Kind.PROPORTION, "labels known"),
    ("selection_rate", FAIRNESS, "fairness.selection_rate", "share", LOW, Kind.PROPORTION, "favourable decisions"),
    ("selection_rate_ratio", FAIRNESS, "fairness.selection_rate", "ratio", LOW, Kind.RATIO, "adverse impact ratio"),
    ("parity_difference", FAIRNESS, "fairness.selection_rate", "difference", LOW, Kind.DIFFERENCE, "rate difference"),
    ("equal_opportunity", FAIRNESS, "fairness.equal_opportunity", "difference", LOW, Kind.DIFFERENCE,
     "difference of favourable decisions among the deserving"),
)  # fmt: skip

NEED_LABELS = frozenset(
    {"precision", "recall", "specificity", "accuracy", "f1", "macro_f1", "auc", "log_loss", "brier", "rmse", "mae",
     "bias", "equal_opportunity"}
)  # fmt: skip

CATALOG: Mapping[str, Entry] = MappingProxyType(
    {
        name: Entry(
            name=name,
            family=family,
            path=f"vigil.metrics.{module}:{name}",
            unit=unit,
            worse=worse,
            kind=kind,
            says=says,
            needs_labels=name in NEED_LABELS,
        )
        for name, family, module, unit, worse, kind, says in _TABLE
    }
)


def suggest(name: str) -> str | None:
    """The metric that was probably meant.

    >>> suggest("pis")
    'psi'
    """
    near = get_close_matches(name, CATALOG, n=1, cutoff=0.5)
    return near[0] if near else None
