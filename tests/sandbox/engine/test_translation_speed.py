"""Translation is work in proportion to the query."""

from __future__ import annotations

from sandbox.cleanrooms.engine.translate import translate
from tests.effort import calls
from tests.sandbox.engine.edges import TYPES


def work(conditions: int) -> int:
    chain = " OR ".join(f"(t.i = {number} AND t.s = 'x{number}')" for number in range(conditions))
    return calls(lambda: translate(f"SELECT count(*) AS n FROM t WHERE {chain}", {"t": TYPES}))


def test_long_conditions_take_work_in_proportion() -> None:
    work(10)
    assert work(2000) < 12 * work(200)
