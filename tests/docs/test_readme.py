"""README's transcript is what the demo prints: rebuilt from its own counts and numbers, by the code that prints it."""

import re
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from demo.summary import panel
from vigil.config.load import load_monitor
from vigil.core.words import Family, Mitigation
from vigil.diagnosis.counterfactual import conclude
from vigil.incidents.types import Finding, Incident, ReplayedVersion, Severity, Signal, Status
from vigil.metrics.pool import interval
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import State, Verdict

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
(SHOWN,) = re.findall(r"```text\n(╭.*?╯)\n```", README, flags=re.DOTALL)
RATIO = "selection_rate_ratio"
WIDTH = 80


def rows() -> list[tuple[str, str]]:
    """(label, text) of the transcript, lines that go on joined; every `found` has a row of its own."""
    found: list[tuple[str, str]] = []
    for line in SHOWN.splitlines()[1:-1]:
        label, text = line[3:15].strip(), line[15:-2].rstrip()
        starts = bool(label) or re.match(r"(?:\w+\([^)]*\) -?\d|and \d+ more)", text) is not None
        if starts and not (found and found[-1][0] == "replayed" and not label):
            found.append((label or "found", text))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {text}")
    return found


def texts(label: str) -> list[str]:
    return [text for name, text in rows() if name == label]


def heading() -> re.Match[str]:
    match = re.match(r"╭─ (SEV\d) · (\w+) \((\w+)\) · night of ([\d-]+) ─+╮$", SHOWN.splitlines()[0])
    assert match
    return match


def number(text: str) -> dict[str, float]:
    value, low, high = map(float, re.search(r"(-?[\d.]+)(?: sd)? \[(-?[\d.]+)(?: sd)?, (-?[\d.]+)", text).groups())
    return {"value": value, "low": low, "high": high}


def ratio(**more: object) -> Measurement:
    fields = {"metric": RATIO, "subject": "sex=female", "family": Family.FAIRNESS, "kind": Kind.RATIO, "n": 1,
              "unit": "ratio", "worse": Worse.LOWER}  # fmt: skip
    return Measurement(**{**fields, **more})


def verdict(reason: str, m: Measurement | None, family: Family, state: State = State.BREACH) -> Verdict:
    metric, subject = re.match(r"(\w+)\(([^)]*)\)", reason).groups()
    return Verdict(metric=metric, subject=subject, family=family, state=state, reason=reason, measurement=m)


def replayed(text: str) -> ReplayedVersion:
    role, version, helps, asked = re.match(
        r"(\w+) version (\d+) would (not have breached|have breached too): (.*)", text
    ).groups()
    better = helps == "not have breached"
    again = verdict(asked, ratio(**number(asked)), Family.FAIRNESS, State.OK if better else State.BREACH)
    return ReplayedVersion(role=role, version=version, rows=1, verdicts=(again,), helps=better, why="")


@pytest.fixture
def incident() -> Incident:
    """The incident of the transcript, from the numbers that it shows."""
    severity, model, environment, opened = heading().groups()
    night = date.fromisoformat(opened)
    *reasons, more = texts("found")
    families = {RATIO: Family.FAIRNESS}
    signals = [verdict(r, None, families.get(r.partition("(")[0], Family.DRIFT)) for r in reasons]
    signals += [signals[0]] * int(re.fullmatch(r"and (\d+) more", more)[1])
    findings = tuple(
        Finding(family=f, first_night=night, last_night=night, signals=tuple(
            Signal(fingerprint=str(n), night=night, verdict=v) for n, v in enumerate(signals) if v.family is f))
        for f in dict.fromkeys(v.family for v in signals)
    )  # fmt: skip
    replay = conclude(night, [replayed(text) for text in texts("replayed")])
    done, target = re.fullmatch(r"(\w+) to version (\d+)", texts("done")[0]).groups()
    return Incident(
        id="i", monitor=model, environment=environment, status=Status.RESOLVED, severity=Severity[severity],
        opened_at=datetime(2026, 11, 24, tzinfo=UTC), opened_night=night, last_bad_night=night,
        good_nights=(night,) * int(re.search(r"after (\d+) good", texts("now")[0])[1]),
        findings=findings, replay=replay, mitigation=Mitigation(done), mitigation_target=target,
        room={"name": texts("room")[0].removeprefix("#")},
    )  # fmt: skip


def test_the_transcript_is_the_screen_that_the_demo_prints_of_such_an_incident(incident: Incident):
    out = StringIO()
    Console(file=out, width=WIDTH, highlight=False).print(panel(incident))
    assert out.getvalue().rstrip("\n") == SHOWN, f"put this into README.md:\n{out.getvalue()}"


def test_the_reason_of_the_transcript_is_what_the_judge_says_of_its_counts():
    (reason,) = [text for text in texts("found") if text.startswith(RATIO)]
    *counts, _ = re.search(r"(\d+) of (\d+) \([\d.]+%\), male (\d+) of (\d+) \(([\d.]+)%\)", reason).groups()
    parts = tuple(map(int, counts))
    value, low, high = interval(Kind.RATIO, parts)
    baseline, yardstick = re.search(r"was ([\d.]+) on the (holdout of version \d+):", reason).groups()
    m = ratio(value=value, low=low, high=high, n=parts[1], parts=parts, baseline=float(baseline), yardstick=yardstick)
    rules = load_monitor(ROOT / "monitors" / "credit_scoring.yaml").rules
    night = date.fromisoformat(heading()[4])
    other = m.model_copy(update={"subject": "age_band=25_or_under"})  # p-values are adjusted for both groups
    found = judge([m, other], rules, (), Facts(night=night, as_of=night, labelled_share=1.0))
    (judged,) = [v for v in found if v.id == m.id]
    assert judged.state is State.BREACH
    assert reason.split("; ")[0] == judged.reason.split("; ")[0]


def test_the_tour_tells_the_same_night():
    tour = (ROOT / "docs" / "tour.md").read_text()
    (reason,) = [text for text in texts("found") if text.startswith(RATIO)]
    assert reason.split(":")[0] in tour
    for text in texts("replayed"):
        assert f"{number(text)['value']:g}" in tour
    assert heading()[4].replace("-", "") in tour
