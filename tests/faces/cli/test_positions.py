"""Positions as rows of the command line: nothing unknown becomes zero."""

from decimal import Decimal

from omnifolio.faces.cli.positions import position_row
from omnifolio.model.facts import Position
from omnifolio.store.engine import Store
from omnifolio.views.market import Market
from omnifolio.views.positions import open_positions
from tests.ledger.builders import Book, at, batch, position, stands, token


async def test_a_row_says_what_is_known_and_why_it_has_no_worth(store: Store) -> None:
    book = await Book.open(store)
    bare = Position(key="a", kind="perpetual", name="X", size=Decimal(-3), size_token=token("X"))
    await book.commit(batch(stream="positions/all", positions=(stands(bare, position("b", "1", "2", code="NEW")),)))
    found = await store.read(open_positions, book.principal, Market(), now=at(1), currency="USD")
    first, second = (position_row(view) for view in found.positions)
    assert (first["side"], first["size"], first["of"], first["worth"]) == ("short", "-3", "X", "0.00")
    assert (first["entry"], first["leverage"], first["expires"]) == (None, None, None)
    assert (second["worth"], second["note"]) == (None, "NEW: no price source has been asked yet")
