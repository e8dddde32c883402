"""An objective's budget and its policy in words, for the page of a model. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.verdicts.budget import may_go_unjudged
from vigil.verdicts.exhaustion import in_words
from vigil.verdicts.policy import PolicyState, standing

from .words import nights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vigil.config.schema import Monitor
    from vigil.usecases.budget_policy import Report
    from vigil.verdicts.types import Budget, Slo

LOOKS = {
    PolicyState.NORMAL: "ok",
    PolicyState.CAREFUL: "warn",
    PolicyState.FROZEN: "breach",
    PolicyState.EXHAUSTED: "breach",
    PolicyState.UNKNOWN: "unknown",
}
SAYS = {
    PolicyState.NORMAL: "Enough is left: promotions are free",
    PolicyState.CAREFUL: "Little is left: new versions need an approver",
    PolicyState.FROZEN: "Very little is left: promotions of new versions are frozen",
    PolicyState.EXHAUSTED: "A budget is spent: promotions of new versions are frozen",
    PolicyState.UNKNOWN: "No budget could be counted yet",
}


@dataclass(frozen=True)
class Policy:
    """The budget policy as a card. look: the class of its pill."""

    state: str
    look: str
    headline: str
    lines: tuple[str, ...]


def facts(b: Budget, slo: Slo | None) -> list[tuple[str, str]]:
    """(what, in words) of a budget, beside what is left of it. slo: as the monitor has it now, if it still does."""
    told = [("Tonight", _tonight(b)), ("At this rate", in_words(b.exhaustion))]
    if b.coverage_left is not None:
        told.append(("Nights", _coverage(b, slo)))
    return told


def _tonight(b: Budget) -> str:
    if b.waiting:
        newest = f"; the newest counted night is {b.newest}" if b.newest else ""
        return f"waits for labels{newest}"
    if b.burn is None:
        return "could not be counted"
    return f"spends {b.burn:.1f} times what the target allows, at the least (95 %)"


def _coverage(b: Budget, slo: Slo | None) -> str:
    words = f"{b.judged_nights} of {nights(b.judged_nights + b.unjudged_nights)} judged"
    if slo is not None:
        may = may_go_unjudged(slo)
        words += f"; {may or 'none'} may go unjudged in {slo.nights}"
    if b.coverage_left is not None and b.coverage_left < 0:
        words += ": too many did"
    if b.waiting_nights:
        words += f"; {nights(b.waiting_nights)} {'waits' if b.waiting_nights == 1 else 'wait'} for labels"
    return words


def policy_pill(monitor: Monitor, budgets: Sequence[Budget]) -> tuple[str, str] | None:
    """(words, look) of a policy that asks for something; None where promotions are free."""
    if monitor.budget_policy is None:
        return None
    state = standing(monitor.budget_policy, budgets).state
    asks = {PolicyState.CAREFUL: "promotions need an approver", PolicyState.FROZEN: "promotions are frozen",
            PolicyState.EXHAUSTED: "budget spent, promotions are frozen"}  # fmt: skip
    return (asks[state], LOOKS[state]) if state in asks else None


def policy(report: Report | None) -> Policy | None:
    """The policy's card; None for a monitor without a policy."""
    if report is None:
        return None
    now, lines = report.standing, []
    if report.since is not None and report.asks:
        lines.append(f"since the night of {report.since}, because of {now.slo}")
    lines += [words.replace("`", "") for words in report.asks]
    if report.review_due is not None:
        lines.append(f"the next review is due by {report.review_due}")
    if report.post_mortem:
        lines.append("no decision about the spent budget is recorded yet")
    lines += [f"decided on {d.at:%Y-%m-%d} by {d.by}: {d.what}" for d in report.decisions]
    return Policy(now.state.value, LOOKS[now.state], SAYS[now.state], tuple(lines))
