"""OpenSLO v1 documents as objectives of Vigil. What Vigil cannot represent is listed with file, line and reason."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from vigil.config.openslo.parts import Missed, Part
from vigil.config.openslo.write import API, OURS, SAYS, SOURCE, alerts
from vigil.core.errors import MonitorError
from vigil.core.ids import slug
from vigil.verdicts.policy import BudgetPolicy
from vigil.verdicts.types import Slo

NO_WORD = "Vigil has no word for it"
NOT_RUN = "no query is run: Vigil counts from its own prediction log"
KINDS = {
    "DataSource": "Vigil counts from its own prediction log; `source:` and `traffic:` of the monitor say where from",
    "AlertNotificationTarget": "whom Vigil tells is said under `people:` and `response:` of the monitor",
    "AlertPolicy": "Vigil's burn rules are the same for every objective and cannot be changed (docs/slo.md)",
    "AlertCondition": "Vigil's burn rules are the same for every objective and cannot be changed (docs/slo.md)",
}
OWN = {(doc["kind"], doc["metadata"]["name"]): doc for doc in alerts()}
DAYS = {"h": 1 / 24, "d": 1, "w": 7}
Given = tuple[str, dict[str, Any]]


class Imported(NamedTuple):
    """The objectives of a file, and what could not be converted."""

    slos: tuple[Slo, ...]
    policy: BudgetPolicy | None
    missed: tuple[Missed, ...]

    def fragment(self) -> str:
        """The part of a monitor's YAML."""
        said: dict[str, Any] = {"slos": [_written(slo) for slo in self.slos]}
        if self.policy is not None:
            said["budget_policy"] = self.policy.model_dump(mode="json")
        dumped: str = yaml.safe_dump(said, sort_keys=False, allow_unicode=True)
        return dumped


class CannotSay(Exception):
    """An objective that Vigil cannot represent."""

    def __init__(self, missed: Missed) -> None:
        self.missed = missed
        super().__init__(str(missed))


def read(text: str, file: str) -> Imported:
    """Every document of a file. Raises MonitorError where it is no YAML.

    All objectives of one file go into one monitor: those of a second service are listed, not taken.
    """
    docs = [Part(node, file) for node in _nodes(text, file)]
    kinds = [_kind(doc) for doc in docs]
    slis = {str(_name(doc)): doc for doc, kind in zip(docs, kinds, strict=True) if kind == "SLI"}
    slos: list[Slo] = []
    missed: list[Missed] = []
    policy: BudgetPolicy | None = None
    service: str | None = None
    for doc, kind in zip(docs, kinds, strict=True):
        if kind == "SLO":
            service = service or doc.part("spec").text("service")
            missed += _objective(doc, slis, service, slos)
        elif kind == "Service":
            policy = _policy(doc, missed) or policy
        elif kind != "SLI":
            missed += _other(doc, kind)
    missed += _unused(slis)
    for doc, kind in zip(docs, kinds, strict=True):
        if kind in ("SLO", "SLI", "Service"):
            missed += doc.rest(NO_WORD)
    return Imported(tuple(slos), policy, tuple(sorted(set(missed), key=lambda m: (m.line, m.place))))


