"""docker-compose.yaml is valid, complete, and carries no secret."""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yaml"


def services() -> dict[str, dict]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_the_file_obeys_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_product_is_there():
    wanted = {"postgres", "redis", "mlflow", "gateway", "prometheus", "heartbeat", "airflow-apiserver",
              "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer", "airflow-worker"}  # fmt: skip
    assert wanted <= set(services())


def test_ports_are_published_on_the_loopback_only():
    for name, service in services().items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"


def test_no_secret_has_a_default():
    text = COMPOSE.read_text()
    for name in ("POSTGRES_PASSWORD", "FERNET_KEY", "JWT_SECRET", "API_SECRET_KEY", "ADMIN_PASSWORD"):
        assert f"${{{name}:?" in text, f"{name} must be required, not defaulted"


def test_components_that_would_serve_logs_on_all_interfaces_are_told_not_to():
    for name in ("airflow-scheduler", "airflow-triggerer", "airflow-worker"):
        assert "--skip-serve-logs" in services()[name]["command"]


def test_files_that_are_mounted_or_copied_exist():
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY ")]
    mounted = [v.split(":")[0] for s in services().values() for v in s.get("volumes", []) if v.startswith("./")]
    for path in [p for group in copied for p in group] + mounted:
        assert (ROOT / path).exists(), f"{path} is used and does not exist"
