"""The runs of all crawlers: one at a time for each crawler, their history kept."""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.clients import root_client
from sandbox.crawl_rights import RoleRights
from sandbox.crawler import Crawl, Stopped, explain

Key = tuple[str, str, str]  # account, region, crawler
_LOG_GROUP = "/aws-glue/crawlers"
_HISTORY = 1000  # runs kept for each crawler


class AlreadyRunning(Exception):
    """The crawler has not finished its run."""


class NotRunning(Exception):
    """There is no run to stop."""


class CrawlRuns:
    """Starts, stops and reports runs.

    :param file: where finished runs are kept; ``None`` keeps them in memory only
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._stops: dict[Key, threading.Event] = {}
        self._runs: dict[Key, list[dict[str, Any]]] = {}
        if file is not None and file.exists():
            saved = json.loads(file.read_text(encoding="utf-8"))
            for key, runs in saved.items():
                account, region, name = key.split("|", 2)
                self._runs[account, region, name] = runs

    def start(self, account: str, region: str, crawler: Mapping[str, Any]) -> None:
        """Starts a run in a thread of its own.

        :param crawler: the ``Crawler`` structure
        :raises AlreadyRunning: nothing was started
        """
        key = (account, region, crawler["Name"])
        run = {
            "CrawlId": str(uuid.uuid4()),
            "State": "RUNNING",
            "StartTime": time.time(),
            "LogGroup": _LOG_GROUP,
            "LogStream": crawler["Name"],
            "MessagePrefix": str(uuid.uuid4()),
            "Metrics": {},
        }
        with self._lock:
            if self._is_running(key):
                raise AlreadyRunning(f"Crawler with name {crawler['Name']} has already started")
            self._runs[key] = [*self._runs.get(key, []), run][-_HISTORY:]
            self._stops[key] = threading.Event()
        threading.Thread(target=self._run, args=(key, crawler, run), daemon=True).start()

    def stop(self, account: str, region: str, name: str) -> None:
        """Asks the run to end; it does so before its next object.

        :raises NotRunning: there is no run
        """
        key = (account, region, name)
        with self._lock:
            if not self._is_running(key):
                raise NotRunning(f"Crawler with name {name} is not running")
            self._runs[key][-1]["State"] = "STOPPING"
            self._stops[key].set()

    def running(self, account: str, region: str, name: str) -> bool:
        """Returns whether a run has not ended."""
        with self._lock:
            return self._is_running((account, region, name))

    def show(self, account: str, region: str, crawler: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a ``Crawler`` structure with the state and the last run that GetCrawler shows."""
        runs = self._runs.get((account, region, crawler["Name"]), [])
        shown = {name: value for name, value in crawler.items() if name != "LastCrawl"}
        shown["State"], shown["CrawlElapsedTime"] = "READY", 0
        if runs and "EndTime" not in runs[-1]:
            shown["State"] = runs[-1]["State"]
            shown["CrawlElapsedTime"] = int((time.time() - runs[-1]["StartTime"]) * 1000)
        ended = [run for run in runs if "EndTime" in run]
        if ended:
            shown["LastCrawl"] = _last_crawl(ended[-1])
        return shown

    def metrics(self, account: str, region: str, names: list[str]) -> list[dict[str, Any]]:
        """Returns ``CrawlerMetricsList`` for the crawlers named."""
        return [_metrics(name, self._runs.get((account, region, name), [])) for name in names]

    def history(self, account: str, region: str, name: str) -> list[dict[str, Any]]:
        """Returns ``Crawls``, the latest first."""
        return [_crawl(run) for run in reversed(self._runs.get((account, region, name), []))]

    def _is_running(self, key: Key) -> bool:
        runs = self._runs.get(key, [])
        return bool(runs) and "EndTime" not in runs[-1]

    def _run(self, key: Key, crawler: Mapping[str, Any], run: dict[str, Any]) -> None:
        account, region, _ = key
        end: dict[str, Any] = {"State": "COMPLETED"}
        crawl: Crawl | None = None
        try:
            rights = RoleRights(crawler["Role"], region, crawler["Name"])
            rights.check_trust()
            crawl = Crawl(
                root_client("s3", account, region),
                root_client("glue", account, region),
                crawler,
                rights,
                self._stops[key].is_set,
            )
            crawl.run()
        except Stopped:
            end = {"State": "STOPPED"}
        except Exception as problem:
            end = {"State": "FAILED", "ErrorMessage": explain(problem)}
        with self._lock:
            run.update(end, EndTime=time.time(), Metrics=dict(crawl.metrics) if crawl else {})
            run["Log"] = crawl.log if crawl else []
            self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        ended = {"|".join(key): [run for run in runs if "EndTime" in run] for key, runs in self._runs.items()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(ended), encoding="utf-8")
        os.replace(new, self._file)


def _last_crawl(run: Mapping[str, Any]) -> dict[str, Any]:
    status = {"COMPLETED": "SUCCEEDED", "STOPPED": "CANCELLED"}.get(run["State"], run["State"])
    kept = ("ErrorMessage", "LogGroup", "LogStream", "MessagePrefix", "StartTime")
    return {"Status": status, **{name: run[name] for name in kept if name in run}}


def _metrics(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    ended = [run for run in runs if "EndTime" in run]
    seconds = [run["EndTime"] - run["StartTime"] for run in ended]
    counted = ended[-1]["Metrics"] if ended else {}
    return {
        "CrawlerName": name,
        "TimeLeftSeconds": 0.0,
        "StillEstimating": len(ended) < len(runs),
        "LastRuntimeSeconds": round(seconds[-1], 3) if seconds else 0.0,
        "MedianRuntimeSeconds": round(statistics.median(seconds), 3) if seconds else 0.0,
        **{key: counted.get(key, 0) for key in ("TablesCreated", "TablesUpdated", "TablesDeleted")},
    }


def _crawl(run: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("CrawlId", "StartTime", "EndTime", "ErrorMessage", "LogGroup", "LogStream", "MessagePrefix")
    state = "RUNNING" if run["State"] == "STOPPING" else run["State"]
    shown = {name: run[name] for name in kept if name in run}
    return {**shown, "State": state, "DPUHour": 0.0, "Summary": json.dumps(run["Metrics"])}