def _nodes(text: str, file: str) -> list[yaml.Node]:
    try:
        return [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise MonitorError(f"{file}:{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None


def _kind(doc: Part) -> str:
    version, kind = doc.text("apiVersion"), doc.text("kind")
    return kind or "" if version == API else ""


def _name(doc: Part) -> str | None:
    return doc.part("metadata").text("name")


def _other(doc: Part, kind: str) -> Iterator[Missed]:
    """Documents that are no objective: our own burn rules are known, everything else is listed."""
    if (kind, _name(doc)) in OWN and doc.whole() == OWN[kind, str(_name(doc))]:
        return
    if not kind:
        yield Missed(doc.file, doc.line, "the document", f"only {API} is read, with a kind; this is something else")
    else:
        yield Missed(doc.file, doc.line, f"{kind} {_name(doc) or ''}".strip(), KINDS.get(kind, NO_WORD))


def _policy(doc: Part, missed: list[Missed]) -> BudgetPolicy | None:
    """A service says who is watched; of that, only the budget policy belongs to a fragment of objectives."""
    about, spec = doc.part("metadata"), doc.part("spec")
    about.text("name")
    notes = about.part("annotations")
    if notes.text(f"{OURS}model") is not None:  # our own export of a monitor, whose file says all this
        for known in ("environment", "timezone"):
            notes.text(OURS + known)
        about.text("displayName"), spec.text("description")
    written = notes.text(f"{OURS}budget-policy")
    if written is None:
        return None
    try:
        return BudgetPolicy.model_validate(json.loads(written))
    except ValueError as error:
        missed.append(notes.at(f"{OURS}budget-policy", f"no budget policy: {str(error).splitlines()[0]}"))
        return None


def _unused(slis: Mapping[str, Part]) -> Iterator[Missed]:
    for name, doc in slis.items():
        if not doc.used:
            doc.whole()
            yield Missed(doc.file, doc.line, f"SLI {name}", "no objective here refers to it")


def _objective(doc: Part, slis: Mapping[str, Part], service: str | None, slos: list[Slo]) -> Iterator[Missed]:
    """Adds the objective of a document, or says why Vigil cannot have it; then what of it was not taken."""
    missed: list[Missed] = []
    try:
        slo = _slo(doc, slis, service, missed)
    except CannotSay as error:
        doc.whole()  # said once for the whole objective
        yield error.missed
        return
    if slo.name in {known.name for known in slos}:
        yield doc.part("metadata").at("name", f"there are two objectives {slo.name!r}; the first is taken")
        return
    slos.append(slo)
    yield from missed


def _slo(doc: Part, slis: Mapping[str, Part], service: str | None, missed: list[Missed]) -> Slo:
    about, spec = doc.part("metadata"), doc.part("spec")
    notes = about.part("annotations")
    if spec.text("service") != service:
        raise CannotSay(spec.at("service", f"another service than {service!r}: import it into its own monitor"))
    sli = _indicator(spec, slis)
    fields = _counts(sli, notes, missed)
    fields |= _window(spec) | _target(spec, fields["sli"] == "good_nights")
    written = notes.text(f"{OURS}coverage")
    if written is not None:
        fields["coverage"] = written
    name, title = about.text("name") or "", about.text("displayName")
    fields["name"] = notes.text(f"{OURS}name") or slug(name, most=63)
    if fields["name"] != name and not notes.has(f"{OURS}name"):
        missed.append(about.at("name", f"a name of Vigil has other letters; it is called {fields['name']!r}"))
    if title not in (None, fields["name"], name):
        missed.append(about.at("displayName", "an objective of Vigil has only its name"))
    for alert in spec.parts("alertPolicies"):
        if ("AlertPolicy", str(alert.text("alertPolicyRef"))) not in OWN:
            missed.append(alert.at("alertPolicyRef", KINDS["AlertPolicy"]))
    try:
        return Slo.model_validate(fields)
    except ValidationError as error:
        told = error.errors()[0]
        where = ".".join(map(str, told["loc"])) or "the objective"
        raise CannotSay(Missed(doc.file, doc.line, f"SLO {name}", f"{where}: {told['msg']}")) from None


def _indicator(spec: Part, slis: Mapping[str, Part]) -> Part:
    if spec.has("indicator"):
        return spec.part("indicator")
    named = spec.text("indicatorRef")
    if named is None or named not in slis:
        why = f"no SLI {named!r} in this file" if named else "an objective needs an indicator"
        raise CannotSay(spec.at("indicatorRef", why))
    found = slis[named]
    found.used = True
    return found


def _counts(sli: Part, notes: Part, missed: list[Missed]) -> dict[str, Any]:
    """What is counted: as Vigil's own metric source says, or as annotations of ours say for a foreign one."""
    spec = sli.part("spec")
    sli.part("metadata").text("name")
    if spec.has("thresholdMetric"):
        raise CannotSay(spec.at("thresholdMetric", "Vigil counts good and total; a rule (`rules:`) has thresholds"))
    ratio = spec.part("ratioMetric")
    good, total = (ratio.part(side).part("metricSource") for side in ("good", "total"))
    if good.text("type") == SOURCE == total.text("type"):
        return _own(sli, ratio, good.value("spec"), total.value("spec"))
    return _by_annotation(sli, spec, notes, missed)


def _own(sli: Part, ratio: Part, good: object, total: object) -> dict[str, Any]:
    """What our own metric source says is counted."""
    if not isinstance(good, dict) or good.get("counts") != "good" or total != {**good, "counts": "total"}:
        raise CannotSay(ratio.at("total", "good and total do not count the same thing"))
    said = {key: value for key, value in good.items() if key != "counts"}
    ratio.value("counter")
    about, spec = sli.part("metadata"), sli.part("spec")
    about.text("displayName")
    if SAYS.get(str(said.get("sli"))) == spec.text("description"):
        return said
    raise CannotSay(spec.at("description", "Vigil counts it differently: write an objective of your own"))


def _by_annotation(sli: Part, spec: Part, notes: Part, missed: list[Missed]) -> dict[str, Any]:
    mine = sli.part("metadata").part("annotations")
    fields: dict[str, Any] = {}
    for key, field in (("sli", "sli"), ("family", "family"), ("threshold-ms", "threshold_ms")):
        found = notes.text(OURS + key) or mine.text(OURS + key)
        if found is not None:
            fields[field] = found
    if "sli" not in fields:
        why = f"{NOT_RUN}; an annotation {OURS}sli says which of its own counts is meant"
        raise CannotSay(spec.at("ratioMetric", why))
    missed.append(spec.at("ratioMetric", NOT_RUN))
    return fields


def _window(spec: Part) -> dict[str, Any]:
    windows = spec.parts("timeWindow")
    if len(windows) != 1:
        raise CannotSay(spec.at("timeWindow", f"an objective needs one window, not {len(windows)}"))
    window = windows[0]
    if window.has("calendar") or window.value("isRolling") is not True:
        raise CannotSay(window.at("isRolling", "Vigil's windows roll; a calendar month has no counterpart"))
    return {"nights": _nights(window, "duration")}


def _nights(part: Part, key: str) -> int:
    written = part.text(key) or ""
    found = re.fullmatch(r"(\d{1,6})([hdw])", written)
    nights = int(found[1]) * DAYS[found[2]] if found else 0
    if nights < 1 or nights != int(nights):
        raise CannotSay(part.at(key, f"{written!r} is no whole number of nights (28d, 4w, 672h)"))
    return int(nights)


def _target(spec: Part, nights: bool) -> dict[str, Any]:
    """The target of the only objective; slices are nights, and only nights are sliced."""
    objectives, method = spec.parts("objectives"), spec.text("budgetingMethod")
    if len(objectives) != 1:
        raise CannotSay(spec.at("objectives", f"one target for each objective of Vigil, not {len(objectives)}"))
    wanted = "Timeslices" if nights else "Occurrences"
    if method != wanted:
        why = f"{method!r}; Vigil counts this by {wanted}, and nothing by RatioTimeslices"
        raise CannotSay(spec.at("budgetingMethod", why))
    one = objectives[0]
    for key in ("op", "value", "indicator", "indicatorRef", "compositeWeight"):
        if one.has(key):
            raise CannotSay(one.at(key, "an objective of Vigil is one share of good events, without parts"))
    if nights and (_nights(one, "timeSliceWindow") != 1 or one.value("timeSliceTarget") != 1):
        raise CannotSay(one.at("timeSliceTarget", "a slice is one night (1d), and good or not (1.0)"))
    percent = one.value("targetPercent")
    target = one.value("target") if percent is None else _shared(percent)
    return {"target": target}


def _shared(percent: object) -> object:
    return round(percent / 100, 12) if isinstance(percent, (int, float)) else percent


def _written(slo: Slo) -> dict[str, Any]:
    said = slo.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in said.items() if value is not None}
