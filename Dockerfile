# One image for every part: Airflow's components, the gateway, MLflow, the heartbeat.
FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/opt/vigil/include AIRFLOW_HOME=/opt/airflow \
    DO_NOT_TRACK=true MLFLOW_DISABLE_TELEMETRY=true GX_ANALYTICS_ENABLED=false \
    VIGIL_HOME=/opt/vigil VIGIL_STATE=/var/lib/vigil
RUN useradd --create-home --uid 50000 vigil && mkdir -p /opt/airflow /var/lib/vigil && chown vigil /opt/airflow /var/lib/vigil
WORKDIR /opt/vigil
COPY requirements.txt ./
RUN pip install --no-cache-dir uv==0.13.9 && uv pip install --system --no-cache --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY include ./include
RUN uv pip install --system --no-cache --no-deps --no-build-isolation -e .
COPY dags ./dags
COPY plugins ./plugins
COPY monitors ./monitors
COPY expectations ./expectations
USER vigil
