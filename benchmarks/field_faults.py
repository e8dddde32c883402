"""The same fault in two homes with the same rows: one is well but for it, the other has had a chronic condition.

Each home is judged night by night up to the onset; from there every fault is played in a fork, so that the past is
judged once. What is changed is the log's own files of the later nights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from field_data import CHRONIC, STREAMS
from field_play import MODEL, Home, Past, Rehearsal, forked
from field_streams import Stream

from vigil.core.words import Family
from vigil.incidents.types import Incident
from vigil.verdicts.types import State, Verdict

PLAYED = 4  # nights with the fault
BEFORE = 5  # nights before the onset: a question that was bad then says nothing of the fault
ONSETS = (32, 47)
ALARMS = (State.WARN, State.BREACH)


class Kind(StrEnum):
    """What is broken."""

    SHIFT = "shift of 0.5 sd"
    CATEGORY = "10 points of a category"
    NULLS = "5 points more missing"
    OUTAGE = "outage"
    SUBGROUP = "shift of 0.5 sd in a group"


@dataclass(frozen=True)
class Fault:
    """column: what is changed (a group's rows of it, where `group` is (attribute, level)); size: sd or share of rows
    that stays; levels: from which to which."""

    kind: Kind
    column: str = ""
    size: float = 0.0
    levels: tuple[str, str] = ("", "")
    group: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        """Tells it from others."""
        return " ".join(filter(None, [self.kind, self.column, f"{self.size:g}", *self.levels, *self.group]))

    def changed(self, rows: pd.DataFrame, sd: float, rng: np.random.Generator) -> pd.DataFrame:
        """A night's rows with the fault."""
        there = rows.copy()
        match self.kind:
            case Kind.SHIFT:
                there[self.column] = there[self.column].astype(float) + self.size * sd
            case Kind.SUBGROUP:
                mine = there[self.group[0]] == self.group[1]
                there[self.column] = there[self.column].astype(float) + np.where(mine, self.size * sd, 0.0)
            case Kind.CATEGORY:
                places = np.flatnonzero(there[self.column] == self.levels[0])
                moved = rng.permutation(places)[: round(0.10 * len(there))]
                there[self.column] = there[self.column].mask(np.isin(np.arange(len(there)), moved), self.levels[1])
            case Kind.NULLS:
                there[self.column] = there[self.column].where(rng.random(len(there)) >= self.size)
            case Kind.OUTAGE:
                there = there.iloc[: round(self.size * len(there))]
        return there

    def concerns(self, question: str) -> bool:
        """Whether a question names what is broken."""
        if self.kind is Kind.OUTAGE:
            return question.startswith(("volume/", "rows/"))
        named = self._named(self.column, question)
        return named or (self.kind is Kind.SUBGROUP and self._named("=".join(self.group), question))

    @staticmethod
    def _named(name: str, question: str) -> bool:
        return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", question) is not None


def _both(kind: Kind, columns: Sequence[str], **more: Any) -> Iterator[Fault]:
    for column in columns:
        for size in (0.5, -0.5):
            yield Fault(kind, column, size, **more)


OUTAGES = (Fault(Kind.OUTAGE, size=0.0), Fault(Kind.OUTAGE, size=0.05))
CREDIT_NUMBERS = ("credit_limit_ntd", "age", "repayment_status_sep", "bill_amount_sep")
CALLS_NUMBERS = ("age", "contacts_this_campaign")
FAULTS: dict[str, tuple[Fault, ...]] = {
    "credit": (
        *_both(Kind.SHIFT, CREDIT_NUMBERS),
        *(Fault(Kind.CATEGORY, "education", levels=pair) for pair in (
            ("university", "graduate_school"), ("university", "high_school"), ("graduate_school", "university"))),
        *(Fault(Kind.NULLS, column, 0.05) for column in (*CREDIT_NUMBERS, "education")),
        *OUTAGES,
        *_both(Kind.SUBGROUP, ("credit_limit_ntd", "bill_amount_sep"), group=("age_band", "25_or_under")),
    ),
    "calls": (
        *_both(Kind.SHIFT, CALLS_NUMBERS),
        *(Fault(Kind.CATEGORY, column, levels=pair) for column, pair in (
            ("job", ("admin.", "technician")), ("job", ("blue-collar", "services")),
            ("education", ("university.degree", "high.school")), ("contact_type", ("cellular", "telephone")),
            ("housing_loan", ("yes", "no")))),
        *(Fault(Kind.NULLS, column, 0.05) for column in (*CALLS_NUMBERS, "job", "education", "contact_type")),
        *OUTAGES,
        *_both(Kind.SUBGROUP, CALLS_NUMBERS, group=("marital_status", "single")),
    ),
}  # fmt: skip


def streams(base: str) -> dict[str, Stream]:
    """Condition -> the stream with it; "" is the one without any."""
    plain = STREAMS[base]()
    return {"": plain, **{name: make(plain) for name, make in CHRONIC[base].items()}}


def runs(base: str, condition: str, folder: Path, onsets: Sequence[int], faults: Sequence[Fault]) -> dict[str, Any]:
    """Every fault at every onset, in one home."""
    stream = streams(base)[condition]
    home = Home(folder, stream).whole_log()
    home.onboarded(0)
    records: list[dict[str, Any]] = []
    with TemporaryDirectory(prefix="field-") as scratch_folder:
        rehearsal = Rehearsal(home, Path(scratch_folder))
        begun = 0
        for onset in onsets:
            rehearsal.play(rehearsal.nights[begun:onset])
            begun = onset
            before = rehearsal.past(rehearsal.nights[:onset])
            for fault in faults:
                records.append({**run(rehearsal, before, fault, onset), "base": base, "condition": condition})
    return {"runs": records, "base": base, "condition": condition, "nights": begun}


def run(rehearsal: Rehearsal, before: Past, fault: Fault, onset: int) -> dict[str, Any]:
    """One fault after the nights before its onset, which were played; the home is left as it was."""
    nights = rehearsal.nights[onset : onset + PLAYED]
    store = rehearsal.home.settings.predictions_dir / "predictions" / f"model={MODEL}"
    files = {f: f.read_bytes() for night in nights for f in sorted((store / f"date={night}").glob("*.parquet"))}
    sd = float(rehearsal.home.stream.rows[fault.column].std()) if fault.kind in (Kind.SHIFT, Kind.SUBGROUP) else 0.0
    try:
        rng = np.random.default_rng([onset, sum(fault.name.encode())])
        for file in files:
            rows = fault.changed(pd.read_parquet(file), sd, rng)
            rows.to_parquet(file, index=False) if len(rows) else file.unlink()
        after: Past = forked(lambda: rehearsal.play(nights).past(rehearsal.nights[: onset + PLAYED]))
    finally:
        for file, content in files.items():
            file.write_bytes(content)
    return {"fault": fault.name, "kind": fault.kind.value, "onset": onset, **answer(fault, before, after, nights)}


def answer(fault: Fault, before: Past, after: Past, nights: Sequence[date]) -> dict[str, Any]:
    """The night (1, 2, ...) on which the fault was found, and the one on which people were told of it anew."""
    old = {v.id for r in before.results[-BEFORE:] for v in r.verdicts if alarm(v)}
    results = {r.night: r for r in after.results}
    first_night: int | None = None
    by: list[str] = []
    for number, night in enumerate(nights, 1):
        named = [v.id for v in results[night].verdicts if alarm(v) and v.id not in old and fault.concerns(v.id)]
        if named and first_night is None:
            first_night, by = number, sorted(named)[:5]
    notification_nights = [n for i in after.incidents for n in anew(i, fault, nights, old)]
    return {
        "found": first_night, "by": by, "told": min(notification_nights, default=None),
        "open": any(i.is_open for i in before.incidents),
        "learnt": share_judged(before),
    }  # fmt: skip


def alarm(verdict: Verdict) -> bool:
    """A warn, a breach, or an unknown that must not be."""
    return verdict.state in ALARMS or (verdict.state is State.UNKNOWN and verdict.overdue)


def anew(incident: Incident, fault: Fault, nights: Sequence[date], old: set[str]) -> Iterator[int]:
    """Nights since the onset on which a finding began that is about the fault: of an old incident or a new one."""
    for finding in incident.findings:
        about = [s for s in finding.signals if fault.concerns(s.verdict.id) and s.verdict.id not in old]
        if about and finding.first_night in nights:
            yield nights.index(finding.first_night) + 1


def share_judged(past: Past) -> float | None:
    """The share of the last night's drift questions that got an answer."""
    drift = [v for v in past.results[-1].verdicts if v.family is Family.DRIFT]
    return sum(v.state is not State.UNKNOWN for v in drift) / len(drift) if drift else None
