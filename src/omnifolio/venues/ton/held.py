"""The stream `balances/<network>`: the coin, jettons and NFTs of one address.

The account is asked for before and after the tokens; when it moved in between, all is asked again.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct, structs

from omnifolio.catalog.ton_chains import COIN_DECIMALS, TonChain
from omnifolio.model.amounts import from_units
from omnifolio.model.errors import VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.ton.address import friendly
from omnifolio.venues.ton.indexer import Indexer
from omnifolio.venues.ton.shapes import Account, Accounts, Items, JettonWallet, JettonWallets
from omnifolio.venues.ton.tokens import Jetton, item_facts, jetton_facts, jetton_of, short

PAGE = 1_000
"""Rows that the indexer tells in one answer."""
PAGES_MAX = 5
"""Pages of jettons or NFTs that are read; what lies behind them is said to be missing."""
TRIES_MAX = 3
"""Tries of one snapshot while the account moves under it."""
ACCOUNT, JETTONS, ITEMS = "account", "jettons", "items"
ITEM_AMOUNT = 1
COLON = "%3A"


class Subject(Struct, frozen=True):
    """An account on a network; `raw` is its address as `0:hex`."""

    chain: TonChain
    raw: str

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10: the colon in the address is written as it wants it."""
        return f"{self.chain.caip2}:{self.raw.replace(':', COLON)}"


class Purse(Struct, frozen=True):
    """The account of one jetton, and what the jetton says of itself; None where that is not known."""

    row: JettonWallet
    known: Jetton | None


def wallet_of(subject: Subject) -> Wallet:
    """The one wallet of an account."""
    name = f"{subject.chain.name} {short(subject.raw)}"
    return Wallet(key=subject.wallet, name=name, address=friendly(subject.raw))


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    indexer = Indexer(access, url=url, stream=since.stream)
    about = {"wallet": subject.raw} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    for _ in range(TRIES_MAX):
        opening = await _account(indexer, subject, about)
        if since.token and _moved_at(opening) < int(since.token):
            raise VenueUnavailable("the indexer is behind what was read before")
        jettons = await jettons_asked(indexer, subject)
        items = await _pages(indexer, ITEMS, "/nft/items", subject)
        closing = await _account(indexer, subject, about)
        if _account_of(opening, subject) == _account_of(closing, subject):
            batch = decode_balances(subject.chain, since.stream, [opening, *jettons, *items])
            yield structs.replace(batch, cursor=Cursor(since.stream, str(_moved_at(opening))), done=True)
            return
    raise VenueUnavailable("the account moved each time that it was read")


async def jettons_asked(indexer: Indexer, subject: Subject) -> list[Evidence]:
    """The accounts of all jettons that the address ever had, those that are empty too."""
    return await _pages(indexer, JETTONS, "/jetton/wallets", subject)


def purses_of(evidence: Sequence[Evidence]) -> dict[str, Purse]:
    """The accounts of jettons by raw address, out of the answers among the evidence. Raises: VenueBadResponse."""
    found = {}
    for item in evidence:
        if item.params["read"] == JETTONS:
            answer = shaped(item.body, JettonWallets)
            for row in answer.jetton_wallets:
                found[row.address.lower()] = Purse(row, jetton_of(answer.metadata or {}, row.jetton))
    return found


def decode_balances(chain: TonChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshot out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params = evidence[0].params
    subject, at = Subject(chain, params["wallet"]), received_at(evidence)
    account = _account_of(evidence[0], subject)
    held = [Balance(chain.native.id, from_units(int(account.balance or 0), COIN_DECIMALS))]
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    purses = [purse for purse in purses_of(evidence).values() if int(purse.row.balance)]
    for purse in purses:
        if purse.known is not None:
            facts = jetton_facts(chain, purse.row.jetton.lower(), purse.known)
            held.append(Balance(facts.id, from_units(int(purse.row.balance), purse.known.decimals)))
            tokens[facts.id] = facts
    for facts in _items(chain, evidence):
        if facts.id not in tokens:
            held.append(Balance(facts.id, from_units(ITEM_AMOUNT, 0)))
        tokens[facts.id] = facts
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=(wallet_of(subject),),
        snapshots=(Snapshot(wallet=subject.wallet, product="spot", at=at, balances=tuple(held), evidence=0),),
        gaps=(*_gaps(stream, account, purses, evidence), *unknown(stream, purses)),
        evidence=tuple(evidence),
    )


def unknown(stream: str, purses: Sequence[Purse]) -> tuple[Gap, ...]:
    """The gap for jettons whose decimals nobody told, so that their amounts are not known."""
    count = sum(purse.known is None for purse in purses)
    text = f"amounts of {count} jettons are not known: the indexer has not read what they say of themselves"
    return (Gap(stream=stream, code="decimals_unknown", text=text),) if count else ()


def _gaps(stream: str, account: Account, purses: Sequence[Purse], evidence: Sequence[Evidence]) -> list[Gap]:
    text = "what lies in nominator pools or vesting contracts: the indexer tells it of no address; pool tokens are read"
    gaps = [Gap(stream=stream, code="stakes_unread", text=text)]
    if account.extra_currencies:
        text = f"{len(account.extra_currencies)} extra currencies of the account, whose decimals no source tells"
        gaps.append(Gap(stream=stream, code="extra_currencies_unread", text=text))
    for kind in (JETTONS, ITEMS):
        pages = [item for item in evidence if item.params["read"] == kind]
        if len(pages) == PAGES_MAX and _count(pages[-1]) == PAGE:
            text = f"{kind} behind the first {PAGE * PAGES_MAX:,}"
            gaps.append(Gap(stream=stream, code="tokens_unread", text=text))
    if "unwanted" in evidence[0].params:
        text = "only balances were asked for, so what led to them is not read"
        gaps.append(Gap(stream=stream, code="history_not_wanted", text=text))
    return gaps


def _items(chain: TonChain, evidence: Sequence[Evidence]) -> list[TokenFacts]:
    answers = [shaped(item.body, Items) for item in evidence if item.params["read"] == ITEMS]
    return [item_facts(chain, row.address.lower(), answer.metadata or {}) for answer in answers for row in answer.nft_items]


async def _pages(indexer: Indexer, read: str, path: str, subject: Subject) -> list[Evidence]:
    found: list[Evidence] = []
    for number in range(PAGES_MAX):
        asked = {"owner_address": subject.raw, "limit": str(PAGE), "offset": str(number * PAGE)}
        found.append(await indexer.ask(read, path, asked))
        if _count(found[-1]) < PAGE:
            break
    return found


def _count(item: Evidence) -> int:
    if item.params["read"] == JETTONS:
        return len(shaped(item.body, JettonWallets).jetton_wallets)
    return len(shaped(item.body, Items).nft_items)


async def _account(indexer: Indexer, subject: Subject, about: dict[str, str]) -> Evidence:
    return await indexer.ask(ACCOUNT, "/accountStates", {"address": subject.raw, "include_boc": "false"}, **about)


def _account_of(item: Evidence, subject: Subject) -> Account:
    """The account; one that was never used is empty, whether the indexer tells it so or not at all."""
    rows = shaped(item.body, Accounts).accounts
    return next((row for row in rows if (row.address or "").lower() == subject.raw), Account())


def _moved_at(item: Evidence) -> int:
    rows = shaped(item.body, Accounts).accounts
    return max((int(row.last_transaction_lt or 0) for row in rows), default=0)
