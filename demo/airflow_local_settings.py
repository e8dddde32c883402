"""Copied into the demo's AIRFLOW_HOME: the scheduler loads heavy libraries once, and its task processes share them."""

import os
import sys
from importlib import import_module

# third-party libraries only: our own code must be fresh in every task
HEAVY = ("alembic", "duckdb", "evidently.presets", "great_expectations", "mlflow.pyfunc", "pandas", "pyarrow.parquet",
         "scipy.stats", "slack_sdk")  # fmt: skip

if os.environ.get("VIGIL_PRELOAD") == "1" and len(sys.argv) > 1 and sys.argv[1] == "scheduler":
    for name in HEAVY:
        import_module(name)
