"""Which transactions are on a page: every filter, alone or with others, is a few ranges of an index that is made for it.

What is asked for together stands together in one index (a wallet, a token and a type; see `legs`, `crossings` and `touches` in
the schema), so a page costs the same wherever in the history it lies, and whether its filters meet often, seldom or never. The
ranges, one for each wallet, token and type, are walked in one statement: each begins at the page's edge and ends after a page's
rows.
"""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.meaning.classify import TYPE_NUMBERS, TYPES
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId, WalletId
from omnifolio.store.lists import any_of_text, given
from omnifolio.store.reading import Reading

PAGE_MAX = 1000
"""Transactions on one page at the most."""
_ID_MAX = 2**63 - 1

Point = tuple[int, int]
"""Where in the order of pages: an instant and a transaction."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which transactions of an account, and in which order. Both instants are included."""

    start: EpochMs
    end: EpochMs
    limit: int
    is_ascending: bool = False
    last: TransactionId | None = None
    ticker: str | None = None
    wallet: str | None = None
    types: tuple[str, ...] = ()


class Walk:
    """One statement for each direction, that finds the first rows of every range of an index, or of several alike.

    The `sources` are texts, `table WHERE …`. In them `a_token.value` stands for each value of the list that `lists` names so,
    with PostgreSQL's word for what it holds; the values are given as `a_tokens`.
    """

    def __init__(self, *sources: str, number: str, lists: Mapping[str, str]) -> None:
        self._readings = {way: _reading(sources, number, lists, way) for way in ("ASC", "DESC")}

    def points(
        self, conn: Connection, *, low: Point, high: Point, count: int, is_ascending: bool, **values: object
    ) -> list[Point]:
        """The first `count` points of all ranges together that lie between two others, in the asked order."""
        bounds = {"low_at": low[0], "low": low[1], "high_at": high[0], "high": high[1], "count": count}
        rows = self._readings["ASC" if is_ascending else "DESC"].rows(conn, **bounds, **values)
        found: set[Point] = set()
        if conn.dialect.name == "sqlite":
            for row in rows:
                for text in filter(None, row):
                    found.update(_points(text))
        else:
            found.update((row[0], row[1]) for row in rows)
        return sorted(found, reverse=not is_ascending)[:count]


def _reading(sources: Sequence[str], number: str, lists: Mapping[str, str], way: str) -> Reading:
    """Each range keeps its own order and limit: in a correlated text on SQLite, under LATERAL on PostgreSQL."""
    # The legs of one transaction stand beside each other in the index, so DISTINCT needs no sorting.
    ranges = [
        f"SELECT DISTINCT at, {number} AS number FROM {source} AND (at, {number}) > (:low_at, :low) "
        f"AND (at, {number}) < (:high_at, :high) ORDER BY at {way}, {number} {way} LIMIT :count"
        for source in sources
    ]
    texts = ", ".join(f"(SELECT group_concat(at || ' ' || number, ' ') FROM ({one}))" for one in ranges)
    loops = ", ".join(f"json_each(:{name}s) {name}" for name in lists)
    lateral = "LATERAL (" + " UNION ALL ".join(f"({one})" for one in ranges) + ") found"
    parts = [*(f"unnest(CAST(:{name}s AS {kind}[])) {name}(value)" for name, kind in lists.items()), lateral]
    return Reading(
        {
            "sqlite": sa.text(f"SELECT {texts}" + (f" FROM {loops}" if loops else "")),
            "postgresql": sa.text("SELECT found.at, found.number FROM " + " CROSS JOIN ".join(parts)),
        }
    )


def _points(text: str) -> Iterable[Point]:
    words = list(map(int, text.split(" ")))
    return zip(words[::2], words[1::2], strict=True)


_PAIR = "WHERE wallet_id = :wallet AND token_id = a_token.value AND type_number = a_type.value"
_TYPE, _TOKEN_AND_TYPE = {"a_type": "BIGINT"}, {"a_token": "BIGINT", "a_type": "BIGINT"}
WALKS = {
    "types": Walk(
        "transactions WHERE account_id = :account AND state = 'live' AND type = a_type.value",
        number="id",
        lists={"a_type": "TEXT"},
    ),
    "ticker": Walk(
        "legs WHERE wallet_id = a_wallet.value AND token_id = a_token.value AND type_number = a_type.value",
        number="transaction_id",
        lists={"a_wallet": "BIGINT", **_TOKEN_AND_TYPE},
    ),
    "wallet": Walk("touches WHERE wallet_id = :wallet AND type_number = a_type.value", number="transaction_id", lists=_TYPE),
    "both": Walk(f"legs {_PAIR}", f"crossings {_PAIR}", number="transaction_id", lists=_TOKEN_AND_TYPE),
}
"""By what is asked for; the types may come to everything."""
_holders = Reading(
    {
        dialect: sa.text(
            "SELECT DISTINCT s.wallet_id FROM wallets w JOIN sums s ON s.wallet_id = w.id "
            f"WHERE w.account_id = :account AND s.token_id {any_of_text(dialect, 'a_tokens')}"
        )
        for dialect in ("sqlite", "postgresql")
    }
)
"""The wallets in which these tokens were ever moved."""


def page_ids(
    conn: Connection, account: AccountId, wanted: Filter, *, edge: Point | None, wallet: WalletId | None, tokens: Sequence[int]
) -> list[TransactionId]:
    """The ids of one page of the account in order, after the row at `edge`.

    `wallet` and `tokens` are what the filter's wallet and ticker name, if they name anything.
    """
    if (wanted.wallet is not None and wallet is None) or (wanted.ticker is not None and not tokens):
        return []
    types = wanted.types or TYPES
    asked: dict[str, object] = {"account": account, "wallet": wallet, "a_tokens": given(conn, tokens)}
    if wanted.ticker is not None or wanted.wallet is not None:
        name = "wallet" if wanted.ticker is None else "ticker" if wanted.wallet is None else "both"
        asked["a_types"] = given(conn, [TYPE_NUMBERS[kind] for kind in types])
        if name == "ticker":
            holders = _holders.rows(conn, account=account, a_tokens=asked["a_tokens"])
            asked["a_wallets"] = given(conn, [row[0] for row in holders])
    else:
        name = "types"
        asked["a_types"] = given(conn, types)
    low, high = (int(wanted.start), 0), (int(wanted.end), _ID_MAX)
    if edge is not None:
        low, high = (max(low, edge), high) if wanted.is_ascending else (low, min(high, edge))
    count = min(wanted.limit, PAGE_MAX)
    points = WALKS[name].points(conn, low=low, high=high, count=count, is_ascending=wanted.is_ascending, **asked)
    return [TransactionId(number) for _at, number in points]


def first_of_wallet(conn: Connection, wallet: WalletId) -> EpochMs | None:
    """The instant of the oldest transaction that touches a wallet; None without any."""
    types = given(conn, [TYPE_NUMBERS[kind] for kind in TYPES])
    found = WALKS["wallet"].points(
        conn, low=(0, 0), high=(_ID_MAX, _ID_MAX), count=1, is_ascending=True, wallet=wallet, a_types=types
    )
    return EpochMs(found[0][0]) if found else None
