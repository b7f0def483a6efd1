"""``python -m cleanrooms.identity cases FILE…`` runs files of vectors, ``… conformance FILE…`` reports on them.

Both exit with 1 where a vector differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cleanrooms.identity import cases, conformance


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when no vector differs, 1 when one does, 2 when a file cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        vectors = [v for file in options.files for v in cases.load(file)]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    outcomes = cases.run(vectors)
    if options.command == "conformance":
        files = " ".join(file.as_posix() for file in options.files)
        print(conformance.report(outcomes, files), end="")
    else:
        _print(outcomes)
    return 1 if any(o.verdict == "fail" for o in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cleanrooms.identity", description="Identifiers of people by dialect."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, does in (
        ("cases", "run files of vectors"),
        ("conformance", "write the report on files of vectors to standard output"),
    ):
        commands.add_parser(name, help=does).add_argument("files", type=Path, nargs="+", metavar="FILE")
    return parser


def _print(outcomes: Iterable[cases.Outcomes]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for o in outcomes:
        counts[o.verdict, o.kind] += 1
        if o.verdict != "pass":
            print(f"{o.verdict:12} {o.id}  {o.detail}")
    for (verdict, kind), n in sorted(counts.items()):
        print(f"{n:5} {verdict:12} {kind}")


if __name__ == "__main__":
    sys.exit(main())
