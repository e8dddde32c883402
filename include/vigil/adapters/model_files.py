"""Model files on disk: their manifest, the comparison with it, and a content-addressed cache.

A manifest maps each file's path inside the model folder (POSIX) to the SHA-256 of its bytes.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from vigil.core.errors import RegistryError, TamperedArtifact
from vigil.core.ids import digest

# MLflow writes this beside the files of a local store when anybody loads `models:/name/version`: not a part of a model.
MLFLOW_NOTE = "registered_model_meta"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_of(folder: Path) -> dict[str, str]:
    """Path inside `folder` -> SHA-256, for every file below it. Raises TamperedArtifact for a link."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise TamperedArtifact(f"{name}: a link, not a file; models consist of plain files only")
        if path.is_file():
            found[name] = file_sha256(path)
    return found


def manifest_digest(manifest: Mapping[str, str]) -> str:
    """One digest for all files of a version.

    >>> manifest_digest({"MLmodel": "ab"})[:12]
    '2e209baf984f'
    """
    return digest(dict(manifest))


def check_manifest(folder: Path, manifest: Mapping[str, str], *, what: str) -> None:
    """Raises TamperedArtifact, naming every file that is missing, extra or changed."""
    found = manifest_of(folder)
    problems = [
        *(f"{name} is missing" for name in sorted(manifest.keys() - found.keys())),
        *(f"{name} was added" for name in sorted(found.keys() - manifest.keys())),
        *(f"{name} was changed" for name in sorted(manifest.keys() & found.keys()) if manifest[name] != found[name]),
    ]
    if problems:
        raise TamperedArtifact(
            f"{what}: {'; '.join(problems)} since its registration. Do not load it: find out who wrote to the "
            "artefact store, and register the model again from its training run"
        )


def keep_verified(cache: Path, manifest: Mapping[str, str], *, what: str, fetch: Callable[[Path], Path]) -> Path:
    """Fetches a version into `cache`, checks it, and returns its folder, named by the manifest's digest.

    fetch: writes the files somewhere below the folder it is given, and returns the folder they are in.
    The folder appears by one rename, so that a reader never sees half a model; of several processes
    that fetch at once, one wins and all return the same folder. A kept folder that was changed on
    disk is replaced. Raises TamperedArtifact, and RegistryError when the version has no manifest.
    """
    if not manifest:
        raise RegistryError(
            f"{what} has no manifest, so its files cannot be verified: it was not registered through Vigil. "
            "Register it with `vigil.adapters.mlflow_register.register_version`"
        )
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    final = cache / manifest_digest(manifest)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as place:
        (Path(place) / "fetched").mkdir()
        fetched = fetch(Path(place) / "fetched")
        if not fetched.is_relative_to(place):
            raise RegistryError(f"{what} was not copied: it lies in {fetched}")
        if MLFLOW_NOTE not in manifest and (fetched / MLFLOW_NOTE).is_file():
            (fetched / MLFLOW_NOTE).unlink()
        check_manifest(fetched, manifest, what=what)
        return _install(fetched, final, manifest, aside=Path(place) / "changed")


def _install(fetched: Path, final: Path, manifest: Mapping[str, str], *, aside: Path) -> Path:
    try:
        check_manifest(final, manifest, what="cache")
    except TamperedArtifact:
        if final.exists():
            final.rename(aside)  # goes away with the temporary folder
        try:
            fetched.rename(final)
        except OSError:  # another process was first: its folder must be as good as ours
            check_manifest(final, manifest, what=f"cached {final.name[:12]}")
    return final
