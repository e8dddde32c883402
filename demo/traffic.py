"""What the models' users do: send requests to the gateway, and learn the truth later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import httpx
import pandas as pd

from vigil.sdk import log_outcomes, log_predictions

if TYPE_CHECKING:
    from types import ModuleType

BATCH = 120  # rows a request


class Gateway:
    """The prediction gateway as a client sees it."""

    def __init__(self, url: str) -> None:
        self._api = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def send(self, model: str, rows: pd.DataFrame, columns: list[str]) -> dict[str, int]:
        """Sends a night's rows in the order of their times. Returns rows answered by version."""
        answered: dict[str, int] = {}
        for at, pipeline, batch in _batches(rows):
            body = {"dataframe_split": batch[[*columns, "prediction_id"]].to_dict(orient="split", index=False)}
            reply = self._api.post(
                f"/models/{model}/invocations",
                json=body,
                headers={"X-Vigil-Served-At": at, "X-Pipeline-Version": pipeline},
            )
            if reply.status_code != 200:
                raise RuntimeError(f"the gateway answered {reply.status_code}: {reply.text[:500]}")
            version = reply.headers["X-Model-Version"]
            answered[version] = answered.get(version, 0) + len(batch)
        return answered

    def flush(self) -> None:
        """Waits until everything answered is in the prediction log."""
        self._api.post("/admin/flush").raise_for_status()

    def version(self, model: str) -> dict[str, str]:
        """Which version answers now, and in which role."""
        found: dict[str, str] = self._api.get(f"/models/{model}/version").raise_for_status().json()
        return found


def _batches(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """(time, pipeline version, rows) by hour, at most BATCH rows each."""
    for (hour, pipeline), group in rows.groupby([rows["served_at"].dt.floor("h"), "pipeline_version"]):
        del hour
        for start in range(0, len(group), BATCH):
            batch = group.iloc[start : start + BATCH]
            yield batch["served_at"].iloc[0].isoformat(), str(pipeline), batch


def history(example: ModuleType, model: object, version: str, nights: list[date], *, seed: int) -> None:
    """Past nights as a batch job logs them: scored by the version of that time, truth included where it is due."""
    import numpy as np

    for night in nights:
        rows = example.night_rows(night, seed=seed)
        answers = model.predict(None, rows).reset_index(drop=True)  # type: ignore[attr-defined]
        logged = pd.concat([rows.drop(columns="label").reset_index(drop=True), answers], axis=1)
        rng = np.random.default_rng(night.toordinal())
        logged = logged.assign(status="ok", latency_ms=rng.gamma(3, 8, len(logged)).round(2))
        log_predictions(
            example.MODEL,
            logged,
            environment=example.ENVIRONMENT,
            model_version=version,
            batch_id=f"history-{night}",
        )


def truth(example: ModuleType, nights: list[date], *, days: int, seed: int, part: slice, name: str) -> int:
    """What really happened with a part of the rows of some nights, `days` later. Returns the number of labels."""
    told = 0
    for night in nights:
        rows = example.night_rows(night, seed=seed)
        rows = rows.iloc[
            part.start and int(part.start * len(rows) / 100) : part.stop and int(part.stop * len(rows) / 100)
        ]
        labels = pd.DataFrame(
            {
                "prediction_id": rows["prediction_id"],
                "label": rows["label"],
                "observed_at": rows["served_at"] + timedelta(days=days),
            }
        )
        log_outcomes(example.MODEL, labels, batch_id=f"{name}-{night}")
        told += len(labels)
    return told
