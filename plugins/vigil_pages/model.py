"""Everything the page of one model shows, from its nights and incidents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from vigil.usecases.nights import incident_nights
from vigil.verdicts.row_words import lacks, places

from . import budgets as budget_pages
from . import views, words
from .drift import drift
from .groups import fairness
from .headline import Headline, blind, headline
from .standing import known_faults
from .trends import budgets, performance

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from vigil.config.schema import Monitor
    from vigil.incidents.types import Incident
    from vigil.usecases.budget_policy import Report
    from vigil.verdicts.row_words import Line
    from vigil.verdicts.types import NightResult

NIGHTS = 60  # that are drawn


@dataclass(frozen=True)
class About:
    """What the shell knows of a model beside its nights.

    due: the newest night that must have been judged by now. reports: names of the newest night's reports that exist.
    file: of its YAML. stale: whether that file no longer loads, so that the settings shown are the last known ones.
    policy: how its budget policy stands; None without one.
    """

    due: date
    reports: Collection[str] = ()
    file: str | None = None
    stale: bool = False
    policy: Report | None = None


def page(
    monitor: Monitor, results: Sequence[NightResult], incidents: Sequence[Incident], about: About
) -> dict[str, Any]:
    """The values of `model.html`. results: the last NIGHTS nights; incidents: of this model, newest first."""
    shown = results[-NIGHTS:]
    newest = shown[-1] if shown else None
    mine = [i for i in incidents if i.environment == monitor.environment]
    line = views.row(monitor, shown, [i for i in mine if i.is_open], last=newest.night) if newest else None
    return {
        "monitor": monitor,
        "about": about,
        "first": about.due - timedelta(days=views.NIGHTS - 1),
        "newest": newest,
        "headline": _headline(monitor, shown, about) if shown else None,
        "line": line,
        "standing": known_faults(mine, newest.night) if newest else [],
        "first_night": shown[0].night if shown else None,
        "families": views.families(newest),
        "rows": _rows(newest),
        "incidents": incidents,
        "rules": words.watched(monitor),
        "beside": words.beside(monitor),
        "drift": drift(monitor, shown, incident_nights(mine)),
        "fairness": fairness(monitor, shown),
        "performance": performance(monitor, shown),
        "budgets": list(zip(budgets(shown), line.budgets, _facts(monitor, newest), strict=True)) if line else [],
        "policy": budget_pages.policy(about.policy),
        "signs": views.SIGN,
    }


def _rows(newest: NightResult | None) -> dict[str, Sequence[Line]] | None:
    """Where the rows of the newest night went; None where nobody counted them."""
    ledger = newest.row_ledger if newest else None
    return {"places": places(ledger), "lacks": lacks(ledger)} if ledger else None


def _headline(monitor: Monitor, shown: Sequence[NightResult], about: About) -> Headline:
    said = headline(shown[-1], due=about.due, dag_id=monitor.dag_id)
    return replace(said, blind=blind(monitor.coverage, shown))


def _facts(monitor: Monitor, newest: NightResult | None) -> list[list[tuple[str, str]]]:
    """What else is told of each budget of the newest night."""
    slos = {slo.name: slo for slo in monitor.slos}
    return [budget_pages.facts(b, slos.get(b.slo)) for b in newest.budgets] if newest else []
