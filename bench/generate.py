"""Data of the benchmarks: people and purchases as CSV, the same for the same number of rows.

``python -m bench.generate ROWS FILE``: nine columns of about 110 bytes a row; 2 % of the addresses and 5 % of the
phones are missing, 10 % of the phones are no US numbers, 2 % of the addresses are not ASCII.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.tasks import COLUMNS

_FIRST = (
    "ann",
    "bob",
    "carla",
    "dmitri",
    "eve",
    "fatima",
    "george",
    "josé",
    "zoë",
    "ivan",
    "mary-jane",
    "olu",
)
_LAST = (
    "lee",
    "garcia",
    "smith",
    "müller",
    "okafor",
    "tanaka",
    "rossi",
    "novak",
    "johnson",
    "brown",
    "o'neil",
)
_HOSTS = ("mail.example", "post.example", "gmail.com", "shop.example.com", "uni.example.edu")
_COMMENTS = ("", "gift", "called, will call back", 'said "maybe", twice', "returned once; satisfied", "vip")


def generate(rows: int, path: Path) -> None:
    """Write a file of so many rows, unless it is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows(rows))
    partial.rename(path)


def _rows(rows: int) -> Iterator[tuple[object, ...]]:
    rng = Random(20171113)
    choose, number, share = rng.choice, rng.randrange, rng.random
    for n in range(1, rows + 1):
        first, last = choose(_FIRST), choose(_LAST)
        plain = first.isascii() and last.isascii()
        local = f"{first}.{last}{n}" if plain or share() < 0.08 else f"p.{n}"
        email = "" if share() < 0.02 else f"{local}@{choose(_HOSTS)}"
        if share() < 0.3:
            email = f" {email.upper()} "
        yield (
            n, email, _phone(rng), f"{first} {last}".title(), choose(_COMMENTS), f"{number(50_000) / 100:.2f}",
            f"store-{number(400)}", f"2017-{number(1, 13):02d}-{number(1, 29):02d}", choose(("yes", "no")),
        )  # fmt: skip


def _phone(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.05:
        return ""
    area = rng.randrange(100, 1000) if kind < 0.15 else rng.choice((212, 312, 408, 415, 617, 646, 713))
    office, line = rng.randrange(200, 1000), f"{rng.randrange(10_000):04d}"
    return rng.choice((f"({area}) {office}-{line}", f"{area}-{office}-{line}", f"+1{area}{office}{line}"))


if __name__ == "__main__":
    generate(int(sys.argv[1]), Path(sys.argv[2]))
