"""Nights of simulated models, judged by Vigil as it is: measured, judged, correlated to incidents, in date order."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from field_play import command

from vigil import wiring
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.config.load import load_all
from vigil.config.schema import Monitor
from vigil.core.words import Family, Role
from vigil.incidents.correlate import signals
from vigil.incidents.episodes import NewEvent, bad_night_events, episode_of
from vigil.incidents.lifecycle import fold
from vigil.incidents.recovery import AnswerKind, Answers, Recovery, kind_of, night_events
from vigil.incidents.severity import assess, each
from vigil.incidents.standing import register
from vigil.incidents.types import Event, Incident
from vigil.metrics.evaluate import evaluate
from vigil.profiles.codec import CURRENT
from vigil.profiles.types import Profile
from vigil.settings import Settings
from vigil.simulation.faults import Fault
from vigil.simulation.monitor import document
from vigil.simulation.nights import APPROVE, Simulation
from vigil.usecases.nights import view
from vigil.usecases.reference import REFERENCE
from vigil.verdicts.budget import budget, burn_verdict
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.memory import main_version
from vigil.verdicts.scored_nights import REACH
from vigil.verdicts.spent import spent
from vigil.verdicts.types import NightResult, State, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

REFERENCE_ROWS = 20_000
LEARNT = 42  # nights before the first one that counts
DRAFTED = "drafted"  # the name under which `vigil init` onboards a simulated model
OURS = ("environment", "role", "status", "pipeline_version")  # columns that a stranger's log does not have
RECENT = 30  # nights that pools and budgets look back
ALARMS = (State.WARN, State.BREACH)


@dataclass
class Model:
    """One simulated model: its monitor, its bins and holdout, and its nights as profiles, kept below `cache`."""

    regime: str
    seed: int
    rows: int
    cache: Path
    wants_rows: bool = False

    def __post_init__(self) -> None:
        run = self.simulation(1)
        folder = self.cache / f"{self.regime}-{self.seed}-{self.rows}-v{CURRENT}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "simulated.yaml").write_text(document(run))
        self.folder, self.monitor = folder, load_all(folder)[0]["simulated"]

    @cached_property
    def baseline(self) -> tuple[Any, Profile]:
        """(edges, profile of the holdout)."""
        path = self.folder / "baseline.pkl"
        if not path.exists():
            rows, scanner = self.simulation(1).reference(REFERENCE_ROWS), DuckDBScanner()
            edges = scanner.fit_edges(self.monitor, rows)
            profile = scanner.scan_table(
                self.monitor, rows, edges, night=date(2026, 1, 1), version="1", role=Role.CHAMPION
            )
            path.write_bytes(pickle.dumps((edges, profile)))
        baseline_pair: tuple[Any, Profile] = pickle.loads(path.read_bytes())
        return baseline_pair

    def simulation(self, nights: int, faults: Sequence[Fault] = ()) -> Simulation:
        """The model's nights, the same ones every time."""
        return Simulation(self.regime, self.seed, rows=self.rows, nights=nights, faults=faults)

    def night(self, index: int, fault: Fault | None = None, name: str = "quiet") -> tuple[date, Profile, pa.Table]:
        """One night: its day, its profile with the labels that came later, its rows (empty where not wanted)."""
        path = self.folder / f"{name}-{index}.pkl"
        if path.exists() and not self.wants_rows:
            day, profile = pickle.loads(path.read_bytes())
            return day, profile, None
        run = self.simulation(index + 1, [fault] if fault else [])
        drawn = run.night(index)
        labelled = drawn.predictions.join(
            drawn.outcomes.select(["prediction_id", "label"]), "prediction_id", join_type="left outer"
        )
        version = labelled.column("model_version")[0].as_py() if labelled.num_rows else "1"
        profile = DuckDBScanner().scan_table(
            self.monitor, labelled, self.baseline[0], night=drawn.day, version=version, role=Role.CHAMPION
        )
        draft = path.with_suffix(".part")
        draft.write_bytes(pickle.dumps((drawn.day, profile)))
        draft.replace(path)
        return drawn.day, profile, drawn.predictions


