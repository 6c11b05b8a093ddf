"""Which prices the ledger's own facts ask for: of what is held now, of every leg at its minute, of every held token at day's end.

Legs are followed by the users' change logs: a bookmark per user says up to which sequence the prices of legs were asked, so new,
changed and back-dated transactions are all met, and an unchanged ledger costs one look per user.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.meaning.classify import TYPE_NUMBERS
from omnifolio.model.clock import DAY_MS, MINUTE_MS, EpochMs
from omnifolio.model.prices import BRIDGE, NOW_INTERVAL_MS, Wanted, bucket_of
from omnifolio.model.tokens import TokenId

USERS_MAX = 200
"""Users whose legs are looked at in one go."""

_HELD = (
    "SELECT o.token_id FROM observations o WHERE o.until IS NULL UNION SELECT s.token_id FROM sums s WHERE s.amount <> '0' "
    "UNION SELECT p.token_id FROM position_tokens p"
)
_NOW = sa.text(
    f"SELECT t.token, t.ticker FROM tokens t WHERE t.kind = 'crypto' AND t.id IN ({_HELD}) "
    f"AND NOT EXISTS (SELECT 1 FROM quotes q WHERE q.token_id = t.id AND q.currency = '{BRIDGE}' AND q.resolution = {MINUTE_MS} "
    "AND q.bucket > :after AND q.bucket <= :now) ORDER BY t.id"
).bindparams(sa.bindparam("after", type_=sa.BigInteger), sa.bindparam("now", type_=sa.BigInteger))
_BEHIND = sa.text(
    "SELECT u.id, u.seq, COALESCE(p.version, 0) FROM users u LEFT JOIN price_state p ON p.key = 'legs/' || CAST(u.id AS TEXT) "
    f"WHERE u.seq > COALESCE(p.version, 0) ORDER BY u.id LIMIT {USERS_MAX}"
)
_USER = sa.bindparam("user", type_=sa.BigInteger)
_AFTER = sa.bindparam("after", type_=sa.BigInteger)
_UNTIL = sa.bindparam("until", type_=sa.BigInteger)
_LIMIT = sa.bindparam("skipped", type_=sa.BigInteger)
_REACH = sa.text(
    "SELECT seq FROM transactions WHERE user_id = :user AND seq > :after ORDER BY seq LIMIT 1 OFFSET :skipped"
).bindparams(_USER, _AFTER, _LIMIT)
_MINUTES = sa.text(
    f"SELECT DISTINCT k.token, k.ticker, x.at - x.at % {MINUTE_MS} FROM transactions x JOIN legs l ON l.transaction_id = x.id "
    "JOIN tokens k ON k.id = l.token_id AND k.kind = 'crypto' "
    "WHERE x.user_id = :user AND x.seq > :after AND x.seq <= :until AND x.state = 'live' ORDER BY 3 DESC, 1"
).bindparams(_USER, _AFTER, _UNTIL)
_MARK = sa.text(
    "INSERT INTO price_state (key, version) VALUES (:key, :version) ON CONFLICT (key) DO UPDATE SET version = excluded.version"
).bindparams(sa.bindparam("version", type_=sa.BigInteger))
_MARKED = sa.text("SELECT version FROM price_state WHERE key = :key")
_LEG_SPANS = sa.text(
    "SELECT s.token_id, "
    "MIN((SELECT MIN(l.at) FROM legs l WHERE l.wallet_id = w.id AND l.token_id = s.token_id)), "
    "MAX((SELECT MAX(l.at) FROM legs l WHERE l.wallet_id = w.id AND l.token_id = s.token_id)), "
    "MAX(CASE WHEN s.amount <> '0' THEN 1 ELSE 0 END) "
    "FROM sums s JOIN wallets w ON w.id = s.wallet_id GROUP BY s.token_id"
)
_OBSERVED_SPANS = sa.text(
    "SELECT o.token_id, MIN(o.first_seen), MAX(COALESCE(o.last_seen, o.first_seen)), "
    "MAX(CASE WHEN o.until IS NULL THEN 1 ELSE 0 END) FROM observations o GROUP BY o.token_id"
)
_CRYPTO = sa.text("SELECT id, token, ticker FROM tokens WHERE kind = 'crypto'")
_CLOSES = sa.text(
    f"SELECT bucket FROM quotes WHERE token_id = :token AND currency = '{BRIDGE}' AND resolution = {DAY_MS} "
    "AND bucket >= :first AND bucket <= :last"
).bindparams(*(sa.bindparam(name, type_=sa.BigInteger) for name in ("token", "first", "last")))
_FORGET_LEGS = sa.text("DELETE FROM price_state WHERE key LIKE 'legs/%'")
_FORGET_ABSENCES = sa.text("DELETE FROM quotes WHERE reason = 'no_source' AND price IS NULL")
_FIRST_EVENT = sa.text(
    "SELECT MIN((SELECT MIN(x.at) FROM touches x WHERE x.wallet_id = w.id AND x.type_number = k.number)) "
    f"FROM wallets w CROSS JOIN ({' UNION ALL '.join(f'SELECT {number} AS number' for number in TYPE_NUMBERS.values())}) k"
)


class LegsPage(Struct, frozen=True, kw_only=True):
    """The prices that some changes of one user's log ask for, and the sequence up to which that is all."""

    user: int
    until: int
    wants: tuple[Wanted, ...]


