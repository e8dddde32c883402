"""What Vigil does, in terms of ports: nothing here knows Airflow, MLflow or Slack."""
