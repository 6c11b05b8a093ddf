"""No reviewed token is ever spam, whatever it calls itself and however it came; the user's word alone hides it."""

from sqlalchemy.engine import Connection
from tests.ledger.builders import Book, at

from omnifolio.catalog import assets
from omnifolio.ledger import decisions
from omnifolio.ledger.tokens import by_number, intern
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.store.engine import Store
from omnifolio.views.spam import foreign_among, is_foreign, spam_among

EVIL = "visit https://claim-rewards.com \u200b"


async def test_no_token_of_the_catalog_is_spam(store: Store) -> None:
    book = await Book.open(store)
    members = sorted(assets.load().members())
    strange = TokenId("eip155:1/erc20:0x" + "9" * 40)

    def op(conn: Connection) -> tuple[set[TokenId], set[TokenId]]:
        facts = [TokenFacts(id=token, ticker="USDС", name=EVIL) for token in (*members, strange)]
        rows = by_number(conn, [row.number for row in intern(conn, [fact.id for fact in facts], facts).values()])
        found = spam_among(conn, book.principal, rows, foreign_among(rows), now=at(0))
        return {rows[number].id for number in found}, {row.id for row in rows.values() if is_foreign(row)}

    spam, foreign = await store.write(op)
    assert spam == {strange}
    assert len(foreign) > 200


async def test_the_user_s_word_hides_even_a_reviewed_token(store: Store) -> None:
    book = await Book.open(store)
    token = next(token for token in assets.load().members() if "/erc20:" in token)

    def op(conn: Connection) -> set[TokenId]:
        rows = {row.number: row for row in intern(conn, [token], [TokenFacts(id=token, ticker="X")]).values()}
        decisions.decide(conn, book.principal, kind="spam", target=token, value="yes", now=at(0))
        return {rows[number].id for number in spam_among(conn, book.principal, rows, foreign_among(rows), now=at(0))}

    assert await store.write(op) == {token}
