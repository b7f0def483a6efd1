"""Command line of the local AWS: ``python -m sandbox serve --port N --data DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.server import HOST, PortBusy, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 after a clean stop, 1 when the port is busy."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The local AWS.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve one endpoint on 127.0.0.1 until SIGTERM")
    command.add_argument("--port", type=int, default=4566, help="0 takes a free port (default: 4566)")
    command.add_argument(
        "--host",
        default=HOST,
        help=f"address to listen on (default: {HOST}; in a container 0.0.0.0, so that its port can be published)",
    )
    command.add_argument("--data", type=Path, help="folder that keeps the state over restarts")
    options = parser.parse_args(arguments)
    # The clean room checks queries with the package's own rules, which Airflow finds in its plugins folder.
    sys.path.append(str(Path(__file__).resolve().parent.parent / "plugins"))
    try:
        serve(options.port, options.data, options.host)
    except PortBusy as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
