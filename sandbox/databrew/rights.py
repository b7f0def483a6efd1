"""What a job's role must be allowed to do, asked of IAM before the run does it.

The service acts with root keys, as no role that trusts a service can be assumed here; so the role's trust and
its own policies are asked first. Policies of buckets, keys and secrets do not count.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.access import refused, service_may_assume

SERVICE = "databrew.amazonaws.com"


class RunFailed(Exception):
    """Ends a run as FAILED; the text becomes its ErrorMessage and holds no values of rows."""


class RoleRights:
    """The rights of one role for one job.

    :param job_arn: what DataBrew sends as ``aws:SourceArn``
    """

    def __init__(self, role: str, job_arn: str) -> None:
        self._role = role
        self._job = job_arn
        self._region, self._account = job_arn.split(":")[3:5]

    def check_trust(self) -> None:
        """:raises RunFailed: DataBrew cannot assume the role"""
        source = {"aws:SourceAccount": self._account, "aws:SourceArn": self._job}
        if not service_may_assume(self._role, SERVICE, self._region, context=source):
            raise RunFailed(
                f"AccessDeniedException: {SERVICE} is not authorized to assume the role {self._role}. "
                "Check that it exists and that its trust policy allows sts:AssumeRole."
            )

    def check(self, action: str, *resources: str, **context: str | Sequence[str]) -> None:
        """Lets pass what the role's policies allow on every resource.

        :param context: condition keys with ``_`` for ``:``, as ``s3_prefix``
        :raises RunFailed: names role, action and the first resource
        """
        keys = {name.replace("_", ":", 1): value for name, value in context.items()}
        missing = refused(self._role, action, resources, self._region, context=keys)
        if missing:
            raise RunFailed(
                f"AccessDeniedException: {self._role} is not authorized to perform: {action} "
                f"on resource: {missing[0]}"
            )
