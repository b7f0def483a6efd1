"""Errors of the package: what happened, to which object, why, and what to do next.

Two families decide what a retry is worth: :class:`PermanentError` fails the task at once,
:class:`TransientError` is retried with back-off (see ``cleanrooms.retry``). Messages never
carry row values, keys or SQL literals.
"""

from __future__ import annotations


class CleanRoomsError(Exception):
    """Base of all errors raised by the package.

    :param what: what happened, to which object, and why: one sentence
    :param todo: what the person on call can do next
    :param data: small facts (ids, names, counts) for logs and tests; never values of rows
    """

    permanent = True

    def __init__(self, what: str, todo: str = "", **data: object) -> None:
        self.what = what
        self.todo = todo
        self.data = data
        super().__init__(f"{what} What to do: {todo}" if todo else what)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.todo, self.data)


def _rebuild(kind: type[CleanRoomsError], what: str, todo: str, data: dict[str, object]) -> CleanRoomsError:
    return kind(what, todo, **data)


class PermanentError(CleanRoomsError):
    """Trying again changes nothing: a person has to act."""


class TransientError(CleanRoomsError):
    """Trying again later may work."""

    permanent = False


class ConfigError(PermanentError):
    """A file under ``include/`` does not say what it must; names file, field and fix."""


class SourceError(PermanentError):
    """The input of a source cannot be used: nothing of it was published."""


class DecryptionError(SourceError):
    """An encrypted file could not be decrypted completely and with its integrity proven."""


class ContractError(SourceError):
    """The columns of the input differ from the source's contract."""


class QuarantineError(SourceError):
    """More rows were bad than the source allows."""


class HygieneError(SourceError):
    """The hashed keys of a day would join strangers or got lost; says each count and its limit."""


class ExportMissing(SourceError):
    """No complete export arrived before the deadline."""


class RecipeError(PermanentError):
    """A recipe step cannot be carried out as written; names the step."""


class CatalogError(PermanentError):
    """The Glue catalog does not show what was published."""


class PreflightError(PermanentError):
    """A collaboration is not ready for its queries; lists every reason."""


class RuleViolationError(PermanentError):
    """A query breaks an analysis rule; lists every violation."""


class ProtectedQueryError(PermanentError):
    """A protected query ended without success and trying again changes nothing."""


class TransientQueryError(TransientError):
    """A protected query failed for a reason that the service calls retryable."""


class ReleaseRefused(PermanentError):
    """A result was not published because the guard found it unsafe or malformed."""
