"""What the columns of a prediction log mean: the part of a monitor that profiling needs."""

from enum import StrEnum

from pydantic import Field

from vigil.core.spec import Spec, ValueWord


class FeatureType(StrEnum):
    """How a feature is profiled."""

    NUMERIC = "numeric"
    CATEGORY = "category"


class DataMap(Spec):
    """The names that the prediction log uses for what Vigil needs to know (left: Vigil's word)."""

    prediction_id: str = "prediction_id"  # unique; a second row with it is a duplicate
    served_at: str = "served_at"  # when it was answered (UTC)
    model_version: str = "model_version"  # which version answered
    role: str = "role"  # champion, challenger or fallback
    status: str = "status"  # ok, error or timeout
    latency_ms: str = "latency_ms"  # milliseconds until the answer
    pipeline_version: str = "pipeline_version"  # which feature pipeline made the inputs
    score: str | None = None  # binary: probability of the positive class
    prediction: str = "prediction"  # binary: the decision; multiclass: the class; regression: the value
    ranking: str | None = None  # multiclass: the likeliest classes in order, with "|" between them
    sampling_weight: str | None = None  # how many real requests a logged row stands for


class Flag(StrEnum):
    """What a yes/no column of a text model says."""

    REFUSAL = "refusal"  # the reply declines to help
    HANDOFF = "handoff"  # the reply passes the person on to staff
    PII = "pii"  # personal data in the text
    OUT_OF_SCOPE = "out_of_scope"  # the request is none that the model knows
    NEGATIVE_FEEDBACK = "negative_feedback"  # the person was not helped


class Decision(Spec):
    """What the model's answer means for the person it is about (binary tasks).

    positive:   the label that the model predicts (labels are compared with it as text).
    threshold:  scores at or above it predict positive (used for performance where a score is logged; without one, the
                favourable answer predicts the deserving label).
    favourable: the value of `prediction` that is good for the person.
    deserving:  the label value for which the favourable decision was right.
    """

    positive: ValueWord = "1"
    threshold: float = Field(default=0.5, ge=0, le=1)
    favourable: ValueWord
    deserving: ValueWord


class Protected(Spec):
    """One protected attribute of the log."""

    attribute: str  # its column
    reference: ValueWord  # the named reference group
    groups: tuple[ValueWord, ...] = ()  # the others to judge; empty = all that occur
