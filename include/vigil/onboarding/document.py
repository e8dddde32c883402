"""The draft as YAML, commented for the person who owns it from now on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vigil.core.spec import Spec
from vigil.core.words import Task
from vigil.onboarding.columns import Look
from vigil.onboarding.draft import Draft
from vigil.onboarding.movement import Quiet
from vigil.onboarding.roles import Word
from vigil.onboarding.truth import time_of
from vigil.profiles.layout import FeatureType

TEMPLATES = Path(__file__).parent / "templates"


class Answers(Spec):
    """What only people know. groups: protected attribute -> reference group."""

    owner: str
    description: str = ""
    favourable: str | None = None
    groups: Mapping[str, str] = {}


class Facts(Spec):
    """What the rules are made of, beside the draft. missing: the highest share of nulls that the reference has."""

    missing: float = 0.0
    slow_ms: float = 0.0
    spread: float = 0.0  # of the labels of a regression, and so of an error that knows nothing
    drift: tuple[Quiet, ...] = ()
    no_drift: Mapping[str, str] = {}  # feature -> why no rule asks whether it drifts
    nightly: tuple[str, ...] = ()  # features of which a night has one value


def document(draft: Draft, answers: Answers, facts: Facts, *, schema: str) -> str:
    """The YAML text. It is valid whatever names and values the log has."""
    page = Environment(  # noqa: S701 - YAML, not HTML: every value goes through `y`
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    ).get_template("monitor.yaml.j2")  # fmt: skip
    meaning = draft.meaning
    favourable = answers.favourable or (meaning.decisions[0] if meaning else None)
    least = max(5, min(30, draft.rows_a_night // 2))
    return page.render(
        d=draft,
        y=flow,
        schema=schema,
        owner=flow(answers.owner),
        description=answers.description or f"{draft.task.value.capitalize()} model, onboarded from its log",
        served_at=_time(draft.served_at, draft.asked.timezone),
        observed_at=_time(draft.observed_at, draft.asked.timezone) if draft.observed_at else None,
        known={w.value for w in draft.roles},
        score=Word.SCORE in draft.roles and draft.task is Task.BINARY,
        favourable=favourable,
        deserving=meaning.deserving.get(favourable or "", meaning.negative) if meaning else None,
        groups=dict(answers.groups),
        suite=draft.asked.name,
        bins=max(5, min(20, draft.rows_a_night // 20)),
        floor=max(1, round(draft.rows_a_night * 0.5)),
        missing=round(min(0.95, max(0.05, facts.missing + 0.05)), 2),
        slow=_round_up(facts.slow_ms),
        rmse_room=float(f"{max(facts.spread * 0.25, 1e-6):.2g}"),
        least=least,
        drift=facts.drift,
        no_drift=facts.no_drift,
        levels=_unless(facts.nightly, [n for n, kind in draft.features.items() if kind is FeatureType.CATEGORY]),
        subjects=lambda rule: f"subjects: {flow(list(rule.subjects))}, " if rule.subjects else "",
    )


def _unless(nightly: tuple[str, ...], categories: list[str]) -> str | None:
    """The categories that are asked for new levels, as `subjects:`; None where none is left."""
    asked = [name for name in categories if name not in nightly]
    if not asked:
        return None
    return f"subjects: {flow(asked)}, " if len(asked) < len(categories) else ""


def flow(value: Any) -> str:
    """A value on one line of YAML, quoted where it must be.

    >>> flow("plain"), flow("no: really"), flow({"a": "yes"}), flow(["1", 2])
    ('plain', "'no: really'", "{a: 'yes'}", "['1', 2]")
    """
    how: dict[str, Any] = {"default_flow_style": True, "allow_unicode": True, "width": 10**9, "sort_keys": False}
    text: str = yaml.safe_dump(value, **how).removesuffix("\n").removesuffix("\n...").strip()
    if "\n" in text:  # a line break inside: only in double quotes does it stay on one line
        text = yaml.safe_dump(value, default_style='"', **how).strip()
    return text


def _time(one: Look, timezone: str) -> dict[str, str]:
    time = time_of(one, timezone)
    told = {"column": time.column}
    if time.format != "auto":
        told["format"] = time.format
    return {**told, **({} if one.zoned else {"timezone": time.timezone})}


def _round_up(ms: float) -> int:
    """A latency that people would write down: 12.3 -> 20, 180 -> 200.

    >>> _round_up(12.3), _round_up(180), _round_up(0)
    (20, 200, 1)
    """
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000, 30_000):
        if ms <= step:
            return step
    return round(ms)
