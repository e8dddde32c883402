"""The story of the first nights, told to real servers: nothing here reaches into Vigil but its public doors."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from demo.airflow_client import Airflow
from demo.places import HOME
from demo.traffic import Gateway, history, truth

if TYPE_CHECKING:
    from types import ModuleType

    from demo.stack import Stack
    from vigil.ports import Ports

SEED = 7
ACTOR = "demo@example.com"
HISTORY = 28
Say = Callable[[str], None]


class StoryError(Exception):
    """Something did not happen as it must; the text says what, and shows the failed tasks' logs."""


def yesterday() -> date:
    """The last night of the story."""
    return datetime.now(ZoneInfo("Europe/Berlin")).date() - timedelta(days=1)


class Story:
    """Two models and their nights. `say` tells the progress display what happens."""

    def __init__(self, stack: Stack, say: Say) -> None:
        from examples import credit, iris

        self.stack, self.say = stack, say
        self.iris, self.credit = iris, credit
        self.last = yesterday()
        self.gateway = Gateway(stack.places.url("gateway"))
        self.facts: dict[str, Any] = {}
        self._airflow: Airflow | None = None

    @property
    def airflow(self) -> Airflow:
        """A login at the Airflow API."""
        if self._airflow is None:
            self._airflow = Airflow(self.stack.places.url("airflow"), "admin", self.stack.places.secrets["admin"])
        return self._airflow

    @cached_property
    def ports(self) -> Ports:
        """Vigil's own ports, on the demo's state."""
        from vigil.wiring import open_ports

        return open_ports()

    def night(self, back: int) -> date:
        """The night `back` days before the last one."""
        return self.last - timedelta(days=back)

    def train(self) -> None:
        """Registers two versions and the rules of both models, and promotes them."""
        from examples.register import register_credit, register_iris
        from vigil.settings import Settings
        from vigil.wiring import open_registry

        registry = open_registry(Settings())
        for register, model in ((register_iris, "iris"), (register_credit, "credit_scoring")):
            made = {which: register(registry, which).version for which in ("first", "second", "rules")}
            self.say(f"{model}: versions {', '.join(made.values())} trained and registered")
            self._promote(model, made["first"], "first version")
            self._promote(model, made["rules"], "rules that people wrote", alias="fallback")
            self._promote(model, made["second"], "better on the holdout")
            self.facts[model] = made

    def _promote(self, model: str, version: str, reason: str, *, alias: str = "champion") -> None:
        """What `vigil promote` does, without paying its imports six times."""
        from vigil.usecases.promote import promote
        from vigil.wiring import monitor

        promote(self.ports, monitor(model), version, actor=ACTOR, reason=reason, alias=alias)

    def _vigil(self, *words: str, ok: tuple[int, ...] = (0,)) -> str:
        """The command line, as a person would use it."""
        done = subprocess.run(
            [sys.executable, "-m", "vigil.cli", *words],
            cwd=HOME,
            env=self.stack.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in ok:
            raise StoryError(f"vigil {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def past(self) -> None:
        """28 nights of history for both models, judged by `vigil backfill`."""
        from examples import credit, iris

        # what was logged in the past came from the version that was champion then
        models = {
            iris.MODEL: (iris, self._loaded("iris"), 3),
            credit.MODEL: (credit, self._loaded("credit_scoring"), 10),
        }
        ranges = {}
        for name, (example, model, back) in models.items():
            nights = [self.night(back + n) for n in range(HISTORY - 1, -1, -1)]
            history(example, model, self.facts[name]["second"], nights, seed=SEED)
            ranges[name] = (nights[0], nights[-1])
            days = 1 if example is iris else 7
            late = nights[-1:] if example is credit else []
            truth(
                example,
                [n for n in nights if n not in late],
                days=days,
                seed=SEED,
                part=slice(None, None),
                name="truth",
            )
            truth(example, late, days=days, seed=SEED, part=slice(None, 85), name="truth")
        self.say("28 nights logged for each model; judging them")
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda n: self._backfill(n, *ranges[n]), ranges))

    def _loaded(self, name: str) -> object:
        """The registered version, checked against its manifest and loaded."""
        import mlflow

        folder = self.ports.registry.verify(name, self.facts[name]["second"])
        return mlflow.pyfunc.load_model(str(folder)).unwrap_python_model()

    def _backfill(self, model: str, first: date, last: date) -> None:
        self._vigil("backfill", model, "--from", first.isoformat(), "--to", last.isoformat())

    def play_night(self, model: str, night: date) -> str:
        """Triggers the nightly DAG for one night and waits until its consequences have settled."""
        run_id = f"demo__{model}__{night}"
        dag = f"vigil_nightly__{model}"
        self.airflow.trigger(dag, run_id, {"as_of": night.isoformat()})
        if self.airflow.wait(dag, run_id, seconds=300) != "success":
            raise StoryError(f"{dag} {run_id} failed\n" + "\n".join(self.airflow.failed_tasks(dag, run_id)))
        self.airflow.settle("vigil_respond", "vigil_rollback", seconds=300)
        return run_id

    def send(
        self, example: ModuleType, night: date, *, fault: object = None, part: tuple[int, int] = (0, 24)
    ) -> dict[str, int]:
        """A night's requests through the gateway; `part`: only those of some local hours."""
        rows = example.night_rows(night, seed=SEED, fault=fault)
        hour = rows["served_at"].dt.tz_convert(example.ZONE).dt.hour
        rows = rows[(hour >= part[0]) & (hour < part[1])]
        columns = [*example.FEATURES, *getattr(example, "PROTECTED", [])]
        answered = self.gateway.send(example.MODEL, rows, columns)
        self.gateway.flush()
        return answered

    def first_model(self) -> None:
        """S1: two quiet nights, then the petal sensor reports inches."""
        for back in (2, 1):
            self.send(self.iris, self.night(back))
            truth(self.iris, [self.night(back)], days=1, seed=SEED, part=slice(None, None), name="truth")
            self.play_night("iris", self.night(back))
            self.say(f"iris {self.night(back)}: quiet")
        self.send(self.iris, self.night(0), fault=self.iris.Fault.INCHES)
        self.play_night("iris", self.night(0))
        self.say(f"iris {self.night(0)}: petals in inches; incident and room are there")

    def broken_pipeline(self) -> None:
        """S2: two quiet nights, then a pipeline update writes the limits of women in dollars."""
        for back in (9, 8):
            self.send(self.credit, self.night(back))
            self.play_night("credit_scoring", self.night(back))
            self.say(f"credit_scoring {self.night(back)}: quiet")
        self.send(self.credit, self.night(7), fault=self.credit.Fault.DOLLARS)
        self.play_night("credit_scoring", self.night(7))
        self.facts["after_s2"] = self.wait_for_role("fallback")
        self.say(f"credit_scoring {self.night(7)}: unfair to women; replayed, the rules stand in")
        self.facts["rules_answered"] = self.send(self.credit, self.night(6), part=(0, 11))
        self._vigil("restore", "credit_scoring", "--actor", "credit.data@example.com", "--reason",
                    "pipeline 2026.11.3 writes NTD again")  # fmt: skip
        self.wait_for_role("champion")
        self.facts["champion_answered"] = self.send(self.credit, self.night(6), part=(11, 24))
        self.play_night("credit_scoring", self.night(6))
        self.say(f"credit_scoring {self.night(6)}: the champion serves again; a good night closed the incident")

    def bad_version(self) -> None:
        """S2b: four uneventful nights, then a new version that learned from doubled rows."""
        for back in (5, 4, 3, 2):
            self.send(self.credit, self.night(back))
        self._backfill("credit_scoring", self.night(5), self.night(2))
        from examples.register import register_credit
        from vigil.settings import Settings
        from vigil.wiring import open_registry

        bad = register_credit(open_registry(Settings()), "bad").version
        self.facts["credit_scoring"]["bad"] = bad
        self._promote("credit_scoring", bad, "new training data")
        self.wait_for_version(bad)
        self.send(self.credit, self.night(1))
        self.play_night("credit_scoring", self.night(1))
        self.wait_for_version(self.facts["credit_scoring"]["second"])
        self.say(f"credit_scoring {self.night(1)}: version {bad} is the cause; rolled back")
        self.late_labels()
        self.send(self.credit, self.night(0))
        self.play_night("credit_scoring", self.night(0))
        self.say(f"credit_scoring {self.night(0)}: good night, incident closed; late labels moved an old cohort")

    def late_labels(self) -> None:
        """The last 15 % of a past cohort's labels, and the labels that are due by now."""
        self.facts["late_cohort"] = self.night(10)
        self.facts["late_labels"] = truth(
            self.credit, [self.night(10)], days=9, seed=SEED, part=slice(85, None), name="late"
        )
        truth(self.credit, [self.night(9), self.night(8)], days=7, seed=SEED, part=slice(None, None), name="truth")

    def wait_for_role(self, role: str) -> dict[str, str]:
        """Until the gateway answers in a role."""
        return self._wait_for(lambda told: told["role"] == role, f"role {role}")

    def wait_for_version(self, version: str) -> dict[str, str]:
        """Until the gateway answers with a version."""
        return self._wait_for(lambda told: told["version"] == version, f"version {version}")

    def _wait_for(self, right: Callable[[dict[str, str]], bool], what: str) -> dict[str, str]:
        told: dict[str, str] = {}
        for _ in range(60):
            told = self.gateway.version("credit_scoring")
            if right(told):
                return told
            time.sleep(0.25)
        raise StoryError(f"the gateway does not answer with {what}; it says {told}")
