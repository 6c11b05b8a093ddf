"""The types that users have said of their transactions: they hold over those that follow from the claims."""

from collections.abc import Iterable, Mapping

from sqlalchemy.engine import Connection

from omnifolio.ledger.overlays import said_of
from omnifolio.meaning.classify import Meaning, meaning_of
from omnifolio.model.ids import UserId


def corrections_of(conn: Connection, user: UserId, touched: Iterable[int]) -> Mapping[int, Meaning]:
    """The corrected types among these transactions."""
    said = said_of(conn, user, ("type",), map(str, touched))
    return {int(target): meaning_of(value) for (_kind, target), value in said.items()}
