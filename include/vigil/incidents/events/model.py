"""The events of the streams `model/<name>` that are no change by Vigil: nights, settings, references, budgets."""

from datetime import date
from typing import Any, Literal

from pydantic import ConfigDict, Field

from vigil.core.spec import Spec
from vigil.core.words import Role
from vigil.incidents.events.body import EventBody
from vigil.verdicts.policy import PolicyState
from vigil.verdicts.types import State

SERVE = "serve"  # beside the aliases: the role that answers


class AliasMovedOutside(EventBody):
    """Somebody changed the aliases without Vigil: `champion`, `fallback`, `challenger`, `serve` -> version or role."""

    type: Literal["alias_moved_outside"] = "alias_moved_outside"
    recorded: dict[str, str | None] = Field(default_factory=dict)
    found: dict[str, str | None] = Field(default_factory=dict)

    @property
    def aliases(self) -> dict[str, str | None]:
        """Alias -> its version now; None where no version has it."""
        return {name: version for name, version in self.found.items() if name != SERVE}

    @property
    def serve(self) -> Role:
        """Who serves now."""
        return Role(self.found[SERVE] or Role.CHAMPION)


class QuarantineLifted(EventBody):
    """A version may be promoted again. was: why it was quarantined."""

    type: Literal["quarantine_lifted"] = "quarantine_lifted"
    version: str
    was: str = ""
    by: str = ""
    reason: str = ""


class NightJudged(EventBody):
    """A night's line: how many verdicts of each state, which are not ok, and where it was run."""

    type: Literal["night_judged"] = "night_judged"
    night: date
    digest: str = ""
    tally: dict[State, int] = Field(default_factory=dict)
    not_ok: tuple[str, ...] = ()
    mlflow_run: str | None = None
    run_url: str | None = None


class MovedFigure(Spec):
    """A question of a past night whose value or state is another one now."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    was: float | None = None
    now: float | None = Field(default=None, alias="is")
    from_state: State | None = Field(default=None, alias="from")
    to_state: State = Field(alias="to")


class NightRestated(EventBody):
    """A past night's figures moved. as_of: the night whose run found it (None: an older release did not say)."""

    type: Literal["restated"] = "restated"
    night: date
    environment: str = ""
    as_of: date | None = None
    digest: str = ""
    moved: tuple[MovedFigure, ...] = ()


class NightJudgedLate(EventBody):
    """A past night was judged for the first time, in the run of the night `as_of`."""

    type: Literal["judged_late"] = "judged_late"
    night: date
    environment: str = ""
    as_of: date | None = None


class SettingsRecorded(EventBody):
    """The settings that judge the model's nights. text: their JSON with its keys in the order of the file."""

    type: Literal["settings_recorded"] = "settings_recorded"
    digest: str = ""
    monitor: dict[str, Any] = Field(default_factory=dict)
    text: str = ""


class ReferenceSet(EventBody):
    """Reference data were given for versions without a holdout."""

    type: Literal["reference_set"] = "reference_set"
    origin: str = ""
    rows: int = 0
    edges_digest: str = ""
    digest: str = ""
    by: str = ""


class Rebaselined(EventBody):
    """A person names the nights from which Vigil learns what is usual; until None: it goes on."""

    type: Literal["rebaselined"] = "rebaselined"
    environment: str
    since: date
    until: date | None = None
    actor: str = ""
    reason: str = ""


class RebaselineProposed(EventBody):
    """Quiet nights could replace the nights from which Vigil learnt what is usual."""

    type: Literal["rebaseline_proposed"] = "rebaseline_proposed"
    environment: str = ""
    night: date
    says: str = ""


class BudgetState(EventBody):
    """A change of the budget policy's state. left: budget -> share that is left; asks: what the policy asks now."""

    night: date
    environment: str = ""
    to: PolicyState
    slo: str | None = None
    left: dict[str, float | None] = Field(default_factory=dict)
    asks: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    config: str = ""


class BudgetPolicyChanged(BudgetState):
    """The newest night changed the state."""

    type: Literal["budget_policy"] = "budget_policy"


class PostMortemRequired(BudgetState):
    """A budget is spent."""

    type: Literal["post_mortem_required"] = "post_mortem_required"


class BudgetDecided(EventBody):
    """A review, or what is done about a spent budget."""

    type: Literal["budget_decision"] = "budget_decision"
    environment: str = ""
    by: str = ""
    what: str = ""
    state: PolicyState = PolicyState.UNKNOWN
    slo: str | None = None
    config: str = ""
