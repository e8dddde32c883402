"""The pages in Airflow. Every route needs a login; every model needs the right to read its DAG."""

from datetime import date
from functools import cache
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi import Path as Part
from fastapi.responses import HTMLResponse, RedirectResponse

from vigil.config.load import whose
from vigil.config.schema import Monitor
from vigil.core.errors import LedgerError
from vigil.ports import Ports
from vigil.settings import Settings
from vigil.usecases.incidents import all_incidents, get
from vigil.usecases.last_known import with_last_known
from vigil.wiring import monitors, open_ports
from vigil_pages import views
from vigil_pages.access import GetUserDep, get_user, may_read, readable, require

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


def page(template: str, **values: object) -> HTMLResponse:
    """A rendered page with its headers."""
    return HTMLResponse(views.render(template, **values), headers=HEADERS)


@app.get("/", response_class=HTMLResponse)
def home(user: GetUserDep) -> HTMLResponse:
    """Models x last nights, open incidents, budgets."""
    mine, broken = readable(user, known()), not_watched(user)
    incidents = [i for i in all_incidents(ports()) if i.monitor in mine]
    still = [i for i in incidents if i.is_open]
    past = {n: ports().results.history(m.model, m.environment, date.max, 3_650_000) for n, m in mine.items()}
    newest = [r[-1].night for r in past.values() if r]
    last = max(newest) if newest else date.today()  # noqa: DTZ011 - an empty grid ends today
    rows = [views.row(m, past[n][-60:], still, last=last) for n, m in sorted(mine.items())]
    return page("home.html", rows=rows, open=still, recent=[i for i in incidents if not i.is_open][:10], broken=broken,
                signs=views.SIGN)  # fmt: skip


@app.get("/model/{model}", response_class=HTMLResponse)
def model_page(model: Name, user: GetUserDep) -> HTMLResponse:
    """One model: what is watched, the newest night's verdicts, its incidents."""
    monitor = require(user, known(), model)
    results = ports().results.history(monitor.model, monitor.environment, date.max, 3_650_000)
    incidents = [i for i in all_incidents(ports()) if i.monitor == model]
    newest = results[-1] if results else None
    line = views.row(monitor, results[-60:], [i for i in incidents if i.is_open], last=newest.night) if newest else None
    report = newest is not None and ports().artifacts.path(model, newest.night, "report.html").exists()
    return page("model.html", monitor=monitor, newest=newest, line=line, families=views.families(newest),
                incidents=incidents, report=report)  # fmt: skip


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
    report = ports().artifacts.path(found.monitor, night, "report.html").exists()
    return page("incident.html", incident=found, monitor=monitor, timeline=views.timeline(events), night=night,
                report=report, row=views.verdict_row)  # fmt: skip


@app.get("/report/{model}/{night}/{name}", response_class=HTMLResponse)
def report(model: Name, night: date, name: str, user: GetUserDep) -> HTMLResponse:
    """A stored report, in a sandbox."""
    require(user, known(), model)
    if name not in REPORTS:
        raise HTTPException(404, "there is no such report")
    path = Settings().artifacts_dir / model / night.isoformat() / name
    if not path.is_file():
        raise HTTPException(404, f"no {name} was made for {model} on {night}")
    return HTMLResponse(path.read_text(encoding="utf-8"), headers=SANDBOX)
