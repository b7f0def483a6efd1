"""The tasks that all tools of ``bench.prepare`` are given, and how a tool's cost is taken."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass

COLUMNS = ("id", "email", "phone", "full_name", "comment", "amount", "store", "bought_on", "consent")
TYPES = {"id": "bigint", "amount": "decimal", "bought_on": "date", "consent": "boolean"}
RESULT = ("id", "email_key", "phone_key", "amount", "store", "bought_on", "consent")


@dataclass(frozen=True)
class Task:
    """CSV of nine columns; e-mail and phone normalised and hashed to hex, two dropped, the rest typed; Parquet, zstd 1.

    :param key: of HMAC-SHA-256; none for plain SHA-256
    """

    name: str
    key: bytes | None

    @property
    def text_key(self) -> str | None:
        return self.key.decode() if self.key else None

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """The inner and outer block of HMAC (RFC 2104), for tools that have no HMAC of their own."""
        block = (self.key or b"").ljust(64, b"\0")
        return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


TASKS = {"T1": Task("T1", b"bench-key-0123456789abcdef012345"), "T2": Task("T2", None)}


class Meter:
    """CPU time (user and system, of this process and of its finished children), wall time and peak memory."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """From here on time counts: imports and starts are over."""
        self._cpu, self._wall = _cpu(), time.perf_counter()

    def facts(self) -> dict[str, float]:
        """CPU-seconds, seconds and MB (of the largest process, its children's largest included)."""
        peaks = [
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        return {
            "cpu": _cpu() - self._cpu,
            "wall": time.perf_counter() - self._wall,
            "peak": sum(peaks) / 1024,
        }


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
