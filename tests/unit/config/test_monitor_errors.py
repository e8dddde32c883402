"""What a model owner reads when a monitor is wrong: file, line, problem, and what was meant. Golden text."""

import pytest

from vigil.config.load import lint, load_monitor
from vigil.core.errors import MonitorError

GOOD = """\
version: vigil/v1
model: credit
environment: staging
timezone: Europe/Berlin
schedule: "0 2 * * *"
task: binary
data: {score: score}
features:
  age: numeric
  plan: category
decision: {positive: "1", favourable: approve, deserving: "0"}
protected:
  - {attribute: sex, reference: male, groups: [female]}
labels: {delay_nights: 7}
rules:
  quality:
    - {metric: missing, breach: "> 0.05"}
  drift:
    - {metric: psi, warn: "> 0.1", breach: "> 0.2", hard: "> 0.5"}
  performance:
    - {metric: auc, holdout: -0.05}
  fairness:
    - {metric: selection_rate_ratio, breach: "< 0.80"}
slos:
  - {name: availability, sli: availability, target: 0.99}
people: {owner: ada@example.com}
response: {rollback: approve, room: {staging: SEV2}}
"""

WRONG = {
    "an unknown key at the top": (
        "environment: staging", "enviroment: staging",
        "monitors/credit.yaml:3: enviroment: unknown key 'enviroment'; did you mean 'environment'?"),
    "a rule without a column that is not there": (
        '{metric: missing, breach', '{metric: missing, without: [agee], breach',
        "monitors/credit.yaml:17: rules.quality[0].without[0]: 'agee' is not a feature of this model; "
        "did you mean 'age'?"),
    "a surprise without a feature that is not there": (
        "slos:", "surprise: {without: [plans]}\nslos:",
        "monitors/credit.yaml:24: surprise.without[0]: 'plans' is not a feature of this model; did you mean 'plan'?"),
    "an unknown key of a rule": (
        'warn: "> 0.1"', 'warm: "> 0.1"',
        "monitors/credit.yaml:19: rules.drift[0].warm: unknown key 'warm'; did you mean 'warn'?"),
    "an unknown key that is near to none": (
        "labels: {delay_nights: 7}", "labels: {zzz: 7}",
        "monitors/credit.yaml:14: labels.zzz: unknown key 'zzz'; known: delay_nights, grace_nights, mature_share, "
        "provisional_share"),
    "a family of rules that does not exist": (
        "  fairness:", "  fairnes:",
        "monitors/credit.yaml:22: rules.fairnes: unknown key 'fairnes'; did you mean 'fairness'?"),
    "an unknown metric": (
        "metric: psi", "metric: pis",
        "monitors/credit.yaml:19: rules.drift[0].metric: unknown metric 'pis'; did you mean 'psi'?"),
    "a metric under the wrong family": (
        "metric: auc, holdout: -0.05", 'metric: psi, breach: "> 0.2"',
        "monitors/credit.yaml:21: rules.performance[0].metric: 'psi' belongs under rules.drift, not rules.performance"),
    "a metric that is not for the task": (
        "metric: auc", "metric: rmse",
        "monitors/credit.yaml:21: rules.performance[0].metric: 'rmse' is not for a binary model; it is for regression"),
    "a value out of a list": (
        "task: binary", "task: binar",
        "monitors/credit.yaml:6: task: 'binar' is not allowed; did you mean 'binary'?"),
    "a feature type that does not exist": (
        "age: numeric", "age: number",
        "monitors/credit.yaml:9: features.age: 'number' is not allowed; did you mean 'numeric'?"),
    "a severity that does not exist": (
        "staging: SEV2", "staging: SEV9",
        "monitors/credit.yaml:27: response.room.staging: 'SEV9' is not allowed; known: SEV1, SEV2, SEV3, SEV4"),
    "another version of the format": (
        "vigil/v1", "vigil/v2",
        "monitors/credit.yaml:1: version: 'vigil/v2' is of another Vigil, this one reads vigil/v1; "
        "upgrade it if a newer one wrote this"),
    "a missing key of the monitor": (
        "people: {owner: ada@example.com}\n", "",
        "monitors/credit.yaml:1: 'people' is missing; add it"),
    "a missing key of a part": (
        "owner: ada@example.com", "on_call: [ada@example.com]",
        "monitors/credit.yaml:26: people: 'owner' is missing; add it"),
    "a number where text must be": (
        'positive: "1"', "positive: 1",
        'monitors/credit.yaml:11: decision.positive: must be text, not 1; write it in quotes: "1"'),
    "a no that YAML reads as false": (
        "favourable: approve", "favourable: no",
        'monitors/credit.yaml:11: decision.favourable: must be text, not no; write it in quotes: "no"'),
    "text where a number must be": (
        "holdout: -0.05", "holdout: lots",
        "monitors/credit.yaml:21: rules.performance[0].holdout: must be a number, not 'lots'"),
    "a fraction where a whole number must be": (
        "delay_nights: 7", "delay_nights: 7.5",
        "monitors/credit.yaml:14: labels.delay_nights: must be a whole number, not '7.5'"),
    "one value where a list must be": (
        "groups: [female]", "groups: female",
        "monitors/credit.yaml:13: protected[0].groups: must be a list, not female; write [female]"),
    "a list where keys must be": (
        "labels: {delay_nights: 7}", "labels: [7]",
        "monitors/credit.yaml:14: labels: must be a mapping of keys, not a list"),
    "nothing where keys must be": (
        "labels: {delay_nights: 7}", "labels:",
        "monitors/credit.yaml:14: labels: must be a mapping of keys, not nothing"),
    "a number that is too small": (
        "delay_nights: 7", "delay_nights: -1",
        "monitors/credit.yaml:14: labels.delay_nights: must be at least 0, not -1"),
    "a number that is too large": (
        "target: 0.99", "target: 99",
        "monitors/credit.yaml:25: slos[0].target: must be less than 1, not 99"),
    "a name with a space": (
        "model: credit", "model: Credit Scoring",
        "monitors/credit.yaml:2: model: 'Credit Scoring' does not match ^[a-z][a-z0-9_]{1,62}$"),
    "a monitor without features": (
        "features:\n  age: numeric\n  plan: category", "features: {}",
        "monitors/credit.yaml:8: features: must not be empty"),
    "a feature with the name of the truth": (
        "  age: numeric", "  label: numeric",
        "monitors/credit.yaml:8: features: 'label' is the name under which outcomes are joined to the rows; log the "
        "column under another one"),
    "a name of the truth in capitals": (
        "attribute: sex", "attribute: Label",
        "monitors/credit.yaml:12: protected: 'Label' is the name under which outcomes are joined to the rows; log "
        "the column under another one"),
    "a name that is vigil's own": (
        "data: {score: score}", "data: {score: Vigil_slot}",
        "monitors/credit.yaml:7: data: 'Vigil_slot' starts with the prefix of Vigil's own columns; log the "
        "column under another name"),
    "two names that differ in capitals alone": (
        "  age: numeric", "  Score: numeric",
        "monitors/credit.yaml:8: features: 'Score' and 'score' (data) differ only in upper and lower case; log "
        "one of the columns under another name"),
    "a bound without a side": (
        'breach: "> 0.05"', 'breach: "0.05"',
        "monitors/credit.yaml:17: rules.quality[0].breach: a bound is written '< 0.80' or '> 0.2', not '0.05'"),
    "a bound on the good side": (
        'missing, breach: "> 0.05"', 'missing, breach: "< 0.05"',
        "monitors/credit.yaml:17: rules.quality[0].breach: "
        "'missing' is bad when it is higher; write '> 0.05', not '< 0.05'"),
    "a rule without a threshold": (
        ', breach: "> 0.05"', "",
        "monitors/credit.yaml:17: rules.quality[0]: "
        "the rule on 'missing' has no threshold; give breach, warn, hard, sigma, quantile, holdout or surprise"),
    "a warning beyond the breach": (
        'warn: "> 0.1"', 'warn: "> 0.3"',
        "monitors/credit.yaml:19: rules.drift[0].warn: warn '> 0.3' lies beyond breach '> 0.2'; warn must come first"),
    "a breach beyond the hard bound": (
        'hard: "> 0.5"', 'hard: "> 0.15"',
        "monitors/credit.yaml:19: rules.drift[0].breach: "
        "breach '> 0.2' lies beyond hard '> 0.15'; breach must come first"),
    "a subject that is no feature": (
        "metric: psi,", "metric: psi, subjects: [agee],",
        "monitors/credit.yaml:19: rules.drift[0].subjects[0]: 'agee' is not a feature of this model; "
        "did you mean 'age'?"),
    "a subject of an attribute that is not protected": (
        "metric: selection_rate_ratio,", 'metric: selection_rate_ratio, subjects: ["gender=female"],',
        "monitors/credit.yaml:23: rules.fairness[0].subjects[0]: 'gender' is not a protected attribute; known: sex"),
    "fairness without a protected attribute": (
        "protected:\n  - {attribute: sex, reference: male, groups: [female]}\n", "",
        "monitors/credit.yaml:20: rules.fairness: fairness rules need `protected:` attributes"),
    "a reference group that is compared with itself": (
        "groups: [female]", "groups: [female, male]",
        "monitors/credit.yaml:13: protected[0].groups[1]: "
        "'male' is the reference group; it is not compared with itself"),
    "a protected attribute that is named twice": (
        "  - {attribute: sex, reference: male, groups: [female]}",
        "  - {attribute: sex, reference: male}\n  - {attribute: sex, reference: female}",
        "monitors/credit.yaml:12: protected: the attribute 'sex' is named 2 times; list all its groups once"),
    "a binary model without a decision": (
        'decision: {positive: "1", favourable: approve, deserving: "0"}\n', "",
        "monitors/credit.yaml:1: decision: a binary model needs its favourable value and threshold"),
    "an identifier among the features": (
        "age: numeric", "prediction_id: category",
        "monitors/credit.yaml:8: features: 'prediction_id' is an id or a time of the row, not a feature; remove it"),
    "a cron of four fields": (
        '"0 2 * * *"', '"0 2 * *"',
        "monitors/credit.yaml:5: schedule: '0 2 * *' is not a cron expression of five fields, such as '0 2 * * *'"),
    "a cron at 25 o'clock": (
        '"0 2 * * *"', '"0 25 * * *"',
        "monitors/credit.yaml:5: schedule: '0 25 * * *' is not a cron expression of five fields, such as '0 2 * * *'"),
    "a cron alias": (
        '"0 2 * * *"', '"@daily"',
        "monitors/credit.yaml:5: schedule: '@daily' is not a cron expression of five fields, such as '0 2 * * *'"),
    "a time zone that does not exist": (
        "Europe/Berlin", "Europe/Berln",
        "monitors/credit.yaml:4: timezone: unknown time zone 'Europe/Berln'; use an IANA name such as 'Europe/Berlin'"),
    "a latency SLO without its threshold": (
        "name: availability, sli: availability", "name: fast, sli: latency",
        "monitors/credit.yaml:25: slos[0]: the latency SLO 'fast' needs threshold_ms"),
    "a good-nights SLO without its family": (
        "name: availability, sli: availability", "name: good, sli: good_nights",
        "monitors/credit.yaml:25: slos[0]: the good_nights SLO 'good' needs a family"),
    "an SLO of fair nights that no rule judges": (
        '  fairness:\n    - {metric: selection_rate_ratio, breach: "< 0.80"}\nslos:\n'
        "  - {name: availability, sli: availability, target: 0.99}",
        "slos:\n  - {name: fair, sli: good_nights, family: fairness, target: 0.893}",
        "monitors/credit.yaml:23: slos[0].family: there are no rules under rules.fairness, so no night can be judged"),
    "an SLO of logged requests that nobody counts": (
        "sli: availability", "sli: log_completeness",
        "monitors/credit.yaml:25: slos[0].sli: log_completeness needs `traffic:`, which counts the requests"),
    "an SLO of a kind that does not exist": (
        "sli: availability", "sli: uptime",
        "monitors/credit.yaml:25: slos[0].sli: 'uptime' is not allowed; known: availability, completeness, "
        "evaluation_coverage, good_nights, label_completeness, latency, log_completeness, version_integrity"),
    "a coverage of all nights": (
        "target: 0.99", "target: 0.99, coverage: 1",
        "monitors/credit.yaml:25: slos[0].coverage: must be less than 1, not 1"),
    "a budget policy without an approver": (
        "people:", "budget_policy: {approvers: []}\npeople:",
        "monitors/credit.yaml:26: budget_policy.approvers: must not be empty"),
    "a budget policy that freezes before it asks for care": (
        "people:", "budget_policy: {approvers: [ada], frozen_below: 0.6}\npeople:",
        "monitors/credit.yaml:26: budget_policy: frozen_below (0.6) is above careful_below (0.5)"),
    "a key that is there twice": (
        "labels: {delay_nights: 7}", "labels: {delay_nights: 7, delay_nights: 9}",
        "monitors/credit.yaml:14: the key 'delay_nights' is there twice; keep one"),
    "a section that is there twice": (
        "slos:", "model: other\nslos:",
        "monitors/credit.yaml:24: the key 'model' is there twice; keep one"),
    "brackets that are not closed": (
        "{delay_nights: 7}", "{delay_nights: 7",
        "monitors/credit.yaml:15: not valid YAML: while parsing a flow mapping, expected ',' or '}', but got ':'"),
    "a tab": (
        "  age: numeric", "\tage: numeric",
        "monitors/credit.yaml:9: "
        "not valid YAML: while scanning for the next token, found character '\\t' that cannot start any token"),
    "a day that is none": (
        "model: credit", "model: 2026-13-45",
        "monitors/credit.yaml:1: not valid YAML: month must be in 1..12"),
    "two documents in one file": (
        "features:", "---\nfeatures:",
        "monitors/credit.yaml:8: not valid YAML: expected a single document in the stream, but found another document"),
}  # fmt: skip


