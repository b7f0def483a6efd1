"""Identifiers of people: canonical forms by dialect, digests, and the keys behind them.

Knows neither Airflow nor boto3.
"""

from cleanrooms.identity.columns import METADATA, IdentityColumn, normalise, normalise_by_region
from cleanrooms.identity.dialects import DIALECTS, IDENTIFIERS, dialect
from cleanrooms.identity.hashing import ALGORITHMS, ENCODINGS, digest
from cleanrooms.identity.keys import SecretKey
from cleanrooms.identity.text import Reason

__all__ = [
    "ALGORITHMS",
    "DIALECTS",
    "ENCODINGS",
    "IDENTIFIERS",
    "METADATA",
    "IdentityColumn",
    "Reason",
    "SecretKey",
    "dialect",
    "digest",
    "normalise",
    "normalise_by_region",
]
