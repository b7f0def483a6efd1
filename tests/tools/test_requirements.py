"""A deployment installs the ranges that the package declares."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def test_requirements_are_the_packages_dependencies_with_their_ranges() -> None:
    declared = {
        each.name.lower(): each
        for each in map(
            Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        )
    }
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    deployed = {each.name.lower(): each for each in map(Requirement, (x for x in lines if x[:1] not in "#-"))}
    assert set(deployed) == set(declared) - {"apache-airflow"}
    for name, requirement in deployed.items():
        # Providers come in the versions of the deployment's constraints.
        ranged = declared[name].specifier if not name.startswith("apache-airflow") else requirement.specifier
        assert (name, requirement.specifier) == (name, ranged)
        assert (name, requirement.extras) == (name, declared[name].extras)
