"""An independent count of a model's requests: `traffic:` of a monitor."""

from typing import Self

from pydantic import Field, model_validator

from vigil.core.spec import Spec


class Traffic(Spec):
    """A count of requests that does not come from the prediction log. One of the two.

    prometheus: a PromQL expression whose value at the end of a night is the number of that night's requests, such as
                `sum(increase(http_requests_total{app="credit"}[${seconds}s]))`; `$seconds` stands for the night's
                length (82800 to 90000). The server is VIGIL_PROMETHEUS_URL.
    file:       a CSV with the columns `night` (YYYY-MM-DD) and `requests`, such as a load balancer's daily export; a
                path that starts where monitors/ is, or an address that fsspec knows.
    """

    prometheus: str | None = Field(default=None, min_length=1)
    file: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.prometheus is None) == (self.file is None):
            raise ValueError("traffic: needs exactly one of `prometheus` and `file`")
        return self
