"""Asking a person, once: again only where Airflow itself has lost the answer."""

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException


class Approval(ApprovalOperator):
    """An approval whose silence is final, and whose failed try is not.

    Airflow 3.3 fails the task when an answer arrives before its scheduler has seen that the asking process has ended
    ("finished with state success, but the task instance's state attribute is queued"). Such a try is repeated: the
    person is asked again, and the mitigation is not lost. A question that nobody answered in time is not repeated.
    """

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Nobody answered: the run is red at once. Any other error may be tried again."""
        if event["error_type"] == "timeout":
            raise AirflowFailException(
                f"nobody answered within {self.response_timeout}: nothing was changed. "
                "To ask again, trigger vigil_rollback with the same form."
            )
        super().process_trigger_event_error(event)
