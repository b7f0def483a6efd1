"""The state, the pages and the settings, each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.state import Store
from sandbox.wire import ServiceFault


def test_documents_are_found_in_the_order_of_their_creation(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    for name in ("b", "a", "c"):
        store.add("thing", {"id": name}, owner="1", parent="p")
    store.save("thing", {"id": "b", "changed": True})

    found = Store(tmp_path / "state.sqlite").find("thing", parent="p")

    assert [one["id"] for one in found] == ["b", "a", "c"]
    assert found[0]["changed"] is True


def test_a_failed_change_leaves_nothing_behind() -> None:
    store = Store(None)

    def change() -> None:
        with store.transaction():
            store.add("thing", {"id": "a"}, owner="1")
            with store.transaction():
                store.add("thing", {"id": "b"}, owner="1")
            raise LookupError("half way")

    with pytest.raises(LookupError, match="half way"):
        change()
    assert store.find("thing") == []


def test_pages_go_on_after_what_was_shown_even_when_it_is_deleted() -> None:
    documents = [{"_seq": number} for number in range(1, 6)]
    first, more = page(documents, {"maxResults": 2}, "list", newest_first=True)
    second, _ = page(documents[:3], {"maxResults": 2, **more}, "list", newest_first=True)
    assert [one["_seq"] for one in first] == [5, 4]
    assert [one["_seq"] for one in second] == [3, 2]


@pytest.mark.parametrize("token", ["nonsense", "WyJvdGhlciIsIDFd"])
def test_tokens_of_another_list_are_refused(token: str) -> None:
    with pytest.raises(ServiceFault, match="not a token of this list"):
        page([], {"nextToken": token}, "list")


def test_settings_come_from_the_environment_and_name_the_wrong_variable() -> None:
    given = {"SANDBOX_CLEANROOMS_STARTED_SECONDS": "1.5", "SANDBOX_CLEANROOMS_THREADS": "1"}
    settings = Settings.from_environment(given)
    assert (settings.started_seconds, settings.threads, settings.violations) == (1.5, 1, "sync")
    with pytest.raises(ValueError, match="SANDBOX_CLEANROOMS_THREADS must be of type int"):
        Settings.from_environment({"SANDBOX_CLEANROOMS_THREADS": "many"})
    with pytest.raises(ValueError, match="SANDBOX_CLEANROOMS_VIOLATIONS must be one of sync, async"):
        Settings.from_environment({"SANDBOX_CLEANROOMS_VIOLATIONS": "later"})
