"""The rows of intermediate tables: files of the service's own, which no member's account can reach."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

import pyarrow.parquet as pq

from sandbox.parquet_footers import hive_type


class ManagedStorage:
    """One Parquet file per version of an intermediate table."""

    def __init__(self, folder: Path | None) -> None:
        """:param folder: where the files outlive the process; ``None`` for a temporary one"""
        # Removed by the interpreter's exit, too.
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="cleanrooms-managed-")
        place = Path(self._temporary.name) if self._temporary else folder
        assert place is not None
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = place

    def keep(self, version: str, result: Path) -> dict[str, str]:
        """Takes a query's result in, whole or not at all, and returns its columns with Hive types."""
        coming = self._folder / f"{version}.coming"
        shutil.copyfile(result, coming)
        os.replace(coming, self._file(version))
        return {field.name: hive_type(field.type) for field in pq.read_schema(self._file(version))}

    def lend(self, version: str, place: Path) -> bool:
        """Puts a version's rows into a query's folder; they stay there whatever becomes of the version.

        :return: ``False`` when the rows are gone
        """
        try:
            os.link(self._file(version), place)
        except FileNotFoundError:
            return False
        except OSError:  # the query's folder is on another file system
            shutil.copyfile(self._file(version), place)
        return True

    def drop(self, version: str) -> None:
        """Deletes the rows of a version, if they are there."""
        self._file(version).unlink(missing_ok=True)

    def drop_all_but(self, versions: Collection[str]) -> None:
        """Deletes what no version knows: left over by a process that was ended half way."""
        for file in self._folder.iterdir():
            if file.suffix != ".parquet" or file.stem not in versions:
                file.unlink()

    def _file(self, version: str) -> Path:
        return self._folder / f"{version}.parquet"
