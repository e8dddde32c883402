"""Options of a command as one value: a frozen dataclass whose fields are the command's options."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer needs it: its dataclass parameter is replaced by one option for each field.

    Exactly one parameter must be annotated with a dataclass; each of its fields is annotated as a Typer option
    (`Annotated[type, typer.Option(...)]`) and may have a default.
    """
    hints = get_type_hints(command, include_extras=True)
    plain = list(inspect.signature(command).parameters.values())
    (group,) = (p.name for p in plain if dataclasses.is_dataclass(hints[p.name]))
    options: Any = hints.pop(group)
    hints |= get_type_hints(options, include_extras=True)
    fields = [_parameter(field) for field in dataclasses.fields(options)]
    others = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in plain if p.name != group]

    @wraps(command)
    def call(**values: Any) -> None:
        own = {p.name: values.pop(p.name) for p in others}
        command(**own, **{group: options(**values)})

    parameters = [p.replace(annotation=hints[p.name]) for p in (*others, *fields)]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    return call


def _parameter(field: dataclasses.Field[Any]) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default)
