"""Reports and notes as files, and the addresses under which people open them."""

from datetime import date
from pathlib import Path


class FileArtifacts:
    """Implements the Artifacts port: `root/<monitor>/<night>/<name>`."""

    def __init__(self, root: Path, public_url: str) -> None:
        self._root = Path(root)
        self._url = public_url.rstrip("/")

    def path(self, monitor: str, night: date, name: str) -> Path:
        """Where the file is or will be; its folder exists."""
        folder = self._root / monitor / night.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def url(self, monitor: str, night: date, name: str) -> str:
        """Where people open it."""
        return f"{self._url}/vigil/report/{monitor}/{night.isoformat()}/{name}"
