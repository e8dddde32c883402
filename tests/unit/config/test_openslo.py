"""OpenSLO v1: what is exported has the shape that the specification asks for, and nothing of an import is lost."""

import re
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vigil.config.openslo.read import read
from vigil.config.openslo.write import documents, name_of, text
from vigil.config.schema import Monitor
from vigil.core.errors import MonitorError
from vigil.core.words import Family
from vigil.verdicts.policy import BudgetPolicy
from vigil.verdicts.types import Slo

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
DURATION = re.compile(r"\d+[mhdwMQY]")
KINDS = ("Service", "SLI", "SLO", "AlertCondition", "AlertPolicy", "AlertNotificationTarget")


def monitor(*slos: Slo, policy: BudgetPolicy | None = None) -> Monitor:
    return Monitor.model_validate({
        "version": "vigil/v1", "model": "credit_scoring", "description": "approves credits", "task": "regression",
        "features": {"age": "numeric"}, "people": {"owner": "o@example.com", "on_call": ["c@example.com"]},
        "slos": slos, "budget_policy": policy})  # fmt: skip


UP = Slo(name="up", sli="availability", target=0.99)
FAST = Slo(name="fast", sli="latency", threshold_ms=300, target=0.95, nights=90)
FAIR = Slo(name="fair", sli="good_nights", family=Family.FAIRNESS, target=0.893, coverage=0.8)
POLICY = BudgetPolicy(approvers=("ri§k@example.com",), frozen_below=0.1)
ALL = monitor(UP, FAST, FAIR, policy=POLICY)

names = st.from_regex(r"\A[a-z][a-z0-9-]{1,62}\Z")
shares = st.floats(0.001, 0.999)
nights = st.integers(7, 400)


@st.composite
def slos(draw):
    kind = draw(st.sampled_from(["availability", "latency", "completeness", "version_integrity", "log_completeness",
                                 "label_completeness", "evaluation_coverage", "good_nights"]))  # fmt: skip
    more = {"family": draw(st.sampled_from(Family))} if kind == "good_nights" else {}
    more |= {"threshold_ms": draw(st.floats(1e-3, 1e9))} if kind == "latency" else {}
    return Slo(name=draw(names), sli=kind, target=draw(shares), nights=draw(nights), coverage=draw(shares), **more)


@given(st.lists(slos(), max_size=4, unique_by=lambda s: s.name), st.none() | st.just(POLICY))
def test_what_is_exported_comes_back_whole(made, policy):
    found = read(text(monitor(*made, policy=policy)), "x.yaml")
    assert (found.slos, found.policy, found.missed) == (tuple(made), policy, ())
    again = yaml.safe_load(found.fragment())
    assert tuple(Slo.model_validate(s) for s in again["slos"]) == tuple(made)


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fall(said):
    with suppress(MonitorError):
        assert isinstance(read(said, "x.yaml").missed, tuple)


def test_every_document_has_an_allowed_kind_and_name_and_each_reference_is_there():
    docs = documents(ALL)
    assert {d["kind"] for d in docs} == set(KINDS)
    assert all(d["apiVersion"] == "openslo/v1" and NAME.fullmatch(d["metadata"]["name"]) for d in docs)
    assert len({(d["kind"], d["metadata"]["name"]) for d in docs}) == len(docs)
    there = {kind: {d["metadata"]["name"] for d in docs if d["kind"] == kind} for kind in KINDS}
    for doc in docs:
        spec = doc["spec"]
        if doc["kind"] == "SLO":
            assert spec["service"] in there["Service"]
            assert spec["indicatorRef"] in there["SLI"]
            assert {a["alertPolicyRef"] for a in spec["alertPolicies"]} <= there["AlertPolicy"]
        if doc["kind"] == "AlertPolicy":
            (condition,), (told,) = spec["conditions"], spec["notificationTargets"]
            assert condition["conditionRef"] in there["AlertCondition"]
            assert told["targetRef"] in there["AlertNotificationTarget"]
            assert {type(spec[w]) for w in ("alertWhenNoData", "alertWhenResolved", "alertWhenBreaching")} == {bool}


def test_objectives_have_one_rolling_window_one_target_and_slices_only_for_nights():
    for doc in (d["spec"] for d in documents(ALL) if d["kind"] == "SLO"):
        ((window,), (objective,)) = doc["timeWindow"], doc["objectives"]
        assert DURATION.fullmatch(window["duration"])
        assert window["isRolling"] is True
        assert 0 <= objective["target"] < 1
        assert ("timeSliceTarget" in objective) == (doc["budgetingMethod"] == "Timeslices")
        assert not {"op", "value"} & set(objective)


def test_indicators_are_ratios_and_conditions_are_burn_rates():
    docs = documents(ALL)
    for doc in (d["spec"] for d in docs if d["kind"] == "SLI"):
        assert set(doc) == {"description", "ratioMetric"}
        assert {"good", "total", "counter"} == set(doc["ratioMetric"])
        assert len(doc["description"]) <= 1050
    burns = [d["spec"]["condition"] for d in docs if d["kind"] == "AlertCondition"]
    assert [(b["threshold"], b["lookbackWindow"]) for b in burns] == [
        (14.0, "1d"), (7.0, "1d"), (3.0, "3d"), (1.5, "7d"), (1.0, "14d")]  # fmt: skip
    assert {b["kind"] for b in burns} == {"burnrate"}


def test_annotations_are_texts_with_our_own_prefix():
    for doc in documents(ALL):
        for key, value in doc["metadata"].get("annotations", {}).items():
            assert key.startswith("vigil/")
            assert isinstance(value, str)


