"""What the DAG files share: the one place where Airflow's world is turned into Vigil's."""
