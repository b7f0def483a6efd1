"""How fast columns of each dialect are, and how much faster than its function value by value.

``python -m bench.dialects [ROWS]``: addresses and US phones, nearly all different, in microseconds of CPU time a value.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

import polars as pl

from bench.phones import us
from cleanrooms.identity import DIALECTS, normalise

_HOSTS = ("gmail.com", "gmail.com", "yahoo.com", "outlook.com", "Mail.example", "uni.example.edu")
_SAMPLE = 10_000


def main(arguments: list[str]) -> int:
    rows = int(arguments[0]) if arguments else 131_072
    rng = random.Random(20171113)
    values = {"email": [_address(rng) for _ in range(rows)], "phone": [us(rng) for _ in range(rows)]}
    print(f"{'dialect':22} {'identifier':10} {'column':>8} {'one by one':>11}")
    for chosen in DIALECTS.values():
        for identifier, texts in values.items():
            series, function = pl.Series("v", texts, pl.String), chosen.normalisers[identifier]
            normalise(identifier, chosen.name, series, region="US")  # what is made once
            column = _seconds(lambda: normalise(identifier, chosen.name, series, region="US")) / rows  # noqa: B023
            sample = [text for text in texts[:_SAMPLE] if text is not None]
            single = _seconds(lambda: [function(text, "US") for text in sample]) / len(sample)  # noqa: B023
            print(f"{chosen.name:22} {identifier:10} {column * 1e6:8.2f} {single * 1e6:11.2f}")
    return 0


def _address(rng: random.Random) -> str | None:
    if rng.random() < 0.02:
        return None
    name = rng.choice(("ann", "Bob.Lee", "c.brown", "zoë", "dmitri_k", "eve-f", "Olu.Garcia+shop"))
    return f"{name}{rng.randrange(10**6)}@{rng.choice(_HOSTS)}"


def _seconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
