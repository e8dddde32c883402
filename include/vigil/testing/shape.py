"""Whether an adapter is a whole port."""

import inspect

PLAIN = {"__abstractmethods__", "__init__", "__subclasshook__", "__class_getitem__"}


def unlike(adapter: object, port: type) -> tuple[str, ...]:
    """The methods of a port that an adapter has not, or that cannot be called as the port's are; empty: it is whole.

    Types are left to mypy. An adapter may take more parameters than the port, if it does not ask for them.

    >>> from vigil.ports import Artifacts, Clock
    >>> unlike(object(), Clock)
    ('now: is missing',)
    >>> class Folder:
    ...     def path(self, monitor, night, name): ...
    ...     def url(self, monitor): ...
    >>> unlike(Folder(), Artifacts)
    ('url: too many positional arguments',)
    """
    found = []
    for name in methods_of(port):
        own = adapter if name == "__call__" else getattr(adapter, name, None)
        if not callable(own):
            found.append(f"{name}: is missing")
            continue
        port_method = getattr(port, name)
        wanted = list(inspect.signature(port_method).parameters.values())[1:]  # without self
        if why := _refuses(inspect.signature(own), wanted):
            found.append(f"{name}: {why}")
    return tuple(found)


def methods_of(port: type) -> tuple[str, ...]:
    """The methods that a Protocol and those that it extends declare."""
    names = {
        name: None
        for base in reversed(port.__mro__)
        if getattr(base, "_is_protocol", False)
        for name, value in vars(base).items()
        if inspect.isfunction(value) and (not name.startswith("_") or name == "__call__") and name not in PLAIN
    }
    return tuple(names)


def _refuses(own: inspect.Signature, wanted: list[inspect.Parameter]) -> str:
    """Why a call that the port allows does not fit; empty where both the shortest and the longest call do."""
    for most in (False, True):
        asked = [p for p in wanted if most or p.default is inspect.Parameter.empty]
        asked = [p for p in asked if p.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)]
        places = [p.name for p in asked if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        names = {p.name: p.name for p in asked if p.kind is inspect.Parameter.KEYWORD_ONLY}
        try:
            own.bind(*places, **names)
        except TypeError as error:
            return str(error)
    return ""
