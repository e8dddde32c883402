"""A home that holds nothing but simulated nights: its log, its reference, its monitor, and the truth beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.window import night_window
from vigil.ports import Ports, ReadLog
from vigil.simulation.nights import NightRows, Simulation
from vigil.simulation.regimes import digest
from vigil.simulation.resampled import Resampled
from vigil.usecases.nights import incident_nights, incidents
from vigil.usecases.reference import set_reference
from vigil.verdicts.types import State

if TYPE_CHECKING:
    import pyarrow as pa

Run = Simulation | Resampled
TRUTH, ABOUT = "truth.json", "simulation.json"
REFERENCE_ROWS = 20_000
MOST_ROWS = 50_000  # of a real night that are drawn from


class Past(Spec):
    """Quiet nights of a log. left_out: those that were not; judged: how many somebody had judged."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")

    nights: dict[date, Any]
    left_out: tuple[date, ...] = ()
    judged: int = 0


def quiet_past(log: ReadLog, monitor: Monitor, days: Iterable[date], ports: Ports | None) -> Past:
    """The rows, with labels, of the days on which nothing was found. ports: of the home that judged them, if any."""
    bad = incident_nights(incidents(ports, monitor)) if ports else frozenset()
    nights: dict[date, pa.Table] = {}
    left, judged = [], 0
    for day in days:
        result = ports.results.latest(monitor.model, monitor.environment, day) if ports else None
        judged += result is not None
        if day in bad or (result and any(v.state is State.BREACH for v in result.verdicts)):
            left.append(day)
            continue
        rows = log.sample(monitor, log.partition(monitor, night_window(day, monitor.timezone)), rows=MOST_ROWS)
        if rows.num_rows:
            nights[day] = rows
    return Past(nights=nights, left_out=tuple(left), judged=judged)


def room(out: Path, *, force: bool) -> tuple[Path, Path | None]:
    """(a folder to build in, where the old content of `out` will be kept). Raises DataError where `out` is taken.

    With `force` the old folder is renamed, not removed: nothing is lost.
    """
    kept = None
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise DataError(f"--out {out} is no folder; name a new one")
    if out.is_dir() and any(out.iterdir()):
        if not force:
            raise DataError(f"--out {out} is not empty; name a new folder, or move what it has aside with --force")
        taken = (out.with_name(f"{out.name}.before-{n}") for n in range(1, 10_000))
        kept = next(path for path in taken if not path.exists())
    out.parent.mkdir(parents=True, exist_ok=True)
    return Path(mkdtemp(prefix=f".{out.name}.", dir=out.parent)), kept


def move_in(draft: Path, out: Path, kept: Path | None) -> None:
    """The finished folder takes its place."""
    if kept is not None:
        out.rename(kept)
    elif out.is_dir():
        out.rmdir()
    draft.chmod(0o755)  # it was made for us alone
    draft.rename(out)


def rehearse(run: Run) -> None:
    """Raises DataError for a fault that these rows cannot have, before anything is written."""
    for fault in run.faults:
        last = run.nights - 1 if fault.until is None else min(fault.until, run.nights - 1)
        for night in {fault.onset, last}:
            run.night(night)


def describe(home: Path, run: Run, text: str, suite: Path | None, origin: dict[str, Any]) -> None:
    """Writes the monitor, its suite, what was drawn, and the truth."""
    (home / "monitors").mkdir()
    (home / "expectations").mkdir()
    (home / "monitors" / f"{run.model}.yaml").write_text(text, encoding="utf-8")
    if suite is not None:
        shutil.copyfile(suite, home / "expectations" / suite.name)
    about = {
        **origin,
        "seed": run.seed,
        "rows": run.rows,
        "nights": run.nights,
        "start": run.start.isoformat(),
        "model": run.model,
        "regimes_digest": digest(),
    }
    for name, what in ((TRUTH, run.truth), (ABOUT, about)):
        (home / name).write_text(json.dumps(what, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def fill(ports: Ports, monitor: Monitor, run: Run, *, origin: str) -> Iterator[NightRows]:
    """Keeps the reference, then logs night after night, and yields each when it is in the log."""
    set_reference(ports, monitor, run.reference(REFERENCE_ROWS), origin=origin, actor="simulate")
    for night in run:
        ports.log.write_predictions(run.model, night.predictions, batch_id=f"night-{night.day}")
        ports.log.write_outcomes(run.model, night.outcomes, batch_id=f"night-{night.day}")
        yield night
