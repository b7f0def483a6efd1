"""Personal data: digests, nulling, masking.

Source: DataBrew guide, "Personally identifiable information (PII) recipe steps". CRYPTOGRAPHIC_HASH gives
what the service gives for a value (padded base64 of the digest of its UTF-8 text), except that null and
blank text stay null: a digest of nothing would join strangers.
"""

from __future__ import annotations

import polars as pl

from cleanrooms.identity import ALGORITHMS, SecretKey, digest
from cleanrooms.identity.text import BLANKS
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Assign, Change, Companion, action

CATEGORY = "PII"
_NOT_BLANK = f"[^{BLANKS}]"


@action(
    "CRYPTOGRAPHIC_HASH",
    CATEGORY,
    "sourceColumns? sourceColumn? algorithm? secretId? secretVersion? entityTypeFilter? createSecretIfMissing?",
    note="null and blank text give null, never a digest of nothing",
)
def cryptographic_hash(p: Arguments) -> Change:
    columns = [p.column()] if p.has("sourceColumn") else p.columns()
    algorithm = p.choice("algorithm", ALGORITHMS, "HMAC_SHA256")
    refuse_detection(p)
    if p.flag("createSecretIfMissing"):
        raise p.error("would create a secret.", "Create it beforehand and name its ARN in secretId.")
    if p.has("secretVersion"):
        raise p.error(
            "names a version of the secret.", "Leave secretVersion out: the key's epoch records the version."
        )
    key, other = None, None
    if algorithm.startswith("HMAC_"):
        key = p.settings.secret(p.text("secretId"))
        other = p.settings.other_key(p.text("secretId"))
    elif p.has("secretId"):
        raise p.error(f"has a secretId, which {algorithm} does not use.", "Use HMAC_SHA256, or leave it out.")
    encoding = p.settings.hash_encoding
    facts = {"algorithm": algorithm, "encoding": encoding}
    companions: dict[str, Companion] = {}
    if other is not None:
        suffix, second = other
        companions = {
            c: Companion(suffix, _hashed(p.as_text(c), algorithm, encoding, second), facts | second.facts)
            for c in columns
        }
    return Assign(
        {c: _hashed(p.as_text(c), algorithm, encoding, key) for c in columns},
        digest=dict.fromkeys(columns, facts | (key.facts if key else {})),
        companions=companions,
    )


def _hashed(text: pl.Expr, algorithm: str, encoding: str, key: SecretKey | None) -> pl.Expr:
    # The key stays in this closure: an expression that named it would show it when serialised.
    def run(values: pl.Series) -> pl.Series:
        frame = values.to_frame("v")
        something = frame.select(pl.when(pl.col("v").str.contains(_NOT_BLANK)).then(pl.col("v")))
        return digest(something.to_series(), algorithm, encoding, key)

    return text.map_batches(run, return_dtype=pl.Binary() if encoding == "binary" else pl.String())


def refuse_detection(p: Arguments) -> None:
    """Refuse entityTypeFilter.

    :raises RecipeError: the step has one
    """
    if p.has("entityTypeFilter"):
        raise p.error(
            "detects entities inside texts (entityTypeFilter), by rules that DataBrew does not publish.",
            "Leave it out to treat the whole cell, or run this recipe in the service.",
        )