@pytest.fixture
def monitors(tmp_path):
    folder = tmp_path / "monitors"
    folder.mkdir()
    return folder


def told(folder, text):
    path = folder / "credit.yaml"
    path.write_text(text)
    with pytest.raises(MonitorError) as caught:
        load_monitor(path)
    return str(caught.value)


def test_the_monitor_that_all_these_tests_spoil_is_valid(monitors):
    path = monitors / "credit.yaml"
    path.write_text(GOOD)
    assert load_monitor(path).model == "credit"


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_weights_of_a_model_whose_numbers_are_not_weighted_are_refused(monitors, task):
    own = GOOD[: GOOD.index("rules:")].replace("task: binary", f"task: {task}") + "people: {owner: ada@example.com}\n"
    said = told(monitors, own.replace("{score: score}", "{sampling_weight: weight}"))
    assert f"data: sampling_weight: metrics of a {task} model do not use weights" in said


@pytest.mark.parametrize(("old", "new", "error"), list(WRONG.values()), ids=list(WRONG))
def test_one_mistake_is_told_in_one_line(monitors, old, new, error):
    assert old in GOOD
    assert told(monitors, GOOD.replace(old, new, 1)) == error


def test_all_mistakes_are_told_in_the_order_of_the_lines(monitors):
    text = GOOD
    for name in ("a value out of a list", "a cron of four fields", "an unknown metric", "a bound without a side"):
        text = text.replace(WRONG[name][0], WRONG[name][1], 1)
    assert told(monitors, text).splitlines() == [
        "monitors/credit.yaml:5: schedule: '0 2 * *' is not a cron expression of five fields, such as '0 2 * * *'",
        "monitors/credit.yaml:6: task: 'binar' is not allowed; did you mean 'binary'?",
        "monitors/credit.yaml:17: rules.quality[0].breach: a bound is written '< 0.80' or '> 0.2', not '0.05'",
        "monitors/credit.yaml:19: rules.drift[0].metric: unknown metric 'pis'; did you mean 'psi'?",
    ]


