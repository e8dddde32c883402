"""`python -m vigil.emulators.slack --port 18090 --state slack.json [--users users.json]`."""

import argparse
import json
from pathlib import Path

import uvicorn

from vigil.emulators.slack.methods import SCOPES
from vigil.emulators.slack.server import Droppable, Server, create_app
from vigil.emulators.slack.state import StateFile, people

HOST = "127.0.0.1"


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(prog="vigil.emulators.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=18090)
    parser.add_argument("--state", type=Path, help="JSON file that keeps the workspace (default: memory only)")
    parser.add_argument("--users", type=Path, help="JSON list of {email, name, role}")
    parser.add_argument("--scopes", default=",".join(sorted(SCOPES)), help="comma list of granted bot scopes")
    parser.add_argument("--page-cap", type=int, default=1000, help="longest page of list and history")
    args = parser.parse_args()
    entries = json.loads(args.users.read_text(encoding="utf-8")) if args.users else []
    server = Server(
        file=StateFile(args.state),
        users=people(entries),
        scopes=frozenset(s for s in args.scopes.split(",") if s),
        page_cap=args.page_cap,
    )
    uvicorn.run(Droppable(create_app(server)), host=HOST, port=args.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
