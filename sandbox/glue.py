"""What ministack's Glue lacks: crawlers that crawl, jobs that run, partitions chosen by an expression."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.access import allowed
from sandbox.crawl_runs import AlreadyRunning, CrawlRuns, NotRunning
from sandbox.glue_jobs import SERVICE, JobRuns
from sandbox.ministack.callers import caller
from sandbox.ministack.services import Handler, Headers, Query
from sandbox.partition_filter import InvalidExpression, matching
from sandbox.wire import Caller, Reply

_TYPE = {"content-type": "application/x-amz-json-1.1"}


class AccessDenied(Exception):
    """The caller may not hand the role to Glue."""


class _Refused(Exception):
    """A reply of the inner Glue that ends the operation."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__()


class Glue:
    """A handler around ministack's."""

    def __init__(self, inner: Handler, runs: CrawlRuns, jobs: JobRuns) -> None:
        self._inner = inner
        self._runs = runs
        self._jobs = jobs
        self._operations: dict[str, Callable[[Caller, dict[str, Any], _Ask], Awaitable[Any]]] = {
            "StartCrawler": self._start_crawler,
            "StopCrawler": self._stop_crawler,
            "CreateCrawler": self._create_crawler,
            "UpdateCrawler": self._unless_running,
            "DeleteCrawler": self._unless_running,
            "GetCrawler": self._get_crawler,
            "GetCrawlers": self._get_crawlers,
            "GetCrawlerMetrics": self._get_crawler_metrics,
            "ListCrawls": self._list_crawls,
            "GetPartitions": self._get_partitions,
            "CreateJob": self._create_job,
            "UpdateJob": self._update_job,
            "StartJobRun": self._start_job_run,
            "GetJobRun": self._get_job_run,
            "GetJobRuns": self._get_job_runs,
            "BatchStopJobRun": self._batch_stop_job_run,
        }

    async def handle(self, method: str, path: str, headers: Headers, body: bytes, query: Query) -> Reply:
        """Answers one Glue request."""
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        own = self._operations.get(operation)
        if own is None:
            return await self._inner(method, path, headers, body, query)
        ask = _Ask(self._inner, method, path, headers, query, operation)
        try:
            document = json.loads(body or b"{}")
            result = await own(caller(headers, query), document, ask)
        except _Refused as refusal:
            return refusal.reply
        except AccessDenied as problem:
            return _error("AccessDeniedException", str(problem))
        except AlreadyRunning as problem:
            return _error("CrawlerRunningException", str(problem))
        except NotRunning as problem:
            return _error("CrawlerNotRunningException", str(problem))
        except (InvalidExpression, ValueError) as problem:
            return _error("InvalidInputException", str(problem))
        return 200, dict(_TYPE), json.dumps(result).encode()

    # ---- crawlers

    async def _start_crawler(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        crawler = (await ask(request, "GetCrawler"))["Crawler"]
        await asyncio.to_thread(self._runs.start, who.account, who.region, crawler)
        return {}

    async def _stop_crawler(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        crawler = (await ask(request, "GetCrawler"))["Crawler"]
        self._runs.stop(who.account, who.region, crawler["Name"])
        return {}

    async def _create_crawler(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        return await ask(_with_role_arn(who, request))

    async def _unless_running(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        if self._runs.running(who.account, who.region, request.get("Name", "")):
            raise AlreadyRunning(f"Crawler with name {request['Name']} is running")
        return await ask(_with_role_arn(who, request))

    async def _get_crawler(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        crawler = (await ask(request))["Crawler"]
        return {"Crawler": self._runs.show(who.account, who.region, crawler)}

    async def _get_crawlers(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        crawlers = (await ask(request))["Crawlers"]
        return {"Crawlers": [self._runs.show(who.account, who.region, crawler) for crawler in crawlers]}

    async def _get_crawler_metrics(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        known = [crawler["Name"] for crawler in (await ask({}, "GetCrawlers"))["Crawlers"]]
        asked = request.get("CrawlerNameList") or known
        names = [name for name in asked if name in known]
        return {"CrawlerMetricsList": self._runs.metrics(who.account, who.region, names)}

    async def _list_crawls(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        name = request.get("CrawlerName", "")
        await ask({"Name": name}, "GetCrawler")
        crawls = self._runs.history(who.account, who.region, name)
        return _page("Crawls", crawls, request, 20)

    # ---- jobs

    async def _create_job(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        await asyncio.to_thread(_may_pass, who, request)
        return await ask(_with_role_arn(who, request))

    async def _update_job(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        await asyncio.to_thread(_may_pass, who, request["JobUpdate"])
        return await ask({**request, "JobUpdate": _with_role_arn(who, request["JobUpdate"])})

    async def _start_job_run(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        job = (await ask({"JobName": request.get("JobName")}, "GetJob"))["Job"]
        if job.get("Command", {}).get("Name") != "glueetl":
            return await ask(request)
        return {"JobRunId": self._jobs.start(who.account, who.region, job, request.get("Arguments") or {})}

    async def _get_job_run(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        job, run_id = request.get("JobName", ""), request.get("RunId", "")
        run = self._jobs.find(who.account, who.region, job, run_id)
        return {"JobRun": run} if run else await ask(request)

    async def _get_job_runs(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        runs = self._jobs.all(who.account, who.region, request.get("JobName", ""))
        if not runs:
            return await ask(request)
        return _page("JobRuns", runs, request, 200)

    async def _batch_stop_job_run(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        job, stopped, errors = request.get("JobName", ""), [], []
        for run_id in request.get("JobRunIds", []):
            named = {"JobName": job, "JobRunId": run_id}
            if self._jobs.stop(who.account, who.region, job, run_id):
                stopped.append(named)
            else:
                detail = {
                    "ErrorCode": "JobRunNotInTerminalStateException",
                    "ErrorMessage": "The run has ended.",
                }
                errors.append({**named, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    # ---- partitions

    async def _get_partitions(self, who: Caller, request: dict[str, Any], ask: _Ask) -> Any:
        answer = await ask(request)
        if not request.get("Expression"):
            return answer
        where = {"DatabaseName": request.get("DatabaseName"), "Name": request.get("TableName")}
        table = (await ask(where, "GetTable"))["Table"]
        answer["Partitions"] = matching(
            table.get("PartitionKeys", []), answer["Partitions"], request["Expression"]
        )
        return answer


class _Ask:
    """Puts a request to the inner Glue as the same caller."""

    def __init__(
        self,
        inner: Handler,
        method: str,
        path: str,
        headers: Headers,
        query: Query,
        operation: str,
    ) -> None:
        self._inner, self._method, self._path = inner, method, path
        self._headers, self._query, self._operation = headers, query, operation

    async def __call__(self, request: dict[str, Any], operation: str = "") -> Any:
        headers = {**self._headers, "x-amz-target": f"AWSGlue.{operation or self._operation}"}
        reply = await self._inner(
            self._method, self._path, headers, json.dumps(request).encode(), self._query
        )
        if reply[0] >= 400:
            raise _Refused(reply)
        return json.loads(reply[2])


def _page(member: str, found: list[Any], request: dict[str, Any], size: int) -> dict[str, Any]:
    """The page that a request asks for.

    :param size: of a page, where the request names none
    """
    start = int(request.get("NextToken") or 0)
    end = start + int(request.get("MaxResults") or size)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {member: found[start:end], **more}


def _may_pass(who: Caller, job: dict[str, Any]) -> None:
    role = str(_with_role_arn(who, job).get("Role", ""))
    context = {"iam:PassedToService": SERVICE}
    if role and not allowed(who.principal_arn, "iam:PassRole", role, who.region, context=context):
        raise AccessDenied(
            f"User: {who.principal_arn} is not authorized to perform: iam:PassRole on resource: {role}"
        )


def _with_role_arn(who: Caller, request: dict[str, Any]) -> dict[str, Any]:
    """Glue takes a role by its name as well."""
    role = request.get("Role", "")
    if not role or role.startswith("arn:"):
        return request
    return {**request, "Role": f"arn:aws:iam::{who.account}:role/{role}"}


def _error(code: str, message: str) -> Reply:
    return 400, dict(_TYPE), json.dumps({"__type": code, "Message": message}).encode()
