"""The base of every value that is declared in YAML, stored, or handed from stage to stage."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from vigil.core.value_word import word


class Spec(BaseModel):
    """Frozen and closed: an unknown key is an error, a value never changes after it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


def _declared(value: Any) -> Any:
    """The word of a declared text. YAML's numbers and booleans are refused: it reads `no`, 010 and 1.10 otherwise."""
    return word(value) or value if isinstance(value, str) else value


ValueWord = Annotated[str, BeforeValidator(_declared)]  # a value of the log: "1", "true" and "1.0" are "1"
