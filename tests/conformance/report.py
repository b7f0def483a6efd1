"""The report of a run: per question the readings, the one taken, and which was right."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance.asking import Question
from tests.conformance.places import PREFIX


@dataclass
class Report:
    """Lines of a Markdown table; ``where`` says what was asked."""

    path: Path
    where: str = "the local AWS"
    lines: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def from_environment(cls, otherwise: Path) -> Report:
        """The report at ``CLEANROOMS_CONFORMANCE_REPORT``."""
        return cls(Path(os.environ.get(f"{PREFIX}REPORT") or otherwise))

    def add(self, question: Question, seen: str) -> None:
        """One answer."""
        right = "**taken**" if seen == question.taken else "another" if seen in question.readings else "none"
        readings = "; ".join(f"`{key}`: {text}" for key, text in question.readings.items())
        line = f"| {question.experiment} | {question.title} | {readings} | `{question.taken}` | `{seen}` | {right} |"
        self.lines.append((question.experiment, line))

    def write(self) -> None:
        """Write the file; nothing was asked, nothing is written."""
        if not self.lines:
            return
        head = [
            f"# Open questions, asked of {self.where}",
            "",
            "| experiment | question | readings | taken | seen | right reading |",
            "|---|---|---|---|---|---|",
        ]
        self.path.write_text(
            "\n".join([*head, *(line for _, line in sorted(self.lines, key=lambda pair: pair[0]))]) + "\n"
        )
