"""The shape of a monitor: the YAML file that says how one model is watched (`version: vigil/v1`).

Each stage owns its piece (`profiles.layout`, `verdicts.types`, `incidents.types`, `responses.types`);
this file assembles them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vigil.core.errors import MonitorError
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.words import Task
from vigil.core.zones import Zone
from vigil.incidents.types import Risk
from vigil.intake.traffic import Traffic
from vigil.intake.types import Source
from vigil.metrics.performance.formula import check, check_task
from vigil.metrics.types import Kpi
from vigil.profiles.layout import DataMap, Decision, FeatureType, Flag, Protected
from vigil.responses.types import People, Response
from vigil.verdicts.coverage import CoverageGoal
from vigil.verdicts.defaults import drift_rules
from vigil.verdicts.policy import BudgetPolicy
from vigil.verdicts.service_days import Weekday
from vigil.verdicts.types import Labels, Rules, Slo, Surprise

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]


class Monitor(Spec):
    """How one model is watched."""

    version: Literal["vigil/v1"]  # of this format
    model: Name  # the name in the registry and in the prediction log
    description: str = ""  # one line for people, shown in rooms and on pages
    environment: Name = "production"  # `staging`, `production`, …: part of the key of an incident
    timezone: Zone = "UTC"  # a night is a calendar day here
    schedule: str = "0 2 * * *"  # cron, in `timezone`
    serves: tuple[Weekday, ...] | None = Field(default=None, min_length=1)  # weekdays with rows; left out: learnt
    task: Task  # what the model predicts
    source: Source | None = None  # a log that others write; without it, Vigil's own
    traffic: Traffic | None = None  # who else counts requests, for `log_completeness`
    data: DataMap = DataMap()  # names of the columns in the prediction log
    features: dict[str, FeatureType] = Field(min_length=1)  # name -> how it is profiled
    decision: Decision | None = None  # what an answer means for the person it is about; binary models need it
    protected: tuple[Protected, ...] = ()  # attributes that fairness is watched by
    labels: Labels = Labels()  # when the truth is known
    intersections: tuple[tuple[str, str], ...] = ()  # pairs of protected attributes judged together: [[sex, age_band]]
    strata: str | None = None  # a column within whose levels groups are also compared (Simpson's paradox)
    flags: dict[Flag, tuple[str, ...]] = Field(default_factory=dict)  # yes/no columns of a text model
    sums: tuple[str, ...] = ()  # numeric columns whose sums the KPIs use
    kpis: tuple[Kpi, ...] = ()  # business numbers
    suite: str | None = None  # a file name in expectations/, without .json
    quality: Literal["auto", "gx", "compiled"] = "auto"  # who checks the suite: GX on pandas, the scan; auto: by size
    bins: int = Field(default=31, ge=4, le=200)  # quantile edges per numeric feature
    levels: int = Field(default=200, ge=2, le=2000)  # levels counted one by one per category; the others together
    rules: Rules = Rules()  # what is judged, by family; without `drift:`, all that can move, by surprise
    surprise: Surprise = Surprise()  # what is usual for the model, and how surprising a night must be
    coverage: CoverageGoal = CoverageGoal()  # how much of what is asked must be judged
    slos: tuple[Slo, ...] = ()  # objectives over rolling nights
    budget_policy: BudgetPolicy | None = None  # what is done as a budget of theirs runs out
    risk: Risk = Risk()  # how grave a failure is
    people: People  # who owns the model and who is called
    response: Response = Response()  # what Vigil may do by itself

    @model_validator(mode="before")
    @classmethod
    def _drift(cls, said: Any) -> Any:
        """A monitor that says nothing about drift gets the default rules; `drift: []` is none."""
        rules = said.get("rules", {}) if isinstance(said, dict) else None
        if not isinstance(rules, dict) or "drift" in rules:
            return said
        return {**said, "rules": {**rules, "drift": drift_rules(said)}}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.task is Task.BINARY and self.decision is None:
            raise ValueError("decision: a binary model needs its favourable value and threshold")
        if self.protected and self.decision is None:
            raise ValueError("protected: fairness needs `decision:` with a favourable value")
        if self.data.sampling_weight is not None and self.task is not Task.BINARY:
            what = f"data: sampling_weight: metrics of a {self.task.value} model do not use weights"
            raise ValueError(f"{what}; only those of binary models do. Remove the key")
        for name in self.features:
            if name in (self.data.prediction_id, self.data.served_at):
                raise ValueError(f"features: {name!r} is an id or a time of the row, not a feature; remove it")
        attributes = {p.attribute for p in self.protected}
        for pair in self.intersections:
            if len(set(pair)) != 2 or not set(pair) <= attributes:
                raise ValueError(f"intersections: {list(pair)} must be two different attributes of `protected`")
        if self.serves is not None and len(set(self.serves)) != len(self.serves):
            raise ValueError(f"serves: {list(self.serves)} lists a weekday twice; list each once")
        names = [slo.name for slo in self.slos]
        if len(names) != len(set(names)):
            raise ValueError("slos: names must be unique")
        return self

    @model_validator(mode="after")
    def _names(self) -> Self:
        """Names that collide with the scan's own columns, or differ only in upper and lower case."""
        seen = {"environment": ("environment", "")}
        for place, name in self._columns():
            small, other = name.lower(), "log the column under another"
            if small == "label":
                raise ValueError(
                    f"{place}: {name!r} is the name under which outcomes are joined to the rows; {other} one"
                )
            if small.startswith("vigil_"):
                raise ValueError(f"{place}: {name!r} starts with the prefix of Vigil's own columns; {other} name")
            known, where = seen.setdefault(small, (name, f" ({place})"))
            if known != name:
                raise ValueError(
                    f"{place}: {name!r} and {known!r}{where} differ only in upper and lower case; "
                    "log one of the columns under another name"
                )
        return self

    def _columns(self) -> Iterator[tuple[str, str]]:
        """(key, column of the log) of every column that is named, the log's own first."""
        yield from (("data", str(name)) for name in self.data.model_dump().values() if name is not None)
        yield from (("features", name) for name in self.features)
        yield from (("protected", one.attribute) for one in self.protected)
        yield from (("strata", name) for name in [self.strata] if name is not None)
        yield from (("flags", name) for listed in self.flags.values() for name in listed)
        yield from (("sums", name) for name in self.sums)

    @model_validator(mode="after")
    def _formulas(self) -> Self:
        decided, weighted = self.decision is not None, self.data.sampling_weight is not None
        for kpi in self.kpis:
            try:
                check(kpi.formula, sums=self.sums, constants=kpi.constants)
                check_task(kpi.formula, sums=self.sums, task=self.task, decided=decided, weighted=weighted)
            except MonitorError as error:
                raise ValueError(f"kpis: {kpi.name}: {error}") from None
        if len({kpi.name for kpi in self.kpis}) != len(self.kpis):
            raise ValueError("kpis: names must be unique")
        return self

    @property
    def digest(self) -> str:
        """Digest of everything that can change a verdict; stored with each result."""
        return digest(self, length=16)

    @property
    def dag_id(self) -> str:
        """The Airflow DAG that watches this monitor."""
        return f"vigil_nightly__{self.model}"


def monitor_lookback(monitor: Monitor) -> timedelta:
    """How far back late labels may still move a cohort."""
    return timedelta(days=monitor.labels.delay_nights + monitor.labels.grace_nights + 28)
