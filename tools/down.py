"""`make down`: stop what `make up` started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.stack import Stack


def main() -> None:
    stack = Stack(Path(os.environ.get("STATE", ".state")) / "up", say=lambda text: print(f"down: {text}"))
    stack.down()
    if "--clean" in sys.argv:
        stack.clean()
    print("down: everything is stopped")


if __name__ == "__main__":
    main()
