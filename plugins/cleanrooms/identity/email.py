"""E-mail addresses: one syntactic check, and what dialects do to the part before the @."""

from __future__ import annotations

import re

from cleanrooms.identity.text import BLANKS, Outcome, Reason, opening

MAX_LENGTH = 254
"""Longest address that can be delivered to (RFC 5321 with erratum 1690)."""

_REFUSED = '\\x00-\\x1f\\x7f\\\\"(),:;<>@\\[\\]' + "".join(re.escape(c) for c in BLANKS if c > "\x7f") + " "
# Without look-around and \\s, so that the same text means the same in Python, in Polars and in Java.
PATTERN = (
    f"^[^{_REFUSED}]{{1,64}}@[^{_REFUSED}.\\-](?:[^{_REFUSED}.]*[^{_REFUSED}.\\-])?"
    f"(?:\\.[^{_REFUSED}.\\-](?:[^{_REFUSED}.]*[^{_REFUSED}.\\-])?)*"
    f"\\.[^{_REFUSED}.0-9\\-][^{_REFUSED}.]*[^{_REFUSED}.\\-]$"
)
"""A lower-case address: local part of 1 to 64, two domain labels or more, a top-level label of two or more."""

EMPTY_LOCALS = frozenset({
    "na", "n/a", "n.a", "none", "no", "null", "nil", "nan", "unknown", "undefined", "noemail", "no-email", "no_email",
    "no.email", "nomail", "no-mail", "no_mail", "noaddress", "notprovided", "notavailable", "invalid", "missing",
})  # fmt: skip
"""Local parts that tills and call centres type when a customer gives no address."""

EMPTY_ADDRESSES = frozenset({
    "test@test.com", "test@example.com", "a@a.com", "a@b.com", "abc@abc.com", "x@x.com", "email@email.com",
    "email@example.com", "user@example.com", "none@none.com", "asdf@asdf.com", "no@no.com", "xxx@xxx.com",
})  # fmt: skip
"""Whole addresses of the same kind; only the plain dialect refuses them, as dialects publish some as examples."""

_ADDRESS = re.compile(PATTERN.removesuffix("$") + r"\Z")


def plain(text: str) -> Outcome:
    """Trimmed, lower-case address that passes :data:`PATTERN` and is no placeholder."""
    address = opening(text)
    if isinstance(address, Reason):
        return address
    if len(address) > MAX_LENGTH or not _ADDRESS.match(address):
        return Reason.MALFORMED
    if address.partition("@")[0] in EMPTY_LOCALS or address in EMPTY_ADDRESSES:
        return Reason.PLACEHOLDER
    return address


def lenient(text: str) -> Outcome:
    """Trimmed, lower-case text with something on both sides of exactly one @: what most dialects ask for."""
    address = opening(text)
    if isinstance(address, Reason):
        return address
    local, _, domain = address.partition("@")
    if not local or not domain or "@" in domain or any(c in BLANKS for c in address):
        return Reason.MALFORMED
    return Reason.PLACEHOLDER if local in EMPTY_LOCALS else address


def without_dots(address: str, domains: frozenset[str], *, drop_suffix: bool) -> Outcome:
    """Address of one of ``domains`` without the dots (and ``+suffix``) that its mailbox ignores."""
    local, _, domain = address.partition("@")
    if domain not in domains:
        return address
    if drop_suffix:
        local = local.partition("+")[0]
    local = local.replace(".", "")
    return f"{local}@{domain}" if local else Reason.MALFORMED
