"""A monitor's objectives as OpenSLO v1: Service, SLI, SLO, AlertPolicy, AlertCondition, AlertNotificationTarget.

What OpenSLO cannot express is written as annotations with the prefix `vigil/`. Values of annotations are texts.
"""

import json
from typing import Any

import yaml

from vigil.config.schema import Monitor
from vigil.core.ids import digest, slug
from vigil.verdicts.budget import BURN_RULES, STATE_OF
from vigil.verdicts.types import Slo

API = "openslo/v1"
OURS = "vigil/"  # the prefix of our annotations
SOURCE = "Vigil"  # the type of a metric source that only Vigil counts
LONGEST = 63  # of a name (RFC 1123)
TARGET = "vigil-incident"
Doc = dict[str, Any]

SAYS = {
    "availability": "requests answered without error / requests, of logged requests",
    "latency": "requests answered within the threshold / requests with a latency",
    "completeness": "values of the features that are not null / values",
    "version_integrity": "rows answered by a version that was in service / rows",
    "log_completeness": "logged rows / requests that somebody else counted",
    "label_completeness": "rows with a label / rows, once the labels are due",
    "evaluation_coverage": "questions that got an answer / questions that were due",
    "good_nights": "nights without a breach of the family / nights that were judged",
}


def documents(monitor: Monitor) -> list[Doc]:
    """Every document of a monitor, in the order in which they refer to each other."""
    service = name_of(monitor.model)
    return [
        _service(monitor, service),
        *(_sli(service, slo) for slo in monitor.slos),
        *(_slo(service, slo) for slo in monitor.slos),
        *(alerts() if monitor.slos else ()),
    ]


def text(monitor: Monitor) -> str:
    """The same as YAML, a `---` before each document."""
    dumped: str = yaml.safe_dump_all(documents(monitor), sort_keys=False, allow_unicode=True, explicit_start=True)
    return dumped


def name_of(*parts: str) -> str:
    """A name that OpenSLO allows; where characters had to be replaced, a digest keeps names distinct.

    >>> name_of("credit_scoring"), name_of("credit_scoring", "fair-nights"), name_of("a", "b-")
    ('credit-scoring', 'credit-scoring-fair-nights', 'a-b-8cb09ab7')
    """
    whole = "-".join(parts).replace("_", "-")
    found = slug(whole, most=LONGEST)
    return found if found == whole else f"{found[: LONGEST - 9].rstrip('-')}-{digest(parts, length=8)}"


def _doc(kind: str, name: str, spec: Doc, *, title: str = "", notes: Doc | None = None) -> Doc:
    metadata: Doc = {"name": name}
    if title:
        metadata["displayName"] = title
    if notes:
        metadata["annotations"] = {OURS + key: value for key, value in notes.items()}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def _service(monitor: Monitor, service: str) -> Doc:
    notes = {"model": monitor.model, "environment": monitor.environment, "timezone": monitor.timezone}
    if monitor.budget_policy is not None:
        notes["budget-policy"] = json.dumps(monitor.budget_policy.model_dump(mode="json"), ensure_ascii=False)
    spec = {"description": monitor.description[:1050]} if monitor.description else {}
    return _doc("Service", service, spec, title=monitor.model, notes=notes)


def counted(slo: Slo) -> Doc:
    """What Vigil must know to count an objective: the `spec` of its metric source."""
    named = {"family": slo.family.value if slo.family else None, "threshold_ms": slo.threshold_ms}
    return {"sli": slo.sli, **{key: value for key, value in named.items() if value is not None}}


def _sli(service: str, slo: Slo) -> Doc:
    def source(counts: str) -> Doc:
        return {"metricSource": {"type": SOURCE, "spec": {**counted(slo), "counts": counts}}}

    ratio = {"counter": False, "good": source("good"), "total": source("total")}
    spec = {"description": SAYS[slo.sli], "ratioMetric": ratio}
    return _doc("SLI", name_of(service, slo.name), spec, title=slo.name)


def _slo(service: str, slo: Slo) -> Doc:
    objective: Doc = {"target": slo.target}
    slices = slo.sli == "good_nights"
    if slices:
        objective |= {"timeSliceTarget": 1.0, "timeSliceWindow": "1d"}
    spec = {
        "service": service,
        "indicatorRef": name_of(service, slo.name),
        "timeWindow": [{"duration": f"{slo.nights}d", "isRolling": True}],
        "budgetingMethod": "Timeslices" if slices else "Occurrences",
        "objectives": [objective],
        "alertPolicies": [{"alertPolicyRef": f"vigil-burn-{level.value}"} for level, _, _ in BURN_RULES],
    }
    notes = {"name": slo.name, "coverage": repr(slo.coverage)}
    return _doc("SLO", name_of(service, slo.name), spec, title=slo.name, notes=notes)


def alerts() -> list[Doc]:
    """The burn rules: the same for every objective. Vigil itself judges them; others may read them here."""
    made = []
    for level, nights, factor in BURN_RULES:
        name = f"vigil-burn-{level.value}"
        notes = {"latest-night": "above the same threshold too", "burn": "lower 95 % limit of the bad share"}
        condition = {"kind": "burnrate", "op": "gte", "threshold": factor, "lookbackWindow": f"{nights}d",
                     "alertAfter": "0m"}  # fmt: skip
        spec = {"severity": STATE_OF[level].value, "condition": condition}
        policy = {
            "alertWhenNoData": False,
            "alertWhenResolved": False,
            "alertWhenBreaching": True,
            "conditions": [{"conditionRef": name}],
            "notificationTargets": [{"targetRef": TARGET}],
        }
        made += [_doc("AlertCondition", name, spec, notes=notes), _doc("AlertPolicy", name, policy)]
    about = {"description": "Vigil's own incident process tells people", "target": "vigil"}
    return [*made, _doc("AlertNotificationTarget", TARGET, about)]
