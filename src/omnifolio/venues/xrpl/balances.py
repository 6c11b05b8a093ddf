"""The stream `balances/<ledger>`: XRP, trust lines, collectibles, escrows and channels of one account, in one validated ledger.

The reserve, escrows and channels are `locked`, what the account owes as an issuer is `debt`. An account that nobody has funded
yet holds nothing, and that is an answer.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Raw, structs

from omnifolio.catalog.xrpl_chains import XRP_DECIMALS, XrplChain
from omnifolio.model.amounts import EXACT, FRACTION_DIGITS_MAX, ZERO, from_units, total
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Product, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.xrpl.changes import escrowed
from omnifolio.venues.xrpl.movements import Subject
from omnifolio.venues.xrpl.rpc import NOT_FOUND, Reply, Server, reply_of
from omnifolio.venues.xrpl.shapes import AccountInfo, Channel, Collectibles, Escrow, Lines, Objects, ServerInfo, amount_of, drops
from omnifolio.venues.xrpl.tokens import collectible, issued, short

LIMIT = 400
"""Rows in one answer, the most that a public server gives."""
PAGES_MAX = 1_000
"""Answers of one list."""
LATE = 2
"""Ledgers below the newest one: of several servers behind one name, one may be a moment late."""
ACCOUNT, SERVER, LINES, COLLECTIBLES = "account", "server", "lines", "collectibles"
ESCROWS, CHANNELS, MULTI = "escrow", "payment_channel", "mptoken"
LISTS: Mapping[str, str] = {LINES: "account_lines", COLLECTIBLES: "account_nfts"} | dict.fromkeys(
    (ESCROWS, CHANNELS, MULTI), "account_objects"
)
"""What is listed, and by which method."""
Held = dict[tuple[Product, TokenFacts], Decimal]
T = TypeVar("T", Lines, Objects, Collectibles)


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    server = Server(access, url=url, stream=since.stream)
    about = {"wallet": subject.address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    known = await server.ask(SERVER, "server_info", {})
    ledger = _validated(reply_of(known)) - LATE
    if since.token and ledger < int(since.token):
        raise VenueUnavailable("the server is behind what was read before")
    place = {"account": subject.address, "ledger_index": ledger}
    evidence = [await server.ask(ACCOUNT, "account_info", place, **about), known]
    if reply_of(evidence[0]).error != NOT_FOUND:
        for read in LISTS:
            evidence += await _listed(server, read, place)
    yield structs.replace(
        decode_balances(subject.chain, since.stream, evidence), cursor=Cursor(since.stream, str(ledger)), done=True
    )


async def _listed(server: Server, read: str, place: Mapping[str, object]) -> list[Evidence]:
    """All answers of one list. Raises: VenueError and its kin."""
    kept: list[Evidence] = []
    wanted = {"type": read} if LISTS[read] == "account_objects" else {}
    after: dict[str, object] = {}
    while len(kept) < PAGES_MAX:
        kept.append(await server.ask(read, LISTS[read], {**place, **wanted, "limit": LIMIT, **after}))
        marker = reply_of(kept[-1]).read(_Marked).marker
        if not bytes(marker):
            return kept
        after = {"marker": msgspec.json.decode(marker)}
    raise VenueBadResponse(f"the server has more than {PAGES_MAX} pages of {read}")


class _Marked(msgspec.Struct, frozen=True):
    marker: Raw = Raw()


def decode_balances(chain: XrplChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params = evidence[0].params
    subject, at = Subject(chain, params["wallet"]), received_at(evidence)
    account = reply_of(evidence[0])
    held: Held = {}
    unread = 0
    if account.error != NOT_FOUND:
        _add_coins(held, chain, account.read(AccountInfo), reply_of(_first(evidence, SERVER)).read(ServerInfo))
        unread = _add_lines(held, subject, _pages(evidence, LINES, Lines))
        unread += _add_locked(held, subject, evidence)
        for page in _pages(evidence, COLLECTIBLES, Collectibles):
            for row in page.account_nfts:
                _add(held, "spot", collectible(chain, row.name), Decimal(1))
        unread += sum(len(page.account_objects) for page in _pages(evidence, MULTI, Objects))
    products: tuple[Product, ...] = ("spot", "locked", "debt")
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple({facts.id: facts for facts in (chain.native, *(facts for _, facts in held))}.values()),
        wallets=(wallet_of(subject),),
        snapshots=tuple(
            Snapshot(
                wallet=subject.wallet,
                product=product,
                at=at,
                balances=tuple(
                    Balance(facts.id, amount) for (place, facts), amount in held.items() if place == product and amount
                ),
                evidence=0,
            )
            for product in products
        ),
        gaps=(*unread_gap(stream, unread), *_unwanted(stream, params)),
        evidence=tuple(evidence),
    )


def wallet_of(subject: Subject) -> Wallet:
    """The wallet, named by its ledger and the ends of its address."""
    return Wallet(key=subject.wallet, name=f"{subject.chain.name} {short(subject.address)}", address=subject.address)


def unread_gap(stream: str, count: int) -> tuple[Gap, ...]:
    """The gap for what is held or moved and whose amount is not told."""
    text = f"{count} amounts are not read: of multi-purpose tokens, or finer than {FRACTION_DIGITS_MAX} decimals"
    return (Gap(stream=stream, code="tokens_unread", text=text),) if count else ()


def _unwanted(stream: str, params: Mapping[str, str]) -> tuple[Gap, ...]:
    text = "only balances were asked for, so what led to them is not read"
    return (Gap(stream=stream, code="history_not_wanted", text=text),) if "unwanted" in params else ()


def _add_coins(held: Held, chain: XrplChain, account: AccountInfo, server: ServerInfo) -> None:
    """The XRP that can be moved, and the reserve that cannot as long as the account and its entries are there."""
    if not account.validated:
        raise VenueBadResponse("the server tells of an account in a ledger that is not validated")
    rules = server.info.validated_ledger
    if rules is None:
        raise VenueBadResponse("the server does not say what everybody has to keep")
    coins = from_units(drops(account.account_data.balance), XRP_DECIMALS)
    entries = EXACT.multiply(rules.reserve_inc_xrp, Decimal(account.account_data.owner_count))
    reserve = min(coins, EXACT.add(rules.reserve_base_xrp, entries))
    _add(held, "spot", chain.native, EXACT.subtract(coins, reserve))
    _add(held, "locked", chain.native, reserve)


def _add_lines(held: Held, subject: Subject, pages: Sequence[Lines]) -> int:
    """Trust lines; the number of those whose balance cannot be held."""
    unread = 0
    for line in (line for page in pages for line in page.lines):
        amount = amount_of(line.balance)
        if amount is None:
            unread += 1
        elif amount > 0:
            _add(held, "spot", issued(subject.chain, line.currency, line.account), amount)
        elif amount < 0:
            _add(held, "debt", issued(subject.chain, line.currency, subject.address), amount)
    return unread


def _add_locked(held: Held, subject: Subject, evidence: Sequence[Evidence]) -> int:
    """What lies in escrows and channels that are the account's own; the number of those whose amount is not told."""
    unread, chain = 0, subject.chain
    for row in _rows(evidence, ESCROWS):
        escrow = shaped(row, Escrow)
        # Escrows of others that may come to the account are listed, too; they are not its own yet.
        if escrow.account == subject.address:
            found = escrowed(chain, escrow.amount)
            unread += found is None
            if found is not None:
                _add(held, "locked", *found)
    for row in _rows(evidence, CHANNELS):
        channel = shaped(row, Channel)
        if channel.account == subject.address:
            left = drops(channel.amount) - drops(channel.balance)
            _add(held, "locked", chain.native, from_units(left, XRP_DECIMALS))
    return unread


def _rows(evidence: Sequence[Evidence], read: str) -> list[Raw]:
    return [row for page in _pages(evidence, read, Objects) for row in page.account_objects]


def _pages(evidence: Sequence[Evidence], read: str, kind: type[T]) -> list[T]:
    return [reply_of(item).read(kind) for item in evidence if item.params["read"] == read]


def _first(evidence: Sequence[Evidence], read: str) -> Evidence:
    return next(item for item in evidence if item.params["read"] == read)


def _add(held: Held, product: Product, facts: TokenFacts, amount: Decimal) -> None:
    held[product, facts] = total((held.get((product, facts), ZERO), amount))


def _validated(reply: Reply) -> int:
    known = reply.read(ServerInfo).info.validated_ledger
    if known is None:
        raise VenueUnavailable("the server is not in step with the network")
    return known.seq
