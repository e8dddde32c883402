"""`python -m vigil.serving`: the gateway on one port.

The application is named as a string, as uvicorn does for factories: the composition root knows the gateway, and the
gateway does not know the composition root.
"""

import logging
from typing import Annotated

import typer

from vigil.serving.process import serve

APP = "vigil.wiring:gateway"


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; the default is this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8900,
) -> None:
    """Serve the models of all monitors that load, and log every prediction."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    serve(APP, host=host, port=port)


if __name__ == "__main__":
    typer.run(main)
