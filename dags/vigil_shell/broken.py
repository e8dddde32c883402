"""A monitor whose YAML cannot be loaded becomes a DAG that says why, so that the other monitors stay."""

import re

import pendulum
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowException


def broken_dag(file: str, error: str) -> DAG:
    """A DAG that shows what is wrong with a monitor's YAML, and fails with it when it is run."""
    known_as = re.sub(r"[^\w.-]", "_", file.removesuffix(".yaml"))[:200]  # an id of other signs would end the parse
    with DAG(
        dag_id=f"vigil_broken__{known_as}",
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        tags=["vigil", "broken"],
        doc_md=f"`{file}` cannot be loaded, so its model is **not watched**:\n\n```\n{error}\n```",
    ) as dag:

        @task
        def explain() -> None:
            """Fails with the file's problems."""
            raise AirflowException(error)

        explain()
    return dag
