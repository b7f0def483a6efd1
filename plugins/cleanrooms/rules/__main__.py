"""Command line: judge one query, or run a file of cases."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from cleanrooms.errors import CleanRoomsError, ConfigError
from cleanrooms.rules.cases import Corpus
from cleanrooms.rules.check import check
from cleanrooms.rules.model import Table, Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    :return: 0 when accepted or agreed, 1 when refused or different, 2 when the input cannot be used
    """
    options = _parser().parse_args(arguments)
    try:
        return _cases(options) if options.command == "cases" else _check(options)
    except CleanRoomsError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cleanrooms.rules", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    cases = commands.add_parser("cases", help="run a file of cases; exit code 1 where a high one differs")
    cases.add_argument("file", type=Path)
    cases.add_argument("--json", action="store_true", help="print one JSON document")
    single = commands.add_parser("check", help="judge one query; exit code 1 when it is refused")
    single.add_argument("--sql", type=Path, required=True, help="file with the query, - for standard input")
    single.add_argument(
        "--tables", type=Path, required=True, help="YAML file with the tables and their rules"
    )
    single.add_argument("--runner", default="A", help="account that runs the query (default: A of the file)")
    single.add_argument("--receiver", action="append", default=[], help="account that receives the result")
    single.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    single.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _cases(options: argparse.Namespace) -> int:
    corpus = Corpus.load(options.file)
    outcomes = [corpus.run(case) for case in corpus.cases]
    levels = {}
    for level in dict.fromkeys(outcome.confidence for outcome in outcomes):
        judged = [item for item in outcomes if item.confidence == level and item.agrees is not None]
        levels[level] = {"agree": sum(bool(item.agrees) for item in judged), "of": len(judged)}
    skipped = [item.id for item in outcomes if item.agrees is None]
    if options.json:
        summary = {"levels": levels, "skipped": skipped, "cases": [item.as_dict() for item in outcomes]}
        print(json.dumps(summary, indent=2, sort_keys=True))
    else:
        for item in outcomes:
            mark = {True: "agrees", False: "DIFFERS", None: "skipped"}[item.agrees]
            got = ", ".join(item.codes) or "OK"
            reason = "" if item.agrees else f"  {item.detail}"
            print(f"{item.id:<16} {item.confidence:<7} {mark:<8} expected {item.expected}, got {got}{reason}")
        for level, counts in levels.items():
            print(f"{level}: {counts['agree']} of {counts['of']} agree")
        if skipped:
            print(f"skipped, DuckDB is not installed: {', '.join(skipped)}")
    return int(any(item.confidence == "high" and item.agrees is False for item in outcomes))


def _check(options: argparse.Namespace) -> int:
    tables, accounts = _load_tables(options.tables)
    sql = sys.stdin.read() if str(options.sql) == "-" else _read(options.sql)
    pairs = [text.partition("=") for text in options.parameter]
    verdict = check(
        sql,
        tables,
        runner=accounts.get(options.runner, options.runner),
        receivers=[accounts.get(name, name) for name in options.receiver],
        parameters={name: value for name, _, value in pairs},
    )
    print(_as_json(verdict) if options.json else _as_text(verdict))
    return 0 if verdict.accepted else 1


def _load_tables(path: Path) -> tuple[dict[str, Table], Mapping[str, str]]:
    """Tables from a file of cases, or from a file that has ``tables`` at its top."""
    content = yaml.safe_load(_read(path))
    if not isinstance(content, dict):
        raise ConfigError(f"{path} has no tables.", "Write them under the key tables.")
    fixtures = content.get("fixtures") or {"tables": content.get("tables")}
    if not isinstance(fixtures.get("tables"), dict):
        raise ConfigError(f"{path} has no tables.", "Write them under the key tables.")
    corpus = Corpus({"accounts": content.get("accounts"), "fixtures": fixtures})
    return {name: corpus.table(name) for name in corpus.tables}, corpus.accounts


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read.", "Name an existing file.") from error


def _as_json(verdict: Verdict) -> str:
    content: dict[str, Any] = asdict(verdict)
    return json.dumps(content, indent=2)


def _as_text(verdict: Verdict) -> str:
    if verdict.accepted:
        return f"accepted\n{verdict.sql}"
    return "refused\n" + "\n".join(f"- {violation}" for violation in verdict.violations)


if __name__ == "__main__":
    sys.exit(main())
