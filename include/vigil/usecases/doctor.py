"""Everything that a night needs, looked at one by one: what is wrong, whether it breaks tonight, and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vigil.config.schema import Monitor
from vigil.core.errors import NotRegistered, VigilError
from vigil.core.spec import Spec
from vigil.core.window import night_window
from vigil.ports import Ports, ServingState, Unread
from vigil.usecases.nights import history
from vigil.usecases.reference import REFERENCE
from vigil.verdicts.service_days import service_days, service_note

PINNED = ("apache-airflow", "great-expectations", "evidently", "mlflow", "pandas", "duckdb", "sqlalchemy", "slack-sdk")
TELEMETRY = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
}
LEAST_FREE, LITTLE_FREE = 200 * 2**20, 2 * 2**30  # bytes
CLOCKS = 60.0  # seconds that clocks may differ


class Grade(StrEnum):
    """ok; look: it will trouble somebody; broken: it breaks tonight."""

    OK = "ok"
    LOOK = "look"
    BROKEN = "broken"


class Check(Spec):
    """One thing that was looked at."""

    about: str
    grade: Grade
    what: str
    fix: str = ""


def good(about: str, what: str) -> Check:
    """Nothing to do."""
    return Check(about=about, grade=Grade.OK, what=what)


def versions(lock: Path | None) -> Iterator[Check]:
    """The installed libraries against the lock."""
    pins = _pins(lock) if lock and lock.exists() else {}
    wrong = []
    for name in PINNED:
        try:
            have = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        if pins.get(name, have) != have:
            wrong.append(f"{name} {have} instead of {pins[name]}")
    if wrong:
        yield Check(about="versions", grade=Grade.BROKEN, what="; ".join(wrong), fix="run `make setup`")
    else:
        yield good("versions", f"{len(PINNED)} libraries as locked")


def _pins(lock: Path) -> dict[str, str]:
    lines = (line.split(" ")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.split("[")[0].lower(): pin for name, pin, *_ in pairs}


def folders(named: Mapping[str, Path]) -> Iterator[Check]:
    """Each folder that a night writes to can be written, and has room."""
    for name, path in named.items():
        probe = path / ".vigil-doctor"
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            fix = f"let the user that runs Airflow write to {path}"
            yield Check(about=name, grade=Grade.BROKEN, what=f"{path} cannot be written: {error.strerror}", fix=fix)
            continue
        free = shutil.disk_usage(path).free
        if free < LITTLE_FREE:
            grade = Grade.BROKEN if free < LEAST_FREE else Grade.LOOK
            what = f"{free / 2**20:,.0f} MiB are free at {path}"
            yield Check(
                about=name, grade=grade, what=what, fix="make room: profiles, reports and logs are written nightly"
            )
        else:
            yield good(name, f"{path}, {free / 2**30:,.0f} GiB free")


def telemetry(environment: Mapping[str, str]) -> Iterator[Check]:
    """No library phones home."""
    on = [f"{name}={value}" for name, value in TELEMETRY.items() if environment.get(name, "").lower() != value]
    if on:
        fix = f"set {' '.join(on)} where Airflow runs"
        yield Check(about="telemetry", grade=Grade.LOOK, what="some libraries may phone home from a shell", fix=fix)
    else:
        yield good("telemetry", "switched off in every library")


def monitors(loaded: Mapping[str, Monitor], broken: Mapping[str, str]) -> Iterator[Check]:
    """Every YAML loads."""
    for file, error in broken.items():
        yield Check(about=f"monitors/{file}", grade=Grade.BROKEN, what=error, fix="correct the file: `vigil lint`")
    if not loaded and not broken:
        fix = "`vigil init NAME --log PATH` makes the first one"
        yield Check(about="monitors", grade=Grade.BROKEN, what="no model is watched", fix=fix)


def watched(ports: Ports, monitor: Monitor, *, now: datetime) -> Iterator[Check]:
    """What one model's night needs: a yardstick, rows, and a log that can be read."""
    name = monitor.model
    if ports.profiles.edges(name) is None:
        fix = f"`vigil promote {name} VERSION --actor YOU --reason WHY`, or `vigil reference {name} PATH`"
        yield Check(about=name, grade=Grade.BROKEN, what="no baseline: nothing can be compared", fix=fix)
    yield from _registered(ports, monitor)
    if monitor.source is not None:
        yield from _source(ports, monitor, now)
    yield from _traffic(ports, monitor, now)
    yesterday = (now - timedelta(days=1)).date()
    try:
        found = ports.log.partition(monitor, night_window(yesterday, monitor.timezone))
    except VigilError as error:
        yield Check(about=name, grade=Grade.BROKEN, what=str(error), fix="correct the log or `data:` of the monitor")
        return
    for file, why in found.broken:
        what = f"{Path(file).name} cannot be read: {why}"
        yield Check(
            about=name, grade=Grade.LOOK, what=what, fix="write the file again; its night is unknown until then"
        )
    if found.files:
        yield good(name, f"{len(found.files)} files hold rows of {yesterday}")
    elif (calendar := service_days(monitor.serves, history(ports, monitor, yesterday), yesterday)).rests(yesterday):
        yield good(name, f"{yesterday}: {service_note(calendar, yesterday, rows=0)}")
    else:
        fix = "does the job that logs them run? `vigil ingest` takes what a `source:` has"
        yield Check(about=name, grade=Grade.LOOK, what=f"no rows of {yesterday} yet", fix=fix)


