"""``python -m cleanrooms.identity cases FILE`` runs a file of vectors, ``… conformance FILE`` reports on it.

Both exit with 1 where a vector differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from cleanrooms.identity import cases, conformance


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when no vector differs, 1 when one does, 2 when the file cannot be read."""
    parser = argparse.ArgumentParser(
        prog="cleanrooms.identity", description="Identifiers of people by dialect."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("cases", help="run a file of vectors")
    run.add_argument("file", type=Path)
    write = commands.add_parser(
        "conformance", help="write the report on a file of vectors to standard output"
    )
    write.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    try:
        vectors = cases.load(options.file)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    outcomes = cases.run(vectors)
    if options.command == "conformance":
        print(conformance.report(vectors, options.file.as_posix()), end="")
        return 1 if any(o.verdict == "fail" for o in outcomes) else 0
    for o in outcomes:
        if o.verdict != "pass":
            print(f"{o.verdict:12} {o.id}  {o.detail}")
    counts = Counter((o.verdict, o.kind) for o in outcomes)
    for (verdict, kind), n in sorted(counts.items()):
        print(f"{n:5} {verdict:12} {kind}")
    return 1 if any(o.verdict == "fail" for o in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
