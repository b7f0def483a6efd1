"""Keys in a job's processes: fetched by each, and the same version by all."""

from __future__ import annotations

import json

from cleanrooms.spark.clients import Pinned


class Client:
    """A Secrets Manager in which the secret was rotated since the driver asked."""

    def get_secret_value(self, **request: str) -> dict[str, str]:
        return {"VersionId": request.get("VersionId", "new"), "SecretString": "k"}


def test_a_secret_that_is_rotated_during_a_run_does_not_mix_keys() -> None:
    driver = Pinned(Client(), {json.dumps({"SecretId": "hmac"}): "old"})
    executor = Pinned(Client(), driver.versions)
    assert executor.get_secret_value(SecretId="hmac")["VersionId"] == "old"


def test_the_driver_takes_the_current_version_and_notes_it() -> None:
    driver = Pinned(Client())
    assert driver.get_secret_value(SecretId="hmac")["VersionId"] == "new"
    assert list(driver.versions.values()) == ["new"]
