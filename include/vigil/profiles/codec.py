"""Profile <-> bytes: compressed JSON that names its version."""

import json
import zlib

from vigil.core.errors import DataError
from vigil.profiles.types import Profile

CURRENT = 1


def encode(profile: Profile) -> bytes:
    """Some kilobytes; the same profile always gives the same bytes."""
    return zlib.compress(profile.model_dump_json().encode(), level=6)


def decode(stored: bytes) -> Profile:
    """Raises DataError for bytes that are no profile, or one of a newer Vigil."""
    try:
        raw = json.loads(zlib.decompress(stored))
        version = raw["schema_version"]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DataError(f"stored profile cannot be read ({error}); run the night again to make it anew") from error
    if version > CURRENT:
        raise DataError(f"stored profile has version {version}, this Vigil reads up to {CURRENT}: upgrade Vigil")
    return Profile.model_validate(raw)