def test_long_names_are_cut_and_stay_apart():
    long = "x" * 63
    one, other = name_of("credit", long), name_of("credit", f"{long[:-1]}y")
    assert len(one) <= 63
    assert one != other
    assert NAME.fullmatch(name_of("credit", "a--"))


FOREIGN = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: up, labels: {team: web}}
spec:
  description: users are happy
  service: shop
  indicator:
    metadata: {name: ok, annotations: {vigil/sli: availability}}
    spec: {ratioMetric: {counter: true, good: {metricSource: {type: Prometheus, spec: {query: a}}},
                         total: {metricSource: {type: Prometheus, spec: {query: b}}}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: good, targetPercent: 99.9}]
  alertPolicies: [{alertPolicyRef: page-me}]
"""


def told(text: str) -> list[tuple[int, str]]:
    return [(m.line, m.place) for m in read(text, "x.yaml").missed]


def test_a_foreign_objective_is_taken_as_far_as_both_can_say_it_and_the_rest_is_listed():
    found = read(FOREIGN, "x.yaml")
    assert found.slos == (Slo(name="up", sli="availability", target=0.999),)
    assert told(FOREIGN) == [
        (3, "metadata.labels"),
        (5, "spec.description"),
        (9, "spec.indicator.spec.ratioMetric"),
        (13, "spec.objectives[0].displayName"),
        (14, "spec.alertPolicies[0].alertPolicyRef"),
    ]
    assert str(found.missed[1]) == "x.yaml:5: spec.description: Vigil has no word for it"


@pytest.mark.parametrize(
    ("old", "new", "place", "why"),
    [
        ("4w", "1M", "spec.timeWindow[0].duration", "no whole number of nights"),
        ("4w", "90m", "spec.timeWindow[0].duration", "no whole number of nights"),
        ("isRolling: true", "calendar: {timeZone: UTC}", "spec.timeWindow[0].isRolling", "roll"),
        ("[{duration: 4w, isRolling: true}]", "[]", "spec.timeWindow", "one window, not 0"),
        ("Occurrences", "RatioTimeslices", "spec.budgetingMethod", "nothing by RatioTimeslices"),
        ("{displayName: good, targetPercent: 99.9}", "{target: 0.9}, {target: 0.99}", "spec.objectives", "not 2"),
        ("displayName: good", "op: lt, value: 3", "spec.objectives[0].op", "one share"),
        ("targetPercent: 99.9", "targetPercent: 100", "SLO up", "target: Input should be less than 1"),
        ("targetPercent: 99.9", "targetPercent: high", "SLO up", "target: Input should be a valid number"),
        ("vigil/sli: availability", "a: b", "spec.indicator.spec.ratioMetric", "no query is run"),
        ("vigil/sli: availability", "vigil/sli: magic", "SLO up", "sli: Input should be"),
        ("ratioMetric", "thresholdMetric", "spec.indicator.spec.thresholdMetric", "a rule"),
        ("name: up", "name: 9lives", "SLO 9lives", "name: String should match"),
    ],
)  # fmt: skip
def test_an_objective_that_vigil_cannot_have_is_listed_once_with_the_reason(old, new, place, why):
    found = read(FOREIGN.replace(old, new, 1), "x.yaml")
    assert found.slos == ()
    assert [m.place for m in found.missed] == [place]
    assert why in found.missed[0].why


def test_an_indicator_that_is_not_there_is_named():
    broken = text(monitor(UP)).replace("indicatorRef: credit-scoring-up", "indicatorRef: gone")
    assert [(m.place, m.why) for m in read(broken, "x.yaml").missed] == [
        ("SLI credit-scoring-up", "no objective here refers to it"), ("spec.indicatorRef", "no SLI 'gone' in this file")
    ]  # fmt: skip


def test_documents_of_other_kinds_and_versions_are_listed_with_what_says_it_here():
    more = ("apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: p}\nspec: {type: Prometheus}\n---\n"
            "apiVersion: openslo/v2alpha\nkind: SLO\n---\n- a list\n---\napiVersion: openslo/v1\nkind: AlertCondition\n"
            "metadata: {name: vigil-burn-fast}\nspec: {severity: page}\n")  # fmt: skip
    places = [(m.line, m.place) for m in read(more, "x.yaml").missed]
    assert places == [(1, "DataSource p"), (6, "the document"), (9, "the document"),
                      (11, "AlertCondition vigil-burn-fast")]  # fmt: skip


def test_a_second_service_and_a_second_objective_of_a_name_are_listed():
    second = text(monitor(UP)).replace("service: credit-scoring", "service: other")
    both = f"{text(monitor(UP))}{second}"
    assert [m.place for m in read(both, "x.yaml").missed if m.place.startswith("spec.service")] == ["spec.service"]
    twice = f"{FOREIGN}---\n{FOREIGN}"
    assert (18, "metadata.name") in told(twice)
    assert len(read(twice, "x.yaml").slos) == 1


def test_a_key_that_is_there_twice_is_listed():
    assert (2, "kind") in told(FOREIGN.replace("kind: SLO\n", "kind: SLO\nkind: SLO\n"))


def test_a_broken_policy_is_listed_and_a_broken_file_is_an_error():
    broken = text(ALL).replace('"frozen_below": 0.1', '"frozen_below": 9')
    assert [m.place for m in read(broken, "x.yaml").missed] == ["metadata.annotations.vigil/budget-policy"]
    with pytest.raises(MonitorError, match=r"x.yaml:1: not valid YAML"):
        read("a: [", "x.yaml")