def _registered(ports: Ports, monitor: Monitor) -> Iterator[Check]:
    name = monitor.model
    try:
        state: ServingState = ports.registry.serving(name)
    except VigilError as error:
        if not isinstance(error, NotRegistered) or ports.profiles.baseline(name, REFERENCE) is None:
            yield Check(about=name, grade=Grade.BROKEN, what=str(error), fix="start MLflow, or correct its address")
        else:
            what = "not in the registry: it can be watched, but nothing can be rolled back"
            yield Check(
                about=name, grade=Grade.LOOK, what=what, fix="register its versions with MLflow to have rollbacks"
            )
        return
    if state.champion is None and ports.profiles.baseline(name, REFERENCE) is None:
        fix = f"`vigil promote {name} VERSION --actor YOU --reason WHY`"
        yield Check(about=name, grade=Grade.BROKEN, what="no version is champion", fix=fix)
    elif state.champion is not None and state.fallback is None:
        what = "no fallback is registered: when no version helps, people must stop it by hand"
        yield Check(about=name, grade=Grade.LOOK, what=what, fix=f"`vigil promote {name} VERSION --alias fallback …`")


def _source(ports: Ports, monitor: Monitor, now: datetime) -> Iterator[Check]:
    source = monitor.source
    if source is None:
        return
    window = night_window((now - timedelta(days=1)).date(), monitor.timezone)
    for where in (source.predictions, source.apart):
        if where is None:
            continue
        try:
            first: Any = next(iter(ports.intake.pieces(monitor.model, source, where, window, again=True)), None)
        except VigilError as error:
            fix = "correct `source:` of the monitor"
            yield Check(about=monitor.model, grade=Grade.BROKEN, what=str(error), fix=fix)
        else:
            if isinstance(first, Unread):
                fix = "correct the file, or put a whole one in its place; the others are taken meanwhile"
                yield Check(about=monitor.model, grade=Grade.BROKEN, what=first.why, fix=fix)
                continue
            yield good(
                monitor.model, f"{where} can be read ({len(first.rows) if first else 0:,} rows in its first piece)"
            )


def _traffic(ports: Ports, monitor: Monitor, now: datetime) -> Iterator[Check]:
    if monitor.traffic is None:
        return
    yesterday = (now - timedelta(days=1)).date()
    counted = ports.traffic.requests(monitor, yesterday)
    if counted.requests is None:
        fix = "correct `traffic:` of the monitor; without it `log_completeness` is unknown"
        yield Check(about=monitor.model, grade=Grade.LOOK, what=f"traffic: {counted.why_not}", fix=fix)
    else:
        yield good(monitor.model, f"traffic: {counted.requests:,} requests counted on {yesterday}")


def record(ports: Ports) -> Iterator[Check]:
    """The ledger's chains hold."""
    problems = ports.ledger.verify()
    if problems:
        fix = "see docs/runbooks/ledger.md; do not repair it by hand"
        yield Check(about="ledger", grade=Grade.BROKEN, what="; ".join(problems[:3]), fix=fix)
    else:
        yield good("ledger", f"{len(ports.ledger.streams())} streams; every chain holds")


def airflow(
    health: Callable[[], Mapping[str, Any]],
    clock: Callable[[], float],
    dags: Callable[[], Any],
    *,
    url: str,
    wanted: Sequence[str],
) -> Iterator[Check]:
    """Airflow lives, its clock is ours, and it schedules every monitor."""
    from vigil.usecases.heartbeat import airflow_problems

    problems = airflow_problems(health)
    for problem in problems:
        fix = f"start Airflow's components; VIGIL_AIRFLOW_URL is {url}"
        yield Check(about="airflow", grade=Grade.BROKEN, what=str(problem), fix=fix)
    if problems:
        return
    yield good("airflow", f"{url} answers; scheduler and dag-processor are alive")
    ahead = clock()
    if abs(ahead) > CLOCKS:
        what = f"Airflow's clock is {ahead:+.0f} s from this machine's: rows may fall into the wrong night"
        yield Check(about="clock", grade=Grade.BROKEN, what=what, fix="synchronise the clocks (NTP)")
    found = dags()
    if found is None:
        what = "whether DAGs are paused or lost is not known, here and to the watchdog"
        yield Check(about="dags", grade=Grade.LOOK, what=what, fix="set VIGIL_AIRFLOW_USER and VIGIL_AIRFLOW_PASSWORD")
        return
    for name in sorted(found.missing):
        fix = "is dags/ in Airflow's dags_folder? see the dag-processor's log"
        yield Check(about="dags", grade=Grade.BROKEN, what=f"Airflow does not know {name}", fix=fix)
    for name in sorted(found.paused):
        what = f"{name} is paused: nobody watches its model"
        yield Check(
            about="dags", grade=Grade.BROKEN, what=what, fix=f"`airflow dags unpause {name}`, or the switch in the UI"
        )
    if not found.missing and not found.paused:
        yield good("dags", f"{len(wanted)} nightly DAGs are scheduled")


def serving(ports: Ports, loaded: Mapping[str, Monitor], url: str | None) -> Iterator[Check]:
    """The gateway answers with what the registry says."""
    if url is None:
        what = "no gateway is configured: that a rollback took effect cannot be proved"
        yield Check(
            about="gateway", grade=Grade.LOOK, what=what, fix="set VIGIL_GATEWAY_URL where models are served by it"
        )
        return
    for name in loaded:
        try:
            said, state = ports.probe.answering(name), ports.registry.serving(name)
        except VigilError:
            continue  # said above
        if said is None:
            what = f"{url} does not answer for {name}"
            yield Check(about="gateway", grade=Grade.LOOK, what=what, fix="start it: `python -m vigil.serving`")
        elif said[0] != state.serving:
            what = f"version {said[0]} of {name} answers; the registry says {state.serving}"
            yield Check(about="gateway", grade=Grade.BROKEN, what=what, fix="look at the gateway's /health")
        else:
            yield good("gateway", f"version {said[0]} of {name} answers as {said[1]}")
