"""A log as a stranger writes one: a model trained outside Vigil, own column names, local times as text, labels inside.

    python -m examples.foreign_log FOLDER [--nights 30] [--end 2026-10-31] [--fault]

writes FOLDER/screenings.csv, and FOLDER/holdout.csv, the rows the model was tested on. The patients are scikit-learn's
breast cancer data (569 real biopsies), drawn with replacement; times, ages and delays are made up. With --fault the
last night's radii arrive in micrometres instead of millimetres: what a laboratory's new software might do.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS = 220  # a night
SEED = 11
LATE = 3  # days until the pathologist's answer
USED = ("mean radius", "mean texture", "mean smoothness", "mean concavity", "mean symmetry")


def main(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    nights: Annotated[int, typer.Option(help="How many nights.")] = 30,
    end: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last night.")] = datetime(2026, 10, 31),  # noqa: DTZ001
    fault: Annotated[bool, typer.Option("--fault", help="Let the last night's radii arrive in micrometres.")] = False,
) -> None:
    """Writes screenings.csv and holdout.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    days = [end.date() - timedelta(days=n) for n in range(nights - 1, -1, -1)]
    log, holdout = screenings(days, fault=fault)
    log.to_csv(folder / "screenings.csv", index=False)
    holdout.to_csv(folder / "holdout.csv", index=False)
    typer.echo(f"{len(log):,} rows in {folder / 'screenings.csv'}, {len(holdout)} in {folder / 'holdout.csv'}")


def screenings(days: list[date], *, fault: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(the log, the holdout). The same days give the same rows."""
    import pandas as pd
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = load_breast_cancer(as_frame=True).frame
    train, test = data.iloc[::2], data.iloc[1::2].reset_index(drop=True)
    test = test.assign(age=_ages(test))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[list(USED)], train["target"])
    made = [_night(model, test, day, last=days[-1], fault=fault and day == days[-1]) for day in days]
    holdout = _rows(test, model.predict_proba(test[list(USED)])[:, 0])
    return pd.concat(made, ignore_index=True), holdout


def _night(model: object, test: pd.DataFrame, day: date, *, last: date, fault: bool) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng([SEED, day.toordinal()])
    drawn = test.iloc[rng.integers(0, len(test), ROWS)].reset_index(drop=True)
    seen = drawn[list(USED)].copy()
    if fault:
        seen["mean radius"] *= 1000
    score: np.ndarray = model.predict_proba(seen)[:, 0]  # type: ignore[attr-defined]
    minutes = np.sort(rng.integers(7 * 60, 19 * 60, ROWS))
    rows = _rows(drawn.assign(**{"mean radius": seen["mean radius"]}), score)
    rows.insert(0, "case_no", [f"{day:%y%m%d}-{n:04d}" for n in range(ROWS)])
    rows.insert(1, "screened_on", [f"{day:%d.%m.%Y} {m // 60:02d}:{m % 60:02d}" for m in minutes])
    rows["reply_ms"] = rng.gamma(3, 9, ROWS).round(1)
    known = (last - day).days >= LATE
    rows["pathology"] = rows["pathology"] if known else pd.Series([None] * ROWS, dtype=object)
    return rows


def _rows(patients: pd.DataFrame, score: np.ndarray) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    return pd.DataFrame(
        {
            "age": patients["age"].to_numpy(),
            **{name.replace("mean ", ""): patients[name].round(4).to_numpy() for name in USED},
            "malignant_pct": (100 * score).round(2),
            "call": np.where(score >= 0.4, "biopsy", "routine"),
            "pathology": np.where(patients["target"] == 0, "malignant", "benign"),
        }
    )


def _ages(patients: pd.DataFrame) -> np.ndarray:
    """Made up, the data have none: spread evenly over the sick and over the healthy."""
    import numpy as np

    order = patients["target"].rank(method="first").to_numpy()
    golden = np.modf(order * (np.sqrt(5) - 1) / 2)[0]
    ages: np.ndarray = np.round(20 + 58 * golden).astype(int)
    return ages


if __name__ == "__main__":
    typer.run(main)
