"""What stays bad and is known is on the first page and on the model's, with its date and what to do."""

from datetime import date, timedelta

import pytest

from plugins.vigil_pages.standing import known_faults
from tests.golden.messages.stories import NIGHT, air, psi
from tests.unit.plugins.shown import HOSTILE, MONITOR, incident, quiet, told
from tests.unit.plugins.test_page_templates import Page, home, model, of_incident
from vigil.core.words import Family
from vigil.incidents.types import Basis, Question, Standing, Status
from vigil.verdicts.types import Verdict

REVIEW = NIGHT + timedelta(days=80)


def over(verdict: Verdict, basis: Basis, family: Family, **more: str):
    """An incident that ended with a bad answer that stands."""
    stands = Standing(question=verdict.id, fingerprint="f", basis=basis, night=NIGHT - timedelta(days=1),
                      first_night=date(2026, 11, 2), review=REVIEW, verdict=verdict, **more)  # fmt: skip
    bad = (NIGHT - timedelta(days=3),)
    question = Question(id=verdict.id, fingerprint="f", family=family, bad=bad, standing=stands)
    return incident(status=Status.RESOLVED, questions={verdict.id: question})


KNOWN = over(air(0.61, 0.55, 0.68), Basis.KNOWN, Family.FAIRNESS)
LASTING = over(psi("utilisation", 0.4), Basis.LASTING, Family.DRIFT)
ACCEPTED = over(air(0.61, 0.55, 0.68), Basis.ACCEPTED, Family.FAIRNESS, by="ana", reason=HOSTILE)


def test_the_first_page_and_the_models_page_say_what_stands_and_until_when() -> None:
    for html in (home(standing=known_faults([KNOWN], NIGHT)), model_page(KNOWN)):
        words = Page(html).words
        assert "selection_rate_ratio/sex=female since the night of 2026-11-02" in words
        assert f"review on {REVIEW}" in words
        assert "Known: not worse than on the reference" in words


def model_page(found) -> str:
    return model(MONITOR, *quiet(3), incidents=(found,))


def test_what_lasts_comes_with_the_command_that_makes_it_usual() -> None:
    assert "vigil rebaseline credit_scoring --since 2026-11-02" in Page(model_page(LASTING)).words


def test_after_its_review_it_is_not_shown_as_known() -> None:
    assert known_faults([KNOWN], REVIEW) == []


@pytest.mark.parametrize(
    "html", [home(standing=known_faults([ACCEPTED], NIGHT)), model_page(ACCEPTED), of_incident(ACCEPTED)]
)
def test_who_accepted_it_and_why_is_said_as_text(html: str) -> None:
    assert "<script>document" not in html
    assert "ana: " in Page(html).words


def test_the_incidents_page_names_each_fault_with_its_severity() -> None:
    words = Page(of_incident(incident(), told("accepted", why="it is legal", by="ana"))).words
    assert "Drift of utilisation" in words
    assert "Fairness of sex=female" in words
    assert "Accepted by a person it is legal (ana)" in words
