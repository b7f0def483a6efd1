"""Values are the same with the compiled package and without it: tests of whole columns run both ways."""

from __future__ import annotations

import pytest

from cleanrooms.identity import native


@pytest.fixture(params=["native", "without"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``cleanrooms_native``, also for columns that are not worth it, and as if it were not installed."""
    monkeypatch.setattr(native, "MANY_ROWS", 0)
    if request.param == "without":
        monkeypatch.setattr(native, "library", None)
    elif not native.available():
        pytest.skip("cleanrooms_native is not built: make native says what it needs")
