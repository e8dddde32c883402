"""How the gateway behaves. Where things are is in `vigil.settings`; `vigil.wiring` brings both together."""

from pydantic import ConfigDict, Field

from vigil.core.spec import Spec


class GatewaySettings(Spec):
    """Limits and rhythms of one gateway process.

    trust_clock: accept `X-Vigil-Served-At` (demo and replays only): with it, callers date their own rows.
    poll_seconds: how often the registry is asked who should answer.
    predict_seconds: after it a prediction counts as `timeout` and is answered 504.
    predict_threads: predictions of one model that run at the same time.
    body_seconds: a caller has so long to send a body; after it, 408.
    requests_in_flight: requests that are worked on or wait at the same time; one more is answered 503, at once.
    token: callers must send it as `Authorization: Bearer …`; None asks nobody. /ping and /health stay open.
    shadow / shadow_queue: whether the challenger is asked too, and how many requests may wait for it.
    batch_rows: requests that wait at the same time are scored in one call of at most so many rows; 1 never mixes them,
        for a model whose answer to a row depends on the other rows.
    body_limit_bytes / request_rows: larger requests are answered 413.
    compact_seconds / compact_rows: the spool goes to the prediction log after so long, or so many rows.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # the input of a token that does not fit is a token

    trust_clock: bool = False
    poll_seconds: float = Field(default=0.5, gt=0, le=2)
    predict_seconds: float = Field(default=30, gt=0)
    predict_threads: int = Field(default=4, ge=1, le=64)
    body_seconds: float = Field(default=10, gt=0)
    requests_in_flight: int = Field(default=128, ge=1, le=10_000)
    batch_rows: int = Field(default=1_000, ge=1)
    token: str | None = Field(default=None, min_length=16, repr=False)
    shadow: bool = True
    shadow_queue: int = Field(default=256, ge=1)
    body_limit_bytes: int = Field(default=5_000_000, ge=1_000)
    request_rows: int = Field(default=10_000, ge=1)
    compact_seconds: float = Field(default=5, gt=0)
    compact_rows: int = Field(default=5_000, ge=1)
