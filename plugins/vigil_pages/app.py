"""The pages in Airflow. Every route needs a login; every model needs the right to read its DAG."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi import Path as Part
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from vigil.config.load import files, whose
from vigil.config.schema import Monitor
from vigil.core.errors import LedgerError
from vigil.ports import Ports
from vigil.settings import Settings
from vigil.usecases.budget_policy import report as budget_report
from vigil.usecases.incidents import all_incidents, get
from vigil.usecases.last_known import with_last_known
from vigil.usecases.prometheus import exposition, watched
from vigil.usecases.watch import due_night
from vigil.verdicts.types import NightResult
from vigil.wiring import monitors, open_ports
from vigil_pages import model, views
from vigil_pages.access import GetUserDep, get_user, may_read, readable, require
from vigil_pages.headline import late
from vigil_pages.standing import known_faults
from vigil_pages.timeline import timeline

app = FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
# A report is somebody else's HTML with scripts: without an origin it can read no cookie and call no API.
SANDBOX = {
    **HEADERS,
    "Content-Security-Policy": "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline' "
    "'unsafe-eval' blob:; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; "
    "frame-ancestors 'self'",
}
REPORTS = ("report.html", "data_docs.html")
Name = Annotated[str, Part(pattern=r"^[a-z][a-z0-9_]{1,62}$")]


@cache
def ports() -> Ports:
    """One set of ports for the server."""
    return open_ports()


def known() -> dict[str, Monitor]:
    """The monitors that load, and the last known settings of those whose YAML broke: their incidents stay readable."""
    return with_last_known(ports(), monitors()[0])


def not_watched(user: object) -> dict[str, str]:
    """File -> what is wrong with it, of the models whose DAG this user may read."""
    folder = Settings().monitors_dir
    return {f: why for f, why in monitors()[1].items() if may_read(user, f"vigil_nightly__{whose(folder, f)}")}


def stored(name: str, night: date, report: str) -> Path:
    """Where a report of a model's night is, if it was made."""
    return Settings().artifacts_dir / name / night.isoformat() / report


def page(template: str, **values: object) -> HTMLResponse:
    """A rendered page with its headers."""
    return HTMLResponse(views.render(template, **values), headers=HEADERS)


def last_nights(monitor: Monitor, nights: int) -> tuple[NightResult, ...]:
    """The judged nights among the last ones of a model, oldest first; older ones are not read."""
    results = ports().results
    newest = results.newest(monitor.model, monitor.environment)
    if newest is None:
        return ()
    found: tuple[NightResult, ...] = results.history(
        monitor.model, monitor.environment, newest[0] + timedelta(days=1), nights
    )
    return found


def file_of(name: str) -> str | None:
    """The YAML file of a model."""
    folder = Settings().monitors_dir
    return next((path.name for path in files(folder) if whose(folder, path.name) == name), None)


@app.get("/", response_class=HTMLResponse)
def home(user: GetUserDep) -> HTMLResponse:
    """Models x last nights, open incidents, budgets."""
    everything = known()
    mine, broken = readable(user, everything), not_watched(user)
    incidents = [i for i in all_incidents(ports()) if i.monitor in mine]
    still = [i for i in incidents if i.is_open]
    past = {name: last_nights(m, views.NIGHTS) for name, m in mine.items()}
    newest = [r[-1].night for r in past.values() if r]
    due = {name: due_night(m, ports().clock.now()) for name, m in mine.items()}
    last = max(newest, default=max(due.values(), default=date.max))
    rows = [views.row(m, past[name], still, last=last) for name, m in sorted(mine.items())]
    return page("home.html", rows=rows, open=still, recent=[i for i in incidents if not i.is_open][:10], broken=broken,
                standing=known_faults(incidents, last),
                never=[views.unjudged(m, due[n]) for n, m in sorted(mine.items()) if not past[n]],
                late={n: late(r[-1].night, due=due[n], dag_id=mine[n].dag_id) for n, r in past.items() if r},
                hidden=len(everything) > len(mine), signs=views.SIGN)  # fmt: skip


@app.get("/model/{name}", response_class=HTMLResponse)
def model_page(name: Name, user: GetUserDep) -> HTMLResponse:
    """One model: how it is tonight, what is watched, and its nights as charts."""
    monitor = require(user, known(), name)
    results = last_nights(monitor, model.NIGHTS)
    incidents = [i for i in all_incidents(ports()) if i.monitor == name]
    about = model.About(
        due=due_night(monitor, ports().clock.now()),
        reports=[r for r in REPORTS if results and stored(name, results[-1].night, r).is_file()],
        file=file_of(name),
        stale=name not in monitors()[0],
        policy=budget_report(ports(), monitor) if monitor.budget_policy else None,
    )
    return page("model.html", **model.page(monitor, results, incidents, about))


@app.get("/metrics", response_class=PlainTextResponse)
def metrics(user: GetUserDep) -> PlainTextResponse:
    """Budgets, verdicts and incidents of the models that this user may read, in Prometheus' text format."""
    mine = readable(user, known())
    text = exposition(watched(ports(), [mine[name] for name in sorted(mine)]))
    return PlainTextResponse(text, headers=HEADERS, media_type="text/plain; version=0.0.4; charset=utf-8")


@app.get("/dag/{dag_id}")
def of_dag(dag_id: str, user: GetUserDep, request: Request) -> Response:
    """The tab of a DAG leads to its model's page."""
    for name, monitor in readable(user, known()).items():
        if monitor.dag_id == dag_id:
            return RedirectResponse(f"{request.scope.get('root_path', '')}/model/{name}")
    return page("nothing.html", dag_id=dag_id)


@app.get("/incident/{incident}", response_class=HTMLResponse)
def incident_page(incident: Annotated[str, Part(pattern=r"^[a-z0-9-]{5,160}$")], user: GetUserDep) -> HTMLResponse:
    """One incident: headline, findings, replay, what was done, timeline."""
    try:
        found, events = get(ports(), incident)
    except LedgerError as error:
        raise HTTPException(404, "there is no such incident") from error
    monitor = require(user, known(), found.monitor)
    night = found.last_bad_night
    report = stored(found.monitor, night, "report.html").is_file()
    return page("incident.html", incident=found, monitor=monitor, timeline=timeline(events), night=night,
                report=report, row=views.verdict_row)  # fmt: skip


@app.get("/report/{model}/{night}/{name}", response_class=HTMLResponse)
def report(model: Name, night: date, name: str, user: GetUserDep) -> HTMLResponse:
    """A stored report, in a sandbox."""
    require(user, known(), model)
    if name not in REPORTS:
        raise HTTPException(404, "there is no such report")
    path = stored(model, night, name)
    if not path.is_file():
        raise HTTPException(404, f"no {name} was made for {model} on {night}")
    return HTMLResponse(path.read_text(encoding="utf-8"), headers=SANDBOX)
