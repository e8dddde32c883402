"""What each feature contributed to a model's scores, by the shap library, the same way for every model.

Permutation SHAP: the model is asked again with columns taken from background rows. Nothing is needed of the model but
its answers, so pipelines with categories and missing values need no case of their own; the values of a row sum to its
score minus the mean score of the background.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vigil.core.value_word import word

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BACKGROUND = 20  # rows that stand for "not knowing a column"; the time of one explanation grows with them
Score = Callable[["pd.DataFrame"], "np.ndarray"]  # shape (n,) or (n, classes)


class CannotExplain(Exception):
    """The model has no number whose parts could be told; the text is the reason, without values of rows."""


def contributions(score: Score, rows: pd.DataFrame, background: pd.DataFrame) -> dict[str, list[float]]:
    """Feature -> its contribution to each row's score, in the score's unit. Of several classes: to the likeliest one.

    Deterministic. Columns may be of any type: shap is given the place of each value, and the model the values.
    Raises CannotExplain, and whatever the model raises.

    >>> import pandas as pd
    >>> of = lambda f: 2 * f["a"].to_numpy() + f["b"].map({"x": 0.0, "y": 1.0}).to_numpy()
    >>> found = contributions(of, pd.DataFrame({"a": [3.0], "b": ["y"]}), pd.DataFrame({"a": [1.0], "b": ["x"]}))
    >>> {name: [round(v, 6) for v in values] for name, values in found.items()}
    {'a': [4.0], 'b': [1.0]}
    """
    import numpy as np
    import pandas as pd
    import shap

    names, known = list(rows.columns), background[list(rows.columns)].head(BACKGROUND)
    both = pd.concat([rows, known], ignore_index=True).astype(rows.dtypes.to_dict())
    coded = [pd.factorize(both[n], use_na_sentinel=False)[0] for n in names]
    first = [np.unique(codes, return_index=True)[1] for codes in coded]  # where each value is in `both`

    def asked(codes: Any) -> Any:
        at = np.rint(np.asarray(codes)).astype(int)
        columns = {n: both[n].take(first[j][at[:, j]]).reset_index(drop=True) for j, n in enumerate(names)}
        return _numbers(score(pd.DataFrame(columns)), len(at))

    matrix = np.column_stack(coded).astype(float)
    masker = shap.maskers.Independent(matrix[len(rows) :], max_samples=BACKGROUND)
    explainer = shap.PermutationExplainer(asked, masker, seed=0)
    found = explainer(matrix[: len(rows)], max_evals=2 * len(names) + 1, silent=True).values
    if found.ndim == 3:
        likeliest = asked(matrix[: len(rows)]).argmax(axis=1)
        found = found[np.arange(len(rows)), :, likeliest]
    return {name: [float(v) for v in found[:, j]] for j, name in enumerate(names)}


def score_of(model: Any, positive: str | None) -> Score:
    """What of a loaded MLflow model is explained; see `score_of_estimator`."""
    estimator = model.get_raw_model() if "sklearn" in model.metadata.flavors else model
    return score_of_estimator(estimator if hasattr(estimator, "predict_proba") else model, positive)


def score_of_estimator(model: Any, positive: str | None) -> Score:
    """The probability of the positive class, or of every class; of a model without one, the number that it answers."""
    classes = [word(c) for c in getattr(model, "classes_", ())]
    if hasattr(model, "predict_proba") and positive in classes:
        at = classes.index(str(positive))
        return lambda frame: model.predict_proba(frame)[:, at]
    if hasattr(model, "predict_proba"):
        return model.predict_proba  # type: ignore[no-any-return]
    predict = model.predict if hasattr(model, "predict") else model
    return lambda frame: _answered(predict(frame))


def _answered(answer: Any) -> Any:
    """The score of an answer that has one, else the answer."""
    if hasattr(answer, "columns"):
        names = list(answer.columns)
        return answer["score" if "score" in names else names[0]].to_numpy()
    return answer


def _numbers(answer: Any, rows: int) -> Any:
    import numpy as np

    try:
        found = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise CannotExplain("its answers are no numbers, and it has no score") from None
    if found.shape[:1] != (rows,) or not np.isfinite(found).all():
        raise CannotExplain("its answers are not one finite number a row")
    return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