class Drafted(Model):
    """The same model, watched by what `vigil init` drafts from the log of its first nights, with its usual answers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.folder = self.folder / "drafted"
        self.monitor = wiring.monitor(DRAFTED, self.settings) if self._onboarded() else self._onboard()

    @property
    def settings(self) -> Settings:
        """Of the home that `vigil init` writes to."""
        return wiring.own_settings(self.folder)

    @cached_property
    def baseline(self) -> tuple[Any, Profile]:
        """(edges, profile of the reference) as `vigil init` made them."""
        profiles = wiring.open_ports(self.settings).profiles
        edges, baseline = profiles.edges(DRAFTED), profiles.baseline(DRAFTED, REFERENCE)
        assert edges is not None
        assert baseline is not None
        return edges, baseline

    def _onboarded(self) -> bool:
        return (self.folder / "monitors" / f"{DRAFTED}.yaml").exists()

    def _onboard(self) -> Monitor:
        run = self.simulation(LEARNT)
        served, truth = self.folder / "log" / "served", self.folder / "log" / "truth"
        served.mkdir(parents=True, exist_ok=True)
        truth.mkdir(parents=True, exist_ok=True)
        for index in range(LEARNT):
            night = run.night(index)
            pq.write_table(night.predictions.drop_columns(list(OURS)), served / f"{night.day}.parquet")
            pq.write_table(night.outcomes, truth / f"{night.day}.parquet")
        people = run.spec.population
        words = ["--log", f"{served}/*.parquet", "--outcomes", f"{truth}/*.parquet", "--favourable", APPROVE,
                 "--positive", "1", "--protected", f"{people.attribute}={next(iter(people.groups))}",
                 "--owner", "owner@example.com", "--nights", "0"]  # fmt: skip
        command(self.folder, "init", DRAFTED, *words)
        shutil.rmtree(self.folder / "log")
        return wiring.monitor(DRAFTED, self.settings)


@dataclass
class Watch:
    """Vigil watching one model. `judge` takes a night and says what it found; incidents are folded as they are live."""

    monitor: Monitor
    baseline: tuple[Any, Profile]
    results: list[NightResult] = field(default_factory=list)
    streams: dict[str, list[Event]] = field(default_factory=dict)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident, oldest first."""
        folded = [fold(events) for events in self.streams.values()]
        return sorted((i for i in folded if i), key=lambda i: i.opened_night)

    def judge(self, day: date, profile: Profile) -> NightResult:
        """The night's verdicts, budgets and incidents. Labels are there, as they are when the cohort is mature."""
        edges, holdout = self.baseline
        metrics = {
            *self.monitor.rules.metrics,
            "success_rate",
            "latency_within",
            "label_coverage",
            "volume",
            "top_class_share",
        }
        numbers = evaluate(
            profile, holdout, view(self.monitor), yardstick="holdout of version 1", only=metrics, edges=edges
        )
        past = self._past()
        facts = Facts(night=day, as_of=day + timedelta(days=4), labels=self.monitor.labels,
                      version=main_version(profile.versions),
                      labelled_share=min(1.0, profile.outcome.labelled / max(profile.rows, 1)),
                      surprise=self.monitor.surprise)  # fmt: skip
        verdicts = judge(numbers, self.monitor.rules, past, facts)
        ruled_ids = {v.id for v in verdicts}
        result = NightResult(
            monitor=self.monitor.model, environment=self.monitor.environment, night=day, partition_digest=str(day),
            config_digest="", edges_digest="", versions=dict(profile.versions), rows=profile.rows,
            champion_rows=profile.rows,
            verdicts=verdicts, measurements=tuple(m for m in numbers if m.id not in ruled_ids),
        )  # fmt: skip
        result = self._with_budgets(result)
        self._correlate(result)
        self.results.append(result)
        return result

    def _past(self) -> Sequence[NightResult]:
        """The first nights, which teach, and the recent ones; as the use case reads them."""
        first = self.results[: REACH * self.monitor.surprise.nights]
        return [*first, *self.results[max(len(first), len(self.results) - 90) :]]

    def _with_budgets(self, result: NightResult) -> NightResult:
        window = [*self.results[-RECENT:], result]
        burns: list[Verdict] = []
        for slo in self.monitor.slos:
            burns.append(burn_verdict(slo, budget(slo, [spent(slo, r) for r in window])))
        return result.model_copy(update={"verdicts": (*result.verdicts, *burns)})

    def _correlate(self, result: NightResult) -> None:
        incidents = self.incidents
        open_questions = {q for i in incidents if i.is_open for q in i.questions}
        before = self.results[-1] if self.results else None
        new = signals(result, before, told=open_questions, standing=register(incidents))
        current = episode_of(incidents, result.night)
        if new:
            how_bad = partial(assess, risk=self.monitor.risk, environment=self.monitor.environment, has_fallback=False,
                              mitigated=False)  # fmt: skip
            events = bad_night_events(
                current, new, monitor=self.monitor.model, environment=self.monitor.environment, night=result.night,
                knowledge=result.digest_key, assessment=how_bad(new), assessments=each(new, how_bad), versions={},
                report_url=None,
            )  # fmt: skip
            self._append(current.id if current else str(result.night), events, result.night)
        for incident in self.incidents:
            self._append(
                incident.id, night_events(incident, self._answers(incident, result), self._recovery), result.night
            )

    @property
    def _recovery(self) -> Recovery:
        r = self.monitor.response
        return Recovery(nights=r.recovery_nights, standing_nights=r.standing_nights, review_days=r.review_days)

    @staticmethod
    def _answers(incident: Incident, result: NightResult) -> Answers:
        verdicts = {v.id: v for v in result.verdicts}
        kinds = {q: kind_of(verdicts[q]) if q in verdicts else AnswerKind.GOOD for q in incident.questions}
        each_kind = {k.value: tuple(q for q, kind in kinds.items() if kind is k) for k in AnswerKind}
        return Answers(night=result.night, version="1", rows=result.rows, verdicts=verdicts, **each_kind)

    def _append(self, stream: str, new_events: Sequence[NewEvent], night: date) -> None:
        events = self.streams.setdefault(stream, [])
        for new in new_events:
            if all(e.key != new.key for e in events):
                at = datetime(night.year, night.month, night.day, tzinfo=UTC)
                events.append(
                    Event(stream=f"incident/{stream}", sequence=len(events) + 1, key=new.key, type=new.type, at=at,
                          payload=new.payload, previous="", hash="")
                )  # fmt: skip


def alarms(result: NightResult) -> list[Verdict]:
    """Warns and breaches."""
    return [v for v in result.verdicts if v.state in ALARMS]


def about(verdict: Verdict) -> str:
    """The feature that a verdict speaks of, or "" for the model as a whole."""
    if verdict.family in (Family.DRIFT, Family.QUALITY):
        return verdict.subject.split("|", 1)[0].split(":", 1)[0]
    return ""
