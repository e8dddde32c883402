"""Reports and notes as files, and the addresses under which people open them."""

from datetime import date
from pathlib import Path
from urllib.parse import quote


class FileArtifacts:
    """Implements the Artifacts port: `root/<monitor>/<night>/<name>`.

    >>> FileArtifacts(Path("reports"), "http://127.0.0.1:8080/").url("iris", date(2026, 3, 1), "report.html")
    'http://127.0.0.1:8080/vigil/report/iris/2026-03-01/report.html'
    """

    def __init__(self, root: Path, public_url: str) -> None:
        self._root = Path(root)
        self._url = public_url.rstrip("/")

    def path(self, monitor: str, night: date, name: str) -> Path:
        """Where the file is or will be; its folder exists. Raises ValueError for a name that leads elsewhere."""
        folder = (self._root / monitor / night.isoformat()).resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or path == folder or folder.parent.parent != self._root.resolve():
            raise ValueError(f"an artefact stays below its monitor's night; {monitor!r} and {name!r} lead elsewhere")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def url(self, monitor: str, night: date, name: str) -> str:
        """Where people open it."""
        return f"{self._url}/vigil/report/{quote(monitor)}/{night.isoformat()}/{quote(name)}"
