"""The bank's four other models on real stores and a real registry: quiet nights are silent, each fault is one incident.

Judged by the steps that the DAGs call, without Airflow and Slack. The nights before a fault are played once a model.
"""

import shutil
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from examples import bikes, chatbot, fraud, marketing
from examples.portfolio.play import Cast, Night, answered, cast, past, tonight
from vigil.incidents.correlate import signals
from vigil.incidents.types import Incident
from vigil.settings import Settings
from vigil.usecases.incidents import all_incidents
from vigil.verdicts.types import NightResult, State
from vigil.wiring import monitor, open_ports

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
LAST = date(2026, 11, 20)
QUIET = {
    fraud.MODEL: fraud.QUIET,
    chatbot.MODEL: chatbot.QUIET,
    bikes.MODEL: bikes.QUIET,
    marketing.MODEL: sum(own < marketing.HAPPENED for own, _ in marketing.calendar(LAST)),
}


class Quiet(NamedTuple):
    """A model after its quiet nights."""

    home: Path
    cast: Cast
    results: list[NightResult]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One MLflow database for all models: making it takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


@pytest.fixture(scope="module")
def quiet(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Model -> its quiet nights, played when they are first asked for."""
    made: dict[str, Quiet] = {}
    before = Path.cwd()

    def of(example: ModuleType) -> Quiet:
        if example.MODEL not in made:
            home = tmp_path_factory.mktemp(example.MODEL)
            for folder in ("monitors", "expectations"):
                shutil.copytree(ROOT / "examples" / "portfolio" / folder, home / folder)
            settings = Settings(home=home, mlflow_tracking_uri=registry)
            ports = open_ports(settings)
            ready = cast(ports, example, monitor(example.MODEL, settings), settings.predictions_dir)
            nights = [Night(*day) for day in example.calendar(LAST)[: QUIET[example.MODEL]]]
            made[example.MODEL] = Quiet(home, ready, past(ports, ready, nights))
        return made[example.MODEL]

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))  # MLflow's artifacts go there
        yield of
    assert Path.cwd() == before


def played(known: Quiet, registry: str, folder: Path, nights: list[Night]) -> tuple[list[NightResult], list[Incident]]:
    """Further nights, on a copy of what the quiet ones left."""
    shutil.copytree(known.home, folder)
    settings = Settings(home=folder, mlflow_tracking_uri=registry)
    ports, ready = open_ports(settings), known.cast._replace(root=settings.predictions_dir)
    results = [tonight(ports, ready, night) for night in nights]
    return results, list(all_incidents(ports))


def named(incident: Incident) -> set[str]:
    """What the incident's findings are about."""
    return {s.verdict.id for f in incident.findings for s in f.signals}


@pytest.mark.parametrize("example", [fraud, marketing, chatbot, bikes], ids=lambda e: e.MODEL)
def test_quiet_nights_are_silent(example: ModuleType, quiet: Any) -> None:
    results = quiet(example).results
    assert len(results) == QUIET[example.MODEL] >= 12
    loud = [v.reason for r in results for v in r.verdicts if v.state in (State.WARN, State.BREACH)]
    assert loud == []
    assert [signals(after, before) for before, after in pairwise(results) if signals(after, before)] == []
    assert any(v.state is State.OK for v in results[-1].verdicts)


def test_the_euros_of_fraud_that_were_blocked_and_missed_are_those_of_the_real_transactions(quiet: Any) -> None:
    known = quiet(fraud)
    rows = answered(fraud, known.cast.model, Night(*fraud.calendar(LAST)[fraud.QUIET - 1]))
    of = rows[rows["label"] == "1"].groupby("prediction")["amount_eur"].sum()
    result = known.results[-1]
    told = {m.subject: m.value for m in result.measurements if m.metric == "kpi_of_outcomes"}
    assert told["fraud_caught_eur"] == pytest.approx(of["block"])
    assert told["fraud_missed_eur"] == pytest.approx(of["pass"])


@pytest.mark.parametrize(
    ("example", "fault", "found", "innocent"),
    [
        (fraud, fraud.Fault.CENTS, "mean_shift/amount_eur", "mean_shift/v14"),
        (fraud, fraud.Fault.SLOW, "burn/latency", "mean_shift/amount_eur"),
        (marketing, marketing.Fault.TRANSLATED, "new_category/job", "new_category/education"),
        (chatbot, chatbot.Fault.OFF_TOPIC, "mean_shift/confidence", "missing/confidence"),
        (chatbot, chatbot.Fault.FORM, "mean_shift/message__words", "missing/confidence"),
        (bikes, bikes.Fault.CELSIUS, "mean_shift/temp_norm", "mean_shift/humidity_norm"),
    ],
    ids=lambda v: v.value if hasattr(v, "value") else "",
)
def test_a_fault_is_one_incident_that_names_it(
    example: ModuleType, fault: Any, found: str, innocent: str, quiet: Any, registry: str, tmp_path: Path
) -> None:
    calendar = example.calendar(LAST)
    own = {marketing: date(2008, 6, 20), bikes: date(2012, 10, 28)}.get(example, LAST)
    day = calendar[QUIET[example.MODEL]][1]
    (result,), incidents = played(quiet(example), registry, tmp_path / "bank", [Night(own, day, fault)])
    assert [i.opened_night for i in incidents] == [day]
    assert found in named(incidents[0])
    assert next(v.state for v in result.verdicts if v.id == innocent) is State.OK


@pytest.mark.parametrize(
    ("example", "began", "found"),
    [(marketing, marketing.HAPPENED, "new_category/contact_type"), (bikes, bikes.HAPPENED, "volume/all")],
    ids=["the bank begins to call mobile phones", "a hurricane"],
)
def test_what_really_happened_is_one_incident_over_two_nights(
    example: ModuleType, began: date, found: str, quiet: Any, registry: str, tmp_path: Path
) -> None:
    nights = [Night(*day) for day in example.calendar(LAST)[QUIET[example.MODEL] :]]
    assert nights[0].own == began
    results, incidents = played(quiet(example), registry, tmp_path / "bank", nights)
    assert [(i.opened_night, i.last_bad_night) for i in incidents] == [(nights[0].played, nights[-1].played)]
    assert found in named(incidents[0])
    assert all(len(r.verdicts) > 5 for r in results)