def adopt(conn: Connection, digest: int) -> bool:
    """Notes which sources and assets are in use; where they are others than before, everything unpriced is asked anew."""
    if conn.execute(_MARKED, {"key": "sources"}).scalar_one_or_none() == digest:
        return False
    conn.execute(_FORGET_LEGS)
    conn.execute(_FORGET_ABSENCES)
    conn.execute(_MARK, {"key": "sources", "version": digest})
    return True


def held_now(conn: Connection, *, now: EpochMs) -> list[Wanted]:
    """The current price of every held token for which none was asked within NOW_INTERVAL_MS."""
    rows = conn.execute(_NOW, {"after": now - NOW_INTERVAL_MS, "now": now})
    return [Wanted(token=TokenId(row[0]), ticker=row[1], at=now, resolution=MINUTE_MS) for row in rows]


def legs_pages(conn: Connection, *, transactions_max: int) -> list[LegsPage]:
    """What legs changed since the bookmarks ask for: about `transactions_max` transactions, whole commits, user by user."""
    pages = []
    left = transactions_max
    for user, seq, after in conn.execute(_BEHIND).all():
        if left <= 0:
            break
        cut = conn.execute(_REACH, {"user": user, "after": after, "skipped": left - 1}).scalar_one_or_none()
        until = seq if cut is None else cut
        wants = tuple(
            Wanted(token=TokenId(row[0]), ticker=row[1], at=EpochMs(row[2]), resolution=MINUTE_MS)
            for row in conn.execute(_MINUTES, {"user": user, "after": after, "until": until})
        )
        pages.append(LegsPage(user=user, until=until, wants=wants))
        left = 0 if cut is not None else left - len(wants)
    return pages


def mark_legs(conn: Connection, page: LegsPage) -> None:
    """Moves the user's bookmark behind a page whose prices were all asked."""
    conn.execute(_MARK, {"key": f"legs/{page.user}", "version": page.until})


def closes_wanted(conn: Connection, *, now: EpochMs, wants_max: int) -> list[Wanted]:
    """The day's closes that are missing from the first to the last day on which each token was held; newest days first."""
    tokens = {row[0]: (TokenId(row[1]), row[2]) for row in conn.execute(_CRYPTO)}
    last_close = EpochMs(bucket_of(now, DAY_MS) - DAY_MS)
    wants: list[Wanted] = []
    for number, (first, last, is_held) in _spans(conn).items():
        if number not in tokens:
            continue
        start = bucket_of(first, DAY_MS)
        end = last_close if is_held else min(last_close, bucket_of(last, DAY_MS))
        known = {row[0] for row in conn.execute(_CLOSES, {"token": number, "first": start, "last": end})}
        token, ticker = tokens[number]
        wants += [
            Wanted(token=token, ticker=ticker, at=EpochMs(day + DAY_MS - 1), resolution=DAY_MS)
            for day in range(start, end + 1, DAY_MS)
            if day not in known
        ]
    wants.sort(key=lambda want: (-want.at, want.token))
    return wants[:wants_max]


def first_event(conn: Connection) -> EpochMs | None:
    """When something was first moved; None if nothing ever was."""
    found = conn.execute(_FIRST_EVENT).scalar_one()
    return None if found is None else EpochMs(found)


def last_done(conn: Connection, name: str) -> EpochMs:
    """When a recurring task was last completed; 0 for never."""
    return EpochMs(conn.execute(_MARKED, {"key": f"done/{name}"}).scalar_one_or_none() or 0)


def mark_done(conn: Connection, name: str, at: EpochMs) -> None:
    """Notes that a recurring task was completed."""
    conn.execute(_MARK, {"key": f"done/{name}", "version": at})


def _spans(conn: Connection) -> dict[int, tuple[EpochMs, EpochMs, bool]]:
    """Per token the first and last instant at which it was moved or seen, and whether it is held now."""
    spans: dict[int, tuple[EpochMs, EpochMs, bool]] = {}
    for number, first, last, is_held in [*_rows(conn, _LEG_SPANS), *_rows(conn, _OBSERVED_SPANS)]:
        if number in spans:
            before = spans[number]
            spans[number] = (min(before[0], first), max(before[1], last), before[2] or is_held)
        else:
            spans[number] = (first, last, is_held)
    return spans


def _rows(conn: Connection, statement: sa.TextClause) -> Iterable[tuple[int, EpochMs, EpochMs, bool]]:
    for number, first, last, is_held in conn.execute(statement):
        if first is not None:
            yield number, EpochMs(first), EpochMs(last), bool(is_held)
