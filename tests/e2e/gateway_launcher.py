"""The real gateway in a process of its own, over a registry of folders: `python gateway_launcher.py FOLDER`.

Prints the port it listens on as its first line. FOLDER has registry/ and gets spool/ and log/.
"""

import os
import socket
import sys
from pathlib import Path

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.unit.serving import serving_stage
from vigil.adapters.parquet_log import ParquetLog
from vigil.serving.process import serve


def main(folder: Path) -> None:
    monitors = [serving_stage.iris(), serving_stage.credit()]
    application = serving_stage.app(
        serving_stage.FolderRegistry(folder / "registry"),
        ParquetLog(folder / "log"),
        folder,
        [monitor for monitor in monitors if (folder / "registry" / monitor.model).exists()],
        compact_seconds=0.05,  # so that a kill meets compactions
        predict_seconds=5,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)  # noqa: T201
    serve(application, listening=listening)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
