"""The list of metrics: name -> where it is computed and how it is read. One line each; nothing heavy is imported."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType

from vigil.core.spec import Spec
from vigil.core.words import Family, Task
from vigil.metrics.types import Kind, Worse


class Against(StrEnum):
    """What the baseline is to a metric."""

    SAME = "same"  # the same number on the baseline stands beside tonight's
    WITHIN = "within"  # the metric itself compares with the baseline: it is 0 there, and unknown without one
    NOTHING = "nothing"  # a holdout has no latency, no errors, and a size that means nothing


class Scope(StrEnum):
    """What its subjects are."""

    ALL = "all"
    FEATURE = "feature"
    GROUP = "group"  # of a protected attribute


class Entry(Spec):
    """How one metric is found and read.

    path:  "package.module:function"; the function takes a `metrics.given.Given` and yields `Reading`s.
    tasks: the tasks that it makes sense for.
    says:  what it measures, in one line.
    """

    name: str
    family: Family
    path: str
    unit: str
    worse: Worse
    kind: Kind
    needs_labels: bool = False
    tasks: tuple[Task, ...] = tuple(Task)
    says: str
    against: Against = Against.SAME
    scope: Scope = Scope.ALL
    estimate: bool = False  # made without the labels that it is about
    on_demand: bool = False  # measured only where a rule asks for it: one number per feature and group


HIGH, LOW, AWAY = Worse.HIGHER, Worse.LOWER, Worse.AWAY
SHARE, RATIO, DIFFERENCE, NUMBER, COUNT = Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE, Kind.NUMBER, Kind.COUNT
Row = tuple[str, str, str, Worse, Kind, str]  # name, module below vigil.metrics, unit, worse, kind, says

_SERVICE: tuple[Row, ...] = (
    ("success_rate", "service.success_rate", "share", LOW, SHARE, "requests answered without error or timeout"),
    ("latency_p50", "service.latency_percentile", "ms", HIGH, NUMBER, "median latency"),
    ("latency_p95", "service.latency_percentile", "ms", HIGH, NUMBER, "95th percentile of latency"),
    ("latency_p99", "service.latency_percentile", "ms", HIGH, NUMBER, "99th percentile of latency"),
    ("latency_within", "service.latency_within", "share", LOW, SHARE, "requests answered within an SLO's latency"),
    ("volume", "service.volume", "rows", AWAY, COUNT, "predictions of the night"),
    ("fallback_share", "service.fallback_share", "share", HIGH, SHARE, "requests answered by the fallback"),
    ("duplicates", "service.duplicates", "share", HIGH, SHARE, "rows with an id that was already logged"),
    ("log_completeness", "service.log_completeness", "share", LOW, SHARE, "requests that reached the prediction log"),
    ("version_integrity", "service.version_integrity", "share", LOW, SHARE, "rows answered by a version in service"),
)
_QUALITY: tuple[Row, ...] = (
    ("missing", "quality.missing", "share", HIGH, SHARE, "nulls of a feature"),
    ("not_finite", "quality.not_finite", "share", HIGH, SHARE, "NaN and infinities of a numeric feature"),
    ("wrong_type", "quality.wrong_type", "share", HIGH, SHARE, "values of a numeric feature that are no numbers"),
    ("new_category", "quality.new_category", "share", HIGH, SHARE, "levels of a category that the reference never had"),
)
_DISTINCT: tuple[Row, ...] = (
    ("distinct_values", "quality.distinct_values", "values", LOW, COUNT, "different values of a feature, at least"),
)
_ANSWERS: tuple[Row, ...] = (
    ("missing_prediction", "quality.unanswered", "share", HIGH, SHARE, "served requests without an answer"),
)
_SCORES: tuple[Row, ...] = (
    ("missing_score", "quality.unanswered", "share", HIGH, SHARE, "served requests without a score"),
)
_LABEL_WORDS: tuple[Row, ...] = (
    ("unknown_label", "quality.unknown_label", "share", HIGH, SHARE, "labels that name neither class"),
)
_WEIGHT: tuple[Row, ...] = (
    ("unusable_weight", "quality.unusable_weight", "share", HIGH, SHARE, "labelled rows without a usable weight"),
)
_PERSONAL: tuple[Row, ...] = (
    ("pii_rate", "quality.pii_rate", "share", HIGH, SHARE, "texts with personal data in them"),
)
_SCOPE: tuple[Row, ...] = (
    ("out_of_scope_rate", "drift.out_of_scope_rate", "share", HIGH, SHARE, "requests that are none the model knows"),
)
_REPLIES: tuple[Row, ...] = (
    ("refusal_rate", "performance.replies", "share", HIGH, SHARE, "replies that decline to help"),
    ("handoff_rate", "performance.replies", "share", HIGH, SHARE, "replies that pass the person on to staff"),
    ("negative_feedback_rate", "performance.replies", "share", HIGH, SHARE, "people who say they were not helped"),
)
_RANGE: tuple[Row, ...] = (
    ("out_of_range", "quality.out_of_range", "share", HIGH, SHARE, "values outside the baseline's range"),
)
_NEW: tuple[Row, ...] = (
    ("new_levels", "quality.new_levels", "levels", HIGH, NUMBER, "levels of a category that the reference never had"),
)
_DRIFT: tuple[Row, ...] = (
    ("psi", "drift.psi", "nats", HIGH, NUMBER, "population stability index of a feature"),
    ("js", "drift.js", "distance", HIGH, NUMBER, "Jensen-Shannon distance of a feature"),
    ("mean_shift", "drift.mean_shift", "sd", AWAY, NUMBER, "move of a numeric feature's mean"),
    ("share_shift", "drift.share_shift", "share", HIGH, NUMBER, "largest move of a category level's share"),
    ("ks", "drift.ks", "distance", HIGH, NUMBER, "Kolmogorov-Smirnov distance of a numeric feature"),
    ("wasserstein", "drift.wasserstein", "sd", HIGH, NUMBER, "earth mover's distance of a numeric feature"),
    ("chi_square", "drift.chi_square", "Cramer's V", HIGH, NUMBER, "chi-square of a feature, scaled to [0, 1]"),
    ("position_shift", "drift.position_shift", "sd", AWAY, NUMBER, "move of a numeric feature's mean normal score"),
    ("width_shift", "drift.width_shift", "sd", AWAY, NUMBER, "change of a numeric feature's width"),
    ("missing_shift", "drift.missing_shift", "arcsine", AWAY, NUMBER, "move of a feature's share of nulls"),
    ("level_shift", "drift.level_shift", "arcsine", AWAY, NUMBER, "move of a category level's share"),
)
_GROUP_DRIFT: tuple[Row, ...] = (
    ("group_mean_shift", "drift.group_mean_shift", "sd", AWAY, NUMBER, "move of a feature's mean in a protected group"),
)
_GROUP_SHARES: tuple[Row, ...] = (
    ("group_share_shift", "drift.group_share_shift", "arcsine", AWAY, NUMBER, "move of a protected group's share"),
)
_GROUPS: tuple[Row, ...] = tuple(
    (f"group_{name}", module, unit, worse, kind, f"{says}, in a protected group")
    for name, module, unit, worse, kind, says in _DRIFT
    if name not in ("mean_shift", "share_shift")
)
_ATTRIBUTION: tuple[Row, ...] = (
    ("attribution_drift", "drift.attribution", "share", HIGH, NUMBER, "move of what the predictions rest on"),
    ("attribution_shift", "drift.attribution", "share", AWAY, NUMBER, "move of a feature's part in the predictions"),
)
_LABELS: tuple[Row, ...] = (
    ("label_drift", "drift.label_drift", "nats", HIGH, NUMBER, "population stability index of the labels"),
)
_LABEL_SHIFT: tuple[Row, ...] = (("label_shift", "drift.label_drift", "sd", AWAY, NUMBER, "move of the mean label"),)
_PREDICTION: tuple[Row, ...] = (
    ("prediction_psi", "drift.prediction_psi", "nats", HIGH, NUMBER, "population stability index of what it predicts"),
)
_CLASS_SHIFT: tuple[Row, ...] = (
    ("prediction_shift", "drift.prediction_shift", "share", HIGH, NUMBER, "largest move of a predicted class's share"),
)
_CLASSES_SHIFT: tuple[Row, ...] = (
    ("class_shift", "drift.class_shift", "arcsine", AWAY, NUMBER, "move of a predicted class's share"),
)
_SCORE_SHIFT: tuple[Row, ...] = (
    ("score_shift", "drift.score_shift", "sd", AWAY, NUMBER, "move of the mean score or predicted value"),
)
_CLASS_SHARE: tuple[Row, ...] = (
    ("top_class_share", "drift.top_class_share", "share", HIGH, NUMBER, "share of the most frequent prediction"),
)
_BINARY: tuple[Row, ...] = (
    ("precision", "performance.precision", "share", LOW, SHARE, "truly positive among those predicted positive"),
    ("recall", "performance.recall", "share", LOW, SHARE, "predicted positive among the truly positive"),
    ("specificity", "performance.specificity", "share", LOW, SHARE, "predicted negative among the truly negative"),
    ("f1", "performance.f1", "score", LOW, NUMBER, "harmonic mean of precision and recall"),
    ("auc", "performance.auc", "score", LOW, NUMBER, "area under the ROC curve"),
    ("log_loss", "performance.log_loss", "nats", HIGH, NUMBER, "mean log loss of the score"),
    ("brier", "performance.brier", "score", HIGH, NUMBER, "mean squared error of the score"),
    ("balanced_accuracy", "performance.balanced_accuracy", "score", LOW, NUMBER, "mean of recall and specificity"),
    ("mcc", "performance.mcc", "score", LOW, NUMBER, "correlation of prediction and label"),
    ("average_precision", "performance.average_precision", "score", LOW, NUMBER, "area under precision and recall"),
    ("ece", "performance.ece", "score", HIGH, NUMBER, "expected calibration error over ten groups"),
    (
        "calibration_slope",
        "performance.calibration_slope",
        "slope",
        AWAY,
        NUMBER,
        "label on logit(score); 1 is good",
    ),
    ("lift", "performance.lift", "ratio", LOW, NUMBER, "positives in the top tenth against all"),
)
_ESTIMATED: tuple[Row, ...] = (
    ("estimated_precision", "performance.estimated", "share", LOW, NUMBER, "precision expected without labels"),
    ("estimated_recall", "performance.estimated", "share", LOW, NUMBER, "recall expected without labels"),
    ("estimated_accuracy", "performance.estimated", "share", LOW, NUMBER, "accuracy expected without labels"),
    ("estimated_auc", "performance.estimated", "score", LOW, NUMBER, "AUC expected without labels"),
)
_BUSINESS: tuple[Row, ...] = (("kpi", "performance.kpi", "", LOW, NUMBER, "a business number without labels"),)
_BUSINESS_LABELS: tuple[Row, ...] = (
    ("kpi_of_outcomes", "performance.kpi", "", LOW, NUMBER, "a business number that needs labels"),
)
_CLASSES: tuple[Row, ...] = (
    ("accuracy", "performance.accuracy", "share", LOW, SHARE, "right among labelled predictions"),
)
_MULTICLASS: tuple[Row, ...] = (
    ("macro_f1", "performance.macro_f1", "score", LOW, NUMBER, "mean F1 over the classes"),
    ("micro_f1", "performance.micro_f1", "share", LOW, SHARE, "F1 of all classes together"),
    ("weighted_f1", "performance.weighted_f1", "score", LOW, NUMBER, "mean F1, classes weighted by their rows"),
    ("top_3_accuracy", "performance.top_accuracy", "share", LOW, SHARE, "label among the three likeliest classes"),
    ("top_5_accuracy", "performance.top_accuracy", "share", LOW, SHARE, "label among the five likeliest classes"),
    ("class_precision", "performance.per_class", "share", LOW, SHARE, "precision of a class"),
    ("class_recall", "performance.per_class", "share", LOW, SHARE, "recall of a class"),
)
_REGRESSION: tuple[Row, ...] = (
    ("rmse", "performance.rmse", "target", HIGH, NUMBER, "root mean squared error"),
    ("mae", "performance.mae", "target", HIGH, NUMBER, "mean absolute error"),
    ("bias", "performance.bias", "target", AWAY, NUMBER, "mean error"),
    ("mape", "performance.mape", "share", HIGH, NUMBER, "mean absolute percentage error"),
    ("r2", "performance.r2", "score", LOW, NUMBER, "share of the labels' variance explained"),
    ("pinball_loss_10", "performance.pinball", "target", HIGH, NUMBER, "loss of a 10 % quantile"),
    ("pinball_loss_90", "performance.pinball", "target", HIGH, NUMBER, "loss of a 90 % quantile"),
)
_RESIDUALS: tuple[Row, ...] = (
    ("residual_shift", "performance.residuals", "sd", AWAY, NUMBER, "move of the mean error"),
    ("residual_spread", "performance.residuals", "ratio", HIGH, NUMBER, "spread of the errors against the baseline's"),
)
_COVERAGE: tuple[Row, ...] = (
    ("label_coverage", "performance.label_coverage", "share", LOW, SHARE, "rows whose label is known"),
)
_FAIRNESS: tuple[Row, ...] = (
    ("selection_rate", "fairness.selection_rate", "share", LOW, SHARE, "favourable decisions in a group"),
    ("selection_rate_ratio", "fairness.selection_rate_ratio", "ratio", LOW, RATIO, "adverse impact ratio of a group"),
    ("parity_difference", "fairness.parity_difference", "difference", LOW, DIFFERENCE, "difference of selection rates"),
)
_GROUP_COVERAGE: tuple[Row, ...] = (
    ("group_coverage", "fairness.group_coverage", "share", LOW, SHARE, "decisions whose group is known"),
)
_DESERVED: tuple[Row, ...] = (
    ("equal_opportunity", "fairness.equal_opportunity", "difference", LOW, DIFFERENCE,
     "difference of favourable decisions among those who deserve them"),
)  # fmt: skip
_GROUP_SCORES: tuple[Row, ...] = (
    ("score_gap", "fairness.score_gap", "sd", AWAY, NUMBER, "difference of the mean score, in standard deviations"),
    ("stratified_ratio", "fairness.stratified_ratio", "ratio", LOW, NUMBER, "ratio of selection rates within strata"),
    ("group_label_coverage", "fairness.group_label_coverage", "share", LOW, SHARE, "a group's rows with a label"),
)
_ODDS: tuple[Row, ...] = (
    ("tpr_difference", "fairness.tpr_difference", "difference", AWAY, DIFFERENCE,
     "difference of true positive rates"),
    ("fpr_difference", "fairness.fpr_difference", "difference", AWAY, DIFFERENCE,
     "difference of false positive rates"),
    ("predictive_parity", "fairness.predictive_parity", "difference", AWAY, DIFFERENCE, "difference of precision"),
    ("equalised_odds", "fairness.equalised_odds", "difference", HIGH, NUMBER,
     "the larger difference of the two error rates"),
    ("calibration_gap", "fairness.score_gap", "difference", AWAY, NUMBER, "difference of label minus score"),
)  # fmt: skip

_ONE, _CLASS, _VALUE = (Task.BINARY,), (Task.BINARY, Task.MULTICLASS), (Task.REGRESSION,)
_SCORED = (Task.BINARY, Task.REGRESSION)
_BLOCKS: tuple[tuple[tuple[Row, ...], Family, dict[str, object]], ...] = (
    (_SERVICE, Family.SERVICE, {"against": Against.NOTHING}),
    (_QUALITY, Family.QUALITY, {"scope": Scope.FEATURE}),
    (_DISTINCT, Family.QUALITY, {"scope": Scope.FEATURE}),
    (_ANSWERS, Family.QUALITY, {}),
    (_SCORES, Family.QUALITY, {"tasks": _ONE}),
    (_RANGE, Family.QUALITY, {"scope": Scope.FEATURE, "against": Against.WITHIN}),
    (_DRIFT, Family.DRIFT, {"scope": Scope.FEATURE, "against": Against.WITHIN}),
    (_GROUP_DRIFT, Family.DRIFT, {"scope": Scope.GROUP, "against": Against.WITHIN}),
    (_GROUPS, Family.DRIFT, {"scope": Scope.GROUP, "against": Against.WITHIN, "on_demand": True}),
    (_GROUP_SHARES, Family.DRIFT, {"scope": Scope.GROUP, "against": Against.WITHIN, "on_demand": True, "tasks": _ONE}),
    (_LABEL_WORDS, Family.QUALITY, {"against": Against.NOTHING, "needs_labels": True, "tasks": _ONE}),
    (_WEIGHT, Family.QUALITY, {"against": Against.NOTHING, "needs_labels": True, "tasks": _ONE}),
    (_PERSONAL, Family.QUALITY, {}),
    (_SCOPE, Family.DRIFT, {}),
    (_REPLIES, Family.PERFORMANCE, {}),
    (_NEW, Family.QUALITY, {"scope": Scope.FEATURE, "against": Against.WITHIN}),
    (_ATTRIBUTION, Family.DRIFT, {"against": Against.WITHIN}),
    (_LABELS, Family.DRIFT, {"against": Against.WITHIN, "needs_labels": True, "tasks": _CLASS}),
    (_LABEL_SHIFT, Family.DRIFT, {"against": Against.WITHIN, "needs_labels": True, "tasks": _VALUE}),
    (_PREDICTION, Family.DRIFT, {"against": Against.WITHIN}),
    (_CLASS_SHIFT, Family.DRIFT, {"against": Against.WITHIN, "tasks": _CLASS}),
    (_CLASSES_SHIFT, Family.DRIFT, {"against": Against.WITHIN, "tasks": _CLASS, "on_demand": True}),
    (_SCORE_SHIFT, Family.DRIFT, {"against": Against.WITHIN, "tasks": _SCORED}),
    (_CLASS_SHARE, Family.DRIFT, {"tasks": _CLASS}),
    (_BINARY, Family.PERFORMANCE, {"needs_labels": True, "tasks": _ONE}),
    (_CLASSES, Family.PERFORMANCE, {"needs_labels": True, "tasks": _CLASS}),
    (_MULTICLASS, Family.PERFORMANCE, {"needs_labels": True, "tasks": (Task.MULTICLASS,)}),
    (_REGRESSION, Family.PERFORMANCE, {"needs_labels": True, "tasks": _VALUE}),
    (_RESIDUALS, Family.PERFORMANCE, {"needs_labels": True, "tasks": _VALUE, "against": Against.WITHIN}),
    (_BUSINESS_LABELS, Family.PERFORMANCE, {"needs_labels": True}),
    (_COVERAGE, Family.PERFORMANCE, {"against": Against.NOTHING}),
    (_ESTIMATED, Family.PERFORMANCE, {"against": Against.NOTHING, "tasks": _ONE, "estimate": True}),
    (_BUSINESS, Family.PERFORMANCE, {"against": Against.NOTHING}),
    (_FAIRNESS, Family.FAIRNESS, {"scope": Scope.GROUP, "tasks": _ONE}),
    (_GROUP_COVERAGE, Family.FAIRNESS, {"tasks": _ONE}),
    (_DESERVED, Family.FAIRNESS, {"scope": Scope.GROUP, "tasks": _ONE, "needs_labels": True}),
    (_ODDS, Family.FAIRNESS, {"scope": Scope.GROUP, "tasks": _ONE, "needs_labels": True}),
    (_GROUP_SCORES, Family.FAIRNESS, {"scope": Scope.GROUP, "tasks": _ONE}),
)


def _entries() -> Iterator[Entry]:
    for rows, family, common in _BLOCKS:
        for name, module, unit, worse, kind, says in rows:
            row = {"name": name, "family": family, "path": f"vigil.metrics.{module}:{name}", "unit": unit}
            yield Entry.model_validate({**row, "worse": worse, "kind": kind, "says": says, **common})


CATALOG: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _entries()})


def suggest(name: str) -> str | None:
    """The metric that was probably meant, or None.

    >>> suggest("pis"), suggest("mean_shfit"), suggest("qqqqq")
    ('psi', 'mean_shift', None)
    """
    near = get_close_matches(name, CATALOG, n=1, cutoff=0.5)
    return near[0] if near else None
