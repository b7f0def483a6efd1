"""Data of the benchmarks: people of a CRM as CSV, the same rows for the same number of rows.

``python -m bench.generate ROWS FILE``: twelve columns of about 125 bytes a row. 2 % of the addresses and 5 % of the
phones are missing, 10 % of the phones are no US numbers and 1 % of the addresses no addresses; 3 % of the addresses
are not ASCII, 30 % have capitals, 6 % blanks around them; some cities are quoted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from bench.tasks import COLUMNS

_SEED = 20171113
_CHUNK_ROWS = 500_000


def _names(text: str) -> list[str]:
    return text.split("|")


_FIRST = _names(
    "Ann|Bob|Carla|Dmitri|Eve|Fatima|George|José|Zoë|Ivan|Mary-Jane|Olu|Søren|Chloé|Kim|James|Linda|David"
)
_LAST = _names(
    "Lee|Garcia|Smith|Müller|Okafor|Tanaka|Rossi|Novák|Johnson|Brown|O'Neil|Williams|Davis|Núñez|Clark"
)
_CAPITALS = _names("AnnLee|BobSmith|EveBrown|KimClark|IvanDavis|OluGarcia")
_PLAIN = _names("a.lee|b.smith|c.brown|d.clark|e.davis|f.garcia|g.johnson|h.rossi")
_HOSTS = _names(
    "gmail.com|yahoo.com|outlook.com|mail.example|post.example|shop.example.com|uni.example.edu|icloud.com"
)
_CITIES = _names(
    "New York|Chicago|Houston|Washington, DC|San José|Montréal|Austin|Columbus|St. Louis, MO|Seattle|Denver|Boston|"
    "El Paso|Nashville|Detroit|Portland|Memphis|Baltimore|Tucson|Fresno|Mesa|Atlanta|Omaha|Miami|Oakland|Tampa"
)
_SEGMENTS = _names("vip|new|loyal|churned|at_risk|dormant|prospect|student|senior|family|newsletter|premium")
_AREAS = [str(area) for area in (212, 213, 305, 312, 404, 408, 415, 503, 602, 617, 646, 702, 713, 801, 917)]
_PHONES = (
    ["({a}) {b}-{c}"] * 4 + ["{a}-{b}-{c}"] * 3 + ["+1 {a} {b} {c}"] * 2 + ["+1{a}{b}{c}"] * 2 + ["{a}{b}{c}"] * 3
    + ["1-{a}-{b}-{c}", "{a}.{b}.{c}", " {a} {b} {c} ", "+44 20 7{b} {c}", "{b}-{c}", ""]
)  # fmt: skip


def generate(rows: int, path: Path) -> None:
    """Write a file of so many rows, unless it is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        for start in range(0, rows, _CHUNK_ROWS):
            frame = _rows(start, min(_CHUNK_ROWS, rows - start))
            frame.write_csv(file, include_header=start == 0)
    partial.rename(path)


def _rows(start: int, count: int) -> pl.DataFrame:
    """Rows with the ids behind ``start``; the same for every size of the file."""
    rng = np.random.default_rng((_SEED, start))

    def choice(of: Sequence[str]) -> pl.Series:
        return pl.Series(of).gather(rng.integers(0, len(of), count))

    def number(low: int, high: int) -> pl.Series:
        return pl.Series(rng.integers(low, high, count))

    columns = {
        "id": pl.Series(np.arange(start + 1, start + count + 1)),
        "first_name": choice(_FIRST), "last_name": choice(_LAST), "city": choice(_CITIES),
        "segment": choice(_SEGMENTS), "capitals": choice(_CAPITALS), "plain": choice(_PLAIN), "host": choice(_HOSTS),
        "area": choice(_AREAS), "office": number(200, 1000), "line": number(0, 10_000), "kind": number(0, 1000),
        "written": number(0, len(_PHONES)), "postal": number(501, 99_901), "birth": number(-12_700, 13_500),
        "seen": number(1_325_376_000, 1_767_225_600), "cents": number(0, 50_000), "agrees": number(0, 3),
    }  # fmt: skip
    cents = (pl.col("cents") % 100).cast(pl.String).str.zfill(2)
    frame = pl.DataFrame(columns).with_columns(
        email=_email(), phone=_phone(),
        postal_code=pl.col("postal").cast(pl.String).str.zfill(5),
        birth_date=pl.when(pl.col("kind") % 50 > 0).then(pl.from_epoch("birth", "d")),
        signed_up_at=pl.from_epoch("seen", "s").dt.strftime("%Y-%m-%d %H:%M:%S"),
        spend=pl.when(pl.col("kind") % 100 > 0).then(pl.concat_str(pl.col("cents") // 100, pl.lit("."), cents)),
        consent=pl.col("agrees") > 0,
    )  # fmt: skip
    return frame.select(COLUMNS)


def _email() -> pl.Expr:
    kind, number = pl.col("kind"), pl.col("id").cast(pl.String)
    named = pl.concat_str("first_name", pl.lit("."), "last_name", number, pl.lit("@"), "host")
    capitals = pl.concat_str("capitals", number, pl.lit("@"), "host")
    plain = pl.concat_str("plain", number, pl.lit("@"), "host")
    padded = pl.concat_str(pl.lit(" "), plain, pl.lit(" "))
    chosen = pl.when(kind < 30).then(pl.concat_str("first_name", pl.lit("."), "last_name"))
    for below, text in ((90, named), (390, capitals), (450, padded)):
        chosen = chosen.when(kind < below).then(text)
    return pl.when(kind >= 20).then(chosen.otherwise(plain))


def _phone() -> pl.Expr:
    line = pl.col("line").cast(pl.String).str.zfill(4)
    parts = {"{a}": pl.col("area"), "{b}": pl.col("office").cast(pl.String), "{c}": line}
    chosen = pl.when(False).then(pl.lit(None, pl.String))
    for place, shape in enumerate(_PHONES):
        pieces = [parts.get(piece, pl.lit(piece)) for piece in re.split(r"(\{[abc]\})", shape)]
        chosen = chosen.when(pl.col("written") == place).then(pl.concat_str(pieces) if shape else None)
    return chosen


if __name__ == "__main__":
    generate(int(sys.argv[1]), Path(sys.argv[2]))
