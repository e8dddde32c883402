-- Vigil's own state and MLflow's, beside Airflow's metadata, in the same server.
CREATE DATABASE vigil;
CREATE DATABASE mlflow;
