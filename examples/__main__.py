"""Command line of the example: ``python -m examples setup|truth|cleanup``.

Set-up and clean-up act with the administrators' keys in the environment variables that ``--help`` names; on
the local AWS the account id and ``test`` are enough, which is the default. The endpoint is AWS_ENDPOINT_URL's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "plugins"))

from cleanrooms.windows import Week
from examples import brand, partner
from examples.party import Party


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.command == "truth":
        from examples.truth import expected

        print(json.dumps(expected(options.week.monday), indent=1, default=str))
        return 0
    us = _party("brand", brand.ACCOUNT, options.region)
    them = _party("retailer", partner.ACCOUNT, options.region)
    if options.command == "cleanup":
        from examples.cleanup import clean_up

        clean_up(us, them, crm_uri=options.crm)
        return 0
    from examples.setup import set_up

    example = set_up(us, them, options.first, options.last, crm_uri=options.crm)
    if options.out:
        _write_private(options.out, json.dumps(asdict(example), indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples",
        description="The retailer-and-brand example.",
        epilog="Administrators' keys: BRAND_ACCESS_KEY_ID, BRAND_SECRET_ACCESS_KEY, RETAILER_ACCESS_KEY_ID, "
        "RETAILER_SECRET_ACCESS_KEY (default: the root keys of the local AWS).",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    setup = commands.add_parser("setup", help="make accounts, data and collaboration")
    setup.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2017, 11, 13))
    setup.add_argument("--to", dest="last", type=date.fromisoformat, default=date(2017, 11, 19))
    setup.add_argument("--out", type=Path, help="file for ids and Airflow's access key (JSON, mode 600)")
    truth = commands.add_parser("truth", help="print the results that a week must have, as JSON")
    truth.add_argument("--week", type=_week, default=_week("2017-11-13"), help="a day of the week")
    cleanup = commands.add_parser("cleanup", help="remove everything from both accounts")
    for command in (setup, cleanup):
        command.add_argument("--crm", metavar="URI", help="postgresql://… of the CRM's database")
        command.add_argument("--region", default="us-east-1")
    return parser


def _week(text: str) -> Week:
    return Week.of(date.fromisoformat(text))


def _party(name: str, account: str, region: str) -> Party:
    prefix = name.upper()
    key_id = os.environ.get(f"{prefix}_ACCESS_KEY_ID", account)
    secret = os.environ.get(f"{prefix}_SECRET_ACCESS_KEY", "test")
    return Party.with_key(name, account, region, key_id, secret)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
