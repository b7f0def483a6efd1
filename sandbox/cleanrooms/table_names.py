"""Names of tables in a collaboration: each once, whatever kind of table has it."""

from __future__ import annotations

import re

from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.intermediate_states import tables_in
from sandbox.cleanrooms.mapped_tables import mapped_tables_in
from sandbox.cleanrooms.room import Room
from sandbox.cleanrooms.state import Document

_NAME = re.compile(r"[a-z0-9_][a-z0-9_ -]*")
# Reserved in Spark's ANSI mode (Spark SQL reference, "ANSI compliance").
_RESERVED = """
    all and any as both case cast check collate column constraint create cross current_date current_time
    current_timestamp current_user distinct else end escape except exists false fetch filter for foreign from
    full grant group having in inner intersect into is join lateral leading left natural not null offset on
    only or order outer overlaps primary references right select session_user some table then time to trailing
    union unique unknown user using when where with within
"""


def usable_name(name: str) -> str:
    """Returns the name as queries use it, in lower case.

    :raises ServiceFault: ValidationException for a name that no query could say
    """
    lowered = name.lower()
    if lowered in _RESERVED.split():
        raise refusals.field_invalid("name", "is a reserved word of SQL")
    if not _NAME.fullmatch(lowered):
        raise refusals.field_invalid("name", "takes letters, digits, underscores, hyphens and spaces")
    return lowered


def check_free(room: Room, collaboration: str, name: str, associations: list[Document]) -> None:
    """Lets pass a name that no table of the collaboration has.

    :param associations: of the collaboration
    :raises ServiceFault: ConflictException
    """
    mapped = [one.association for one in mapped_tables_in(room, collaboration)]
    existing = [*associations, *mapped, *tables_in(room.store, collaboration)]
    if clash := next((one for one in existing if one["name"] == name), None):
        message = f"The collaboration has a table '{name}' already."
        kind = "CONFIGURED_TABLE_ASSOCIATION" if "configuredTableId" in clash else "TABLE"
        raise refusals.conflict(kind, clash["id"], "ALREADY_EXISTS", message)
