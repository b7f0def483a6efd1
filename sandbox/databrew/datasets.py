"""Datasets: where a job's rows come from."""

from __future__ import annotations

from typing import Any

from sandbox.cleanrooms.state import Document
from sandbox.databrew.base import Brew, page
from sandbox.databrew.refusals import conflict, invalid, not_here
from sandbox.wire import Caller

_FORMATS = ("CSV", "JSON", "PARQUET")
_ENDINGS = {
    "CSV": (".csv", ".csv.gz", ".tsv"),
    "JSON": (".json", ".json.gz", ".jsonl"),
    "PARQUET": (".parquet",),
}


class Datasets(Brew):
    """Operations on datasets."""

    def create_dataset(self, caller: Caller, **request: Any) -> Document:
        """Creates a dataset of S3 objects or of a Glue table."""
        self.create(caller, "dataset", self.settings.datasets, _checked(request))
        return {"Name": request["Name"]}

    def update_dataset(self, caller: Caller, **request: Any) -> Document:
        """Replaces the definition."""
        checked = _checked(request)
        with self.store.transaction():
            found = self.owned(caller, "dataset", request["Name"])
            fields = ("Format", "FormatOptions", "Input", "PathOptions", "Source")
            self.change(caller, "dataset", found, **{name: checked.get(name) for name in fields})
        return {"Name": request["Name"]}

    def describe_dataset(self, caller: Caller, **request: Any) -> Document:
        """Returns a dataset."""
        return self.shown(self.owned(caller, "dataset", request["Name"]))

    def list_datasets(self, caller: Caller, **request: Any) -> Document:
        """Returns all datasets of the account in the region."""
        shown, token = page(self.all_of(caller, "dataset"), request, "datasets")
        return {"Datasets": [{**self.shown(d), "AccountId": caller.account} for d in shown], **token}

    def delete_dataset(self, caller: Caller, **request: Any) -> Document:
        """Deletes a dataset that no job uses."""
        with self.store.transaction():
            found = self.owned(caller, "dataset", request["Name"])
            jobs = self.all_of(caller, "job")
            users = [job["Name"] for job in jobs if job["DatasetName"] == request["Name"]]
            if users:
                raise conflict(f"Dataset {request['Name']} is used by job {users[0]}.")
            self.remove("dataset", found)
        return {"Name": request["Name"]}


def _checked(request: dict[str, Any]) -> dict[str, Any]:
    given = request["Input"]
    places = [name for name in given if name != "Metadata"]
    if len(places) != 1:
        raise invalid("Input must have exactly one of S3InputDefinition, DataCatalogInputDefinition, …")
    if "DatabaseInputDefinition" in given:
        raise not_here("datasets of a JDBC connection")
    if request.get("PathOptions"):
        raise not_here("PathOptions (parameters, filters and limits of an S3 path)")
    if "DataCatalogInputDefinition" in given:
        return {**request, "Source": "DATA-CATALOG"}
    location = given["S3InputDefinition"]
    if "<" in location.get("Key", ""):
        raise not_here("regular expressions in an S3 path")
    return {**request, "Source": "S3", "Format": _format(request, location.get("Key", ""))}


def _format(request: dict[str, Any], key: str) -> str:
    named: str | None = request.get("Format")
    guessed = [kind for kind, endings in _ENDINGS.items() if key.lower().endswith(endings)]
    if named is None and not guessed:
        raise invalid("Format is needed: the ending of the key does not tell it.")
    if named is not None and named not in _FORMATS:
        raise not_here(f"datasets of format {named}")
    return named or guessed[0]