def test_lint_shows_the_line_with_a_caret_under_the_place(monitors):
    (monitors / "credit.yaml").write_text(GOOD.replace("metric: psi", "metric: pis"))
    assert lint(monitors)["credit.yaml"] == (
        "monitors/credit.yaml:19: rules.drift[0].metric: unknown metric 'pis'; did you mean 'psi'?\n"
        '   19 |     - {metric: pis, warn: "> 0.1", breach: "> 0.2", hard: "> 0.5"}\n'
        "      |                ^"
    )


@pytest.mark.parametrize(
    ("suites", "hint"),
    [
        (["credit", "iris"], "did you mean 'credit'?"),
        ([], "there is none yet: docs/add-a-model.md says how to write one"),
    ],
)
def test_a_suite_must_exist_where_the_folder_of_suites_is_known(monitors, tmp_path, suites, hint):
    expectations = tmp_path / "expectations"
    expectations.mkdir()
    for name in suites:
        (expectations / f"{name}.json").write_text("{}")
    path = monitors / "credit.yaml"
    path.write_text(GOOD + "suite: credt\n")
    assert load_monitor(path).suite == "credt"
    with pytest.raises(MonitorError) as caught:
        load_monitor(path, expectations=expectations)
    what = f"monitors/credit.yaml:28: suite: no suite credt.json in the folder of expectations; {hint}"
    assert str(caught.value) == what
    assert lint(monitors, expectations_dir=expectations)["credit.yaml"].startswith(what)


