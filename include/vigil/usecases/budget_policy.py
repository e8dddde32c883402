"""The policy of the error budgets at work: what it allows, what it recorded, what people decided."""

from datetime import date, datetime, timedelta
from typing import TypeVar

from vigil.config.schema import Monitor
from vigil.core.errors import MonitorError, RegistryError
from vigil.core.spec import Spec
from vigil.core.words import Role
from vigil.incidents.events import BudgetDecided, BudgetPolicyChanged, PostMortemRequired
from vigil.ports import Ports
from vigil.usecases.model_stream import stream, told
from vigil.usecases.record import Recorded, append, recorded
from vigil.verdicts.policy import PolicyState, Standing, actions, standing
from vigil.verdicts.types import NightResult

Kind = TypeVar("Kind", BudgetPolicyChanged, BudgetDecided)


class Asked(Spec):
    """A promotion that somebody asks for."""

    version: str
    alias: str
    approved_by: str | None = None
    despite_freeze: bool = False


class Decision(Spec):
    """What people decided about a budget that runs out."""

    at: datetime
    by: str
    what: str


class Report(Spec):
    """The policy as it stands: its state since when, what it asks, and what was decided about it.

    review_due: by when a review must be recorded (frozen or exhausted). post_mortem: whether one is required and what
    is done about the spent budget was not recorded yet.
    """

    standing: Standing
    since: date | None = None
    asks: tuple[str, ...] = ()
    review_due: date | None = None
    post_mortem: bool = False
    decisions: tuple[Decision, ...] = ()


def newest(ports: Ports, monitor: Monitor) -> NightResult | None:
    """The latest judgement of the newest judged night."""
    found = ports.results.newest(monitor.model, monitor.environment)
    if found is None:
        return None
    result: NightResult | None = ports.results.latest(monitor.model, monitor.environment, found[0])
    return result


def allowed(ports: Ports, monitor: Monitor, asked: Asked) -> dict[str, str]:
    """What a promotion's record must say about the policy; raises RegistryError where it forbids it.

    Only a new champion spends budget: a challenger answers nobody, and a version that was champion before is how one
    goes back.
    """
    policy = monitor.budget_policy
    result = newest(ports, monitor) if policy is not None else None
    if policy is None or result is None or asked.alias != Role.CHAMPION:
        return {}
    if asked.version in {reign.version for reign in told(ports, monitor.model).champions}:
        return {}
    now = standing(policy, result.budgets)
    state = f"{max(now.left or 0, 0):.0%} of the budget {now.slo!r} is left (night of {result.night})"
    if now.freezes and not asked.despite_freeze:
        raise RegistryError(
            f"promotions of {monitor.model!r} are frozen by its budget policy: {state}. Go back to a version that was "
            "champion, wait until the window gives budget back, or promote with --despite-freeze and say why in the "
            "reason"
        )
    if now.freezes:
        return {"despite": f"budget policy {now.state.value}: {state}"}
    if now.state is PolicyState.CAREFUL:
        who = asked.approved_by
        if who not in policy.approvers:
            wrong = f"{who!r} is none of them" if who else "nobody approved it"
            raise RegistryError(
                f"a promotion of {monitor.model!r} to a version that never was champion needs an approver, because "
                f"{state}: promote with --approved-by and one of {', '.join(policy.approvers)}; {wrong}"
            )
        return {"approved_by": who, "budget": state}
    return {}


def record(ports: Ports, monitor: Monitor, result: NightResult) -> PolicyState | None:
    """Tells the ledger when the newest night changes the state of the policy, once. Returns the state it told.

    A budget that is spent requires a post-mortem: that is an event of its own.
    """
    if monitor.budget_policy is None:
        return None
    now = standing(monitor.budget_policy, result.budgets)
    before = [e.body for e in _events(ports, monitor, BudgetPolicyChanged)]
    was = before[-1].to if before else PolicyState.NORMAL
    past = bool(before) and before[-1].night > result.night
    news = now.state is not PolicyState.UNKNOWN and now.state != was and not past
    number = len(before) + news
    last = _told(ports, monitor, result, now, number) if news else (before[-1] if before else None)
    if last is not None and last.to is PolicyState.EXHAUSTED:  # also where an earlier try died in between
        required = PostMortemRequired(**last.model_dump(exclude={"type"}, exclude_unset=True))
        append(ports, stream(monitor.model), key=f"{_key(last, number)}/post-mortem", body=required)
    return now.state if news else None


def _told(ports: Ports, monitor: Monitor, result: NightResult, now: Standing, number: int) -> BudgetPolicyChanged:
    policy = monitor.budget_policy
    body = BudgetPolicyChanged(
        night=result.night,
        environment=monitor.environment,
        to=now.state,
        slo=now.slo,
        left={b.slo: b.left for b in result.budgets},
        asks=actions(policy, now.state) if policy else (),
        approvers=policy.approvers if policy else (),
        config=monitor.digest,
    )
    return append(ports, stream(monitor.model), key=_key(body, number), body=body)


def _key(body: BudgetPolicyChanged, number: int) -> str:
    """The key of the environment's change of that number: a state that comes back is news."""
    return f"budget/{body.environment}/{number}/{body.to.value}"


def decide(ports: Ports, monitor: Monitor, *, by: str, what: str) -> Report:
    """Records a review, or what is done about a spent budget. Raises MonitorError where no policy asks for one."""
    if monitor.budget_policy is None:
        raise MonitorError(f"{monitor.model} has no `budget_policy:`, so there is nothing to decide about")
    if not by.strip() or not what.strip():
        raise MonitorError("a decision needs who decided (--by) and what (--decision)")
    about = report(ports, monitor)
    body = BudgetDecided(
        environment=monitor.environment,
        by=by,
        what=what,
        state=about.standing.state,
        slo=about.standing.slo,
        config=monitor.digest,
    )
    key = f"{body.type}/{monitor.environment}/{len(_events(ports, monitor, BudgetDecided)) + 1}"
    append(ports, stream(monitor.model), key=key, body=body)
    return report(ports, monitor)


def report(ports: Ports, monitor: Monitor, *, result: NightResult | None = None) -> Report:
    """The policy as the newest night, or `result`, leaves it. Raises MonitorError without a policy."""
    policy = monitor.budget_policy
    if policy is None:
        raise MonitorError(f"{monitor.model} has no `budget_policy:`")
    result = result or newest(ports, monitor)
    now = standing(policy, result.budgets if result else ())
    last = [e for e in _events(ports, monitor, BudgetPolicyChanged) if result and e.body.night <= result.night][-1:]
    entered = [e.body for e in last if e.body.to is now.state]  # none: the night's account was not made yet
    since = entered[0].night if entered else (result.night if result else None)
    decisions = tuple(
        Decision(at=e.at, by=e.body.by, what=e.body.what)
        for e in _events(ports, monitor, BudgetDecided)
        if not last or e.sequence > last[0].sequence
    )
    due = None
    if now.freezes and since is not None:
        looked = max(since, decisions[-1].at.date()) if decisions else since
        due = looked + timedelta(days=policy.review_nights)
    return Report(
        standing=now,
        since=since if now.state is not PolicyState.UNKNOWN else None,
        asks=actions(policy, now.state),
        review_due=due,
        post_mortem=now.state is PolicyState.EXHAUSTED and not decisions,
        decisions=decisions,
    )


def _events(ports: Ports, monitor: Monitor, kind: type[Kind]) -> list[Recorded[Kind]]:
    """The events of one kind in the monitor's environment, oldest first."""
    events = recorded(ports, stream(monitor.model), kind)
    return [e for e in events if e.body.environment == monitor.environment]
