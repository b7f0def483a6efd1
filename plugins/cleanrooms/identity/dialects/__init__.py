"""Dialects by name. A newcomer is one module beside the others and one line here."""

from __future__ import annotations

from cleanrooms.errors import ConfigError
from cleanrooms.identity.dialects import amazon, google
from cleanrooms.identity.dialects.base import IDENTIFIERS, Dialect
from cleanrooms.identity.dialects.liveramp import LIVERAMP
from cleanrooms.identity.dialects.meta import META
from cleanrooms.identity.dialects.pinterest import PINTEREST
from cleanrooms.identity.dialects.plain import PLAIN
from cleanrooms.identity.dialects.snap import SNAP
from cleanrooms.identity.dialects.tiktok import TIKTOK
from cleanrooms.identity.dialects.uid2 import UID2
from cleanrooms.identity.dialects.yandex import YANDEX

DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        PLAIN,
        UID2,
        google.DATA_MANAGER,
        google.ADS,
        google.ADS_2025,
        META,
        amazon.CONVERSIONS,
        *amazon.MARKETING_CLOUD,
        LIVERAMP,
        TIKTOK,
        SNAP,
        PINTEREST,
        YANDEX,
    )
}
ALIASES = {"google": "google_data_manager", "amazon": "amazon_conversions"}


def dialect(name: str) -> Dialect:
    """The dialect of that name, alias, or ``name@version``.

    :raises ConfigError: there is none, or none of that version
    """
    plain_name, _, version = name.partition("@")
    found = DIALECTS.get(ALIASES.get(plain_name, plain_name))
    if found is None:
        raise ConfigError(
            f"Identity dialect {name!r} is unknown.", f"Use one of {', '.join(sorted(DIALECTS))}."
        )
    if version and version != found.version:
        raise ConfigError(
            f"Identity dialect {found.name!r} is at version {found.version}, not {version}.",
            "Digests of two versions never join: agree with the partner on one.",
        )
    return found


__all__ = ["ALIASES", "DIALECTS", "IDENTIFIERS", "Dialect", "dialect"]
