"""The stages of a night in their order, and the Airflow tasks that run them."""

from collections.abc import Mapping
from enum import StrEnum


class Stage(StrEnum):
    """What is done for one night, first to last. A caller may leave stages out; nobody changes their order."""

    INTAKE = "intake"  # takes new rows of a log that others write
    QUALITY = "quality"  # runs the suite over the night's rows
    PROFILE = "profile"  # profiles the night, and past nights whose rows or labels changed
    JUDGE = "judge"  # judges the night, and past nights whose facts changed
    REPORT = "report"  # renders the HTML report for people
    CORRELATE = "correlate"  # opens, joins or ends incidents
    REPLAY = "replay"  # runs the inputs of a harmful night through the versions that could serve instead
    PLAN = "plan"  # plans what is still to be done for the incident
    ACCOUNT = "account"  # writes the night's line, its MLflow run and a checkpoint of the ledger


JUDGING = (Stage.QUALITY, Stage.PROFILE, Stage.JUDGE)  # of rows that were taken in already; nobody is told

# The tasks of the nightly DAG, each with its stages. A task is retried as a whole.
TASKS: Mapping[str, tuple[Stage, ...]] = {
    "judge": (Stage.INTAKE, *JUDGING),
    "report": (Stage.REPORT,),
    "correlate": (Stage.CORRELATE, Stage.REPLAY),
    "plan": (Stage.PLAN,),
    "account": (Stage.ACCOUNT,),
}
