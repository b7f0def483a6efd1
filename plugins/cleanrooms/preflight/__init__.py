"""Is a collaboration ready for its week? Facts are gathered once; pure checks list every reason why not."""

from cleanrooms.preflight.checks import CHECKS, problems
from cleanrooms.preflight.facts import Facts, gather

__all__ = ["CHECKS", "Facts", "gather", "problems"]