READS_MORE = """\
data: {score: score, sampling_weight: weight, ranking: order}
strata: branch
sums: [amount]
flags: {refusal: [refused]}
source:
  predictions: log.csv
  served_at: {column: at}
  columns: {amount: a, weight: b, order: c, branch: d, refused: e, contrib__age: f}
"""


def test_a_source_may_name_whatever_column_the_monitor_reads(monitors):
    path = monitors / "credit.yaml"
    path.write_text(GOOD.replace("data: {score: score}\n", READS_MORE))
    assert load_monitor(path).source.columns["amount"] == "a"


def test_a_column_of_a_source_that_nothing_reads_is_told_with_what_was_meant(monitors):
    text = GOOD.replace("data: {score: score}\n", READS_MORE.replace("{amount: a", "{amonut: a"))
    assert told(monitors, text) == (
        "monitors/credit.yaml:14: source.columns.amonut: no key of this monitor uses the column 'amonut'; "
        "did you mean 'amount'?"
    )


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "monitors/credit.yaml:1: a monitor is a mapping of keys; see docs/add-a-model.md"),
        (b"- a\n- b\n", "monitors/credit.yaml:1: a monitor is a mapping of keys; see docs/add-a-model.md"),
        (b"\xff\xfe\x00", "monitors/credit.yaml:1: cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_monitor_at_all_says_so(monitors, content, error):
    path = monitors / "credit.yaml"
    path.write_bytes(content)
    with pytest.raises(MonitorError) as caught:
        load_monitor(path)
    assert str(caught.value) == error


def test_a_file_that_is_not_there_says_so(monitors):
    with pytest.raises(MonitorError, match=r"monitors/none.yaml:1: cannot be read: No such file or directory"):
        load_monitor(monitors / "none.yaml")


def test_of_a_file_that_a_newer_vigil_wrote_only_that_is_said(tmp_path):
    (tmp_path / "new.yaml").write_text(
        "version: vigil/v2\nmodel: new\nwatches: everything\nrules: {drift: [{metric: x}]}\n"
    )
    (told,) = lint(tmp_path).values()
    assert told.splitlines()[0].startswith(f"{tmp_path.name}/new.yaml:1: version: 'vigil/v2' is of another Vigil")
    assert len(told.splitlines()) == 3  # the sentence, the line, the caret
