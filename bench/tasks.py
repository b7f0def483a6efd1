"""The tasks that all tools of ``bench.prepare`` are given, and how a tool's cost is taken."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "id", "email", "phone", "first_name", "last_name", "city", "postal_code", "birth_date", "signed_up_at", "segment",
    "spend", "consent",
)  # fmt: skip
TYPES = {
    "id": "bigint", "birth_date": "date", "signed_up_at": "timestamp", "spend": "decimal", "consent": "boolean",
}  # fmt: skip
RESULT = (
    "id", "email_key", "phone_key", "city", "postal_code", "birth_date", "signed_up_at", "segment", "spend", "consent",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """A CSV of twelve columns; e-mail and phone normalised and hashed, two dropped, the rest typed; Parquet, zstd 1.

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
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return {
            "cpu": _cpu() - self._cpu,
            "wall": time.perf_counter() - self._wall,
            "peak": (_highest() + children) / 1024,
        }


def _highest() -> int:
    """Most KB of this process; what getrusage says is, on Linux, its parent's where that had more."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1])


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
