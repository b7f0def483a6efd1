"""What a crawler's role must be allowed to do, checked before the crawler does it."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.access import refused, service_may_assume

GLUE = "glue.amazonaws.com"


class AccessRefused(Exception):
    """The crawler's role may not do what the run needs; names role, action and resource."""


class RoleRights:
    """The rights of one role in one region.

    The role's own policies count; bucket and key policies do not.

    :param crawler: name of the crawler; its ARN is what Glue sends as ``aws:SourceArn``
    """

    def __init__(self, role_arn: str, region: str, crawler: str) -> None:
        self._role = role_arn
        self._region = region
        self._account = role_arn.split(":")[4]
        self._crawler = f"arn:aws:glue:{region}:{self._account}:crawler/{crawler}"
        self._keys: set[str] = set()

    def check_trust(self) -> None:
        """:raises AccessRefused: Glue cannot assume the role"""
        source = {"aws:SourceAccount": self._account, "aws:SourceArn": self._crawler}
        if not service_may_assume(self._role, GLUE, self._region, context=source):
            raise AccessRefused(
                f"Service is unable to assume role {self._role}: its trust policy must allow {GLUE} sts:AssumeRole"
            )

    def check_listing(self, bucket: str, prefix: str) -> None:
        """:raises AccessRefused: the role may not list the prefix"""
        self._check("s3:ListBucket", [f"arn:aws:s3:::{bucket}"], {"s3:prefix": prefix})

    def check_objects(self, bucket: str, keys: Sequence[str]) -> None:
        """:raises AccessRefused: the role may not read one of the objects"""
        self._check("s3:GetObject", [f"arn:aws:s3:::{bucket}/{key}" for key in keys])

    def check_key(self, kms_key: str) -> None:
        """Does nothing for an empty ``kms_key``.

        :raises AccessRefused: the role may not decrypt with the key that an object is encrypted with
        """
        if kms_key and kms_key not in self._keys:
            self._check("kms:Decrypt", [kms_key])
            self._keys.add(kms_key)

    def _check(self, action: str, resources: Sequence[str], context: dict[str, str] | None = None) -> None:
        missing = refused(self._role, action, resources, self._region, context=context)
        if missing:
            raise AccessRefused(
                f"Access denied: {self._role} is not authorized to perform {action} on {missing[0]}"
            )
