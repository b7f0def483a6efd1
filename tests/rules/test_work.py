"""A verdict is work in proportion to the text (``make bench-verdict`` measures the time)."""

from __future__ import annotations

import pytest

from bench.verdict import GROWING
from cleanrooms.rules import check
from tests.effort import calls
from tests.rules.support import OURS, TABLES


@pytest.mark.parametrize("name", GROWING)
def test_a_verdict_is_work_in_proportion_to_the_text(name: str) -> None:
    def work(kilobytes: int) -> int:
        return calls(lambda: check(GROWING[name](kilobytes * 1024), TABLES, runner=OURS, receivers=[OURS]))

    work(1)
    assert work(50) < 6 * work(10)
