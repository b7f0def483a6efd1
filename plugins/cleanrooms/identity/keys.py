"""Secret keys of keyed digests, kept out of every text that Python makes of an object."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import NoReturn

from cleanrooms.errors import ConfigError

_BASE64 = "base64:"


class SecretKey:
    """Key bytes and the name of their epoch (the id of the secret's version, never the key).

    :param name: what a rotation plan calls the epoch

    No text form of a key shows its bytes, and a key cannot be pickled: workers fetch it themselves.

    :raises ConfigError: the key or its epoch is empty
    """

    __slots__ = ("_epoch", "_name", "_value")

    def __init__(self, value: bytes, epoch: str, name: str | None = None) -> None:
        if not isinstance(value, bytes | bytearray | memoryview) or not bytes(value):
            raise ConfigError(
                "A secret key is empty or not bytes.", "Store a random key of 32 bytes or more."
            )
        if not epoch:
            raise ConfigError("A secret key has no epoch.", "Name it by the version id of its secret.")
        self._value = bytes(value)
        self._epoch = epoch
        self._name = name

    def named(self, name: str) -> SecretKey:
        """The same key with the name that partners have agreed on for its epoch."""
        return SecretKey(self._value, self._epoch, name)

    @classmethod
    def from_text(cls, text: str, epoch: str) -> SecretKey:
        """Read a key from a secret's text: its UTF-8 bytes, or any bytes written ``base64:…``.

        Blanks and line ends around the text do not count, as editors and shells add them.

        :raises ConfigError: the text is empty or its base64 cannot be read
        """
        text = text.strip()
        if not text.startswith(_BASE64):
            return cls(text.encode(), epoch)
        try:
            return cls(base64.b64decode(text[len(_BASE64) :], validate=True), epoch)
        except binascii.Error:
            raise ConfigError(
                f"The secret key of epoch {epoch!r} says base64 but is not.",
                "Store it as base64:<padded base64>.",
            ) from None

    @property
    def value(self) -> bytes:
        """The key's bytes: hand them to a digest function, keep them in no other object."""
        return self._value

    @property
    def text(self) -> str | None:
        """The key as text where its bytes are UTF-8 (what polars-hash takes), else None."""
        try:
            return self._value.decode()
        except UnicodeDecodeError:
            return None

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def name(self) -> str | None:
        """Name of the epoch in a rotation plan; None without one."""
        return self._name

    @property
    def facts(self) -> dict[str, str]:
        """What the metadata of a hashed column says of its key."""
        return {"key_epoch": self._epoch} | ({"epoch": self._name} if self._name else {})

    def __repr__(self) -> str:
        return f"SecretKey(epoch={self._epoch!r})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretKey):
            return NotImplemented
        return self._epoch == other._epoch and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(("SecretKey", self._epoch))

    def __copy__(self) -> SecretKey:
        return self

    def __deepcopy__(self, memo: object) -> SecretKey:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a SecretKey is never pickled: the process that needs it fetches it itself")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()
