"""Which tokens and transactions of a user are spam, and why: the verdicts of `meaning.spam` with the user's word over them.

Only tokens of chains that nobody has reviewed are judged; venues list no spam, and a reviewed token never is. One function gives
the verdicts to every read model, so that a token is hidden everywhere or nowhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from sqlalchemy.engine import Connection

from omnifolio.catalog.assets import Assets, load
from omnifolio.ledger import quotes
from omnifolio.ledger.arrivals import past_of, sent_to
from omnifolio.ledger.decisions import YES, spam_tokens
from omnifolio.ledger.ends import mask_of
from omnifolio.ledger.overlays import said_of
from omnifolio.ledger.read import StoredTransaction, WalletRow
from omnifolio.ledger.tokens import TokenRow
from omnifolio.meaning.spam import CLEAN, Past, Reason, Verdict, judge, poisoned
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.prices import NOW_INTERVAL_MS, Price, Unpriced

_SAID = Verdict(True, ("user",))
_NOTHING, _WORST = Past(), Past(is_unsolicited=True, is_minted=True)
_LISTED_CHAINS = ("eip155:", "solana:")
"""Chains whose contracts price sources know: what they do not list there is worth a thought."""


def is_foreign(row: TokenRow) -> bool:
    """Whether a token is one that anybody may have made: neither money, nor a venue's code, nor a chain's own coin."""
    return row.kind != "fiat" and not row.id.startswith("venue:") and "/slip44:" not in row.id


def spam_among(
    conn: Connection, principal: Principal, rows: Mapping[int, TokenRow], foreign: Iterable[int], *, now: EpochMs
) -> Mapping[int, Verdict]:
    """Those of the tokens that are spam, with the reasons. `foreign` are the numbers of those that anybody may have made."""
    assets, words = load(), spam_tokens(conn, principal)
    found = {number: _SAID for number, row in rows.items() if words.get(row.id) is True} if words else {}
    suspects = [
        number for number in foreign if rows[number].id not in words and assets.of(rows[number].id, now) is None
    ]  # fmt: skip
    if suspects:
        prices = quotes.lookup(conn, [(number, now) for number in suspects], principal=None, tolerance_ms=NOW_INTERVAL_MS)
        # How a token came is asked only where it can matter: a past only ever adds to what speaks against a token.
        suspects = [n for n in suspects if _judged(rows[n], _WORST, prices.at(n, now), assets).is_spam]
        past = past_of(conn, principal, suspects)
        for number in suspects:
            verdict = _judged(rows[number], past.get(number, _NOTHING), prices.at(number, now), assets)
            if verdict.is_spam:
                found[number] = verdict
    return found


def foreign_among(rows: Mapping[int, TokenRow]) -> list[int]:
    """The numbers of those that anybody may have made."""
    return [number for number, row in rows.items() if is_foreign(row)]


def spam_transactions(
    conn: Connection,
    principal: Principal,
    rows: Sequence[StoredTransaction],
    bad: Mapping[int, Verdict],
    wallets: Iterable[WalletRow],
) -> Mapping[int, Verdict]:
    """The verdicts on transactions that are spam, or that the user has spoken of. `bad` are the tokens in them that are spam."""
    own = {purse.address for purse in wallets if purse.address is not None}
    senders = {row.id: _senders(row, own) for row in rows}
    masks = {sender: mask for found in senders.values() for sender in found if (mask := mask_of(sender)) is not None}
    known: dict[str, set[str]] = {mask: set(parties) for mask, parties in sent_to(conn, principal, masks.values()).items()}
    for address in own:
        if (mask := mask_of(address)) is not None:
            known.setdefault(mask, set()).add(address)
    said = said_of(conn, principal.data_user, ("spam",), [str(row.id) for row in rows])
    found: dict[int, Verdict] = {}
    for row in rows:
        word = said.get(("spam", str(row.id)))
        verdict = _of_transaction(row, bad, is_poisoned=poisoned(senders[row.id], known, masks))
        if word is not None:
            found[row.id] = _SAID if word == YES else CLEAN
        elif verdict.is_spam:
            found[row.id] = verdict
    return found


def _judged(row: TokenRow, past: Past, price: Price | Unpriced, assets: Assets) -> Verdict:
    is_absent = row.id.startswith(_LISTED_CHAINS) and not isinstance(price, Price) and price.reason == "no_source"
    is_listed = True if isinstance(price, Price) else False if is_absent else None
    return judge(
        ticker=row.ticker, name=row.name, is_nft=row.kind == "nft", known_tickers=_tickers(assets), past=past, is_listed=is_listed
    )


@cache
def _tickers(assets: Assets) -> frozenset[str]:
    return frozenset(asset.ticker for asset in assets.all)


def _senders(row: StoredTransaction, own: set[str]) -> set[str]:
    """From whom a transaction came on a chain that the user did not pay for."""
    if row.event is None or any(leg.amount < 0 for leg in row.legs):
        return set()
    return {leg.counterparty for leg in row.legs if leg.counterparty is not None} - own


def _of_transaction(row: StoredTransaction, bad: Mapping[int, Verdict], *, is_poisoned: bool) -> Verdict:
    reasons: list[Reason] = []
    is_unpaid = row.event is not None and all(leg.amount > 0 for leg in row.legs)
    if is_unpaid and row.legs and all(leg.token in bad for leg in row.legs):
        told = [reason for leg in row.legs for reason in bad[leg.token].reasons]
        reasons += ["spam_token", *dict.fromkeys(told)]
    if is_unpaid and not row.legs and row.status == "confirmed":
        reasons.append("zero_value")
    if is_poisoned:
        reasons.append("imitated_address")
    return Verdict(bool(reasons), tuple(reasons))
