"""The base of every value that is declared in YAML, stored, or handed from stage to stage."""

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Frozen and closed: an unknown key is an error, a value never changes after it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
