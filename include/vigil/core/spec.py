"""The base of every value that is declared in YAML, stored, or handed from stage to stage."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from vigil.core.errors import DataError
from vigil.core.value_word import word


class Spec(BaseModel):
    """Frozen and closed: an unknown key is an error, a value never changes after it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


def _declared(value: Any) -> Any:
    """The word of a declared value; what has none is left for pydantic to refuse."""
    try:
        return word(value) or value
    except DataError:
        return value


ValueWord = Annotated[str, BeforeValidator(_declared)]  # a value of the log, as YAML says it: 1, true and "1.0" are "1"
