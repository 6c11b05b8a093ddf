"""What a token may do, from the venue's own words: the scopes that were granted, each judged as a key's rights are."""

from typing import Any

from msgspec import Struct

from omnifolio.catalog import oauth
from omnifolio.catalog.streams import ReadingRow
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import decode
from omnifolio.venues.exchanges.rights import Rights


class Granted(Struct, frozen=True):
    """The scopes as rights, and what each is: those that are asked for only read, any other counts as dangerous."""

    rights: Rights
    reading: ReadingRow


def granted_of(venue: str, evidence: Evidence) -> Granted | None:
    """The scopes in the answer of a token's introspection; None for any other answer. Raises: VenueBadResponse."""
    row = oauth.load(venue) if venue in oauth.ids() else None
    if row is None or row.granted is None or evidence.request != row.granted.request:
        return None
    told: Any = decode(evidence)
    for step in row.granted.at:
        told = told.get(step) if isinstance(told, dict) else None
    is_known = isinstance(told, list) and all(isinstance(scope, str) for scope in told)
    reading = ReadingRow(permissions=dict.fromkeys(row.scopes, "read"), required=row.required)
    return Granted(Rights(granted=tuple(told) if is_known else (), is_known=is_known), reading)
