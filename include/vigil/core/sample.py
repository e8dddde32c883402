"""A sample that ids choose: whoever asks, whenever, about the same id gets the same answer."""

from hashlib import sha256


def in_sample(name: str, share: float) -> bool:
    """Whether an id is in the sample of `share` of all ids; a larger sample holds every smaller one.

    >>> [in_sample("p7", s) for s in (0.0, 0.02, 1.0)]
    [False, True, True]
    """
    return int(sha256(name.encode()).hexdigest()[:8], 16) < share * 2**32
