"""The stream `balances/<network>`: an account's coins, trust lines and pool shares, and what lies ready for it to be claimed.

An account that does not exist holds nothing. The reserve and what open offers promise are part of the balance, and are told.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import structs

from omnifolio.catalog.stellar_chains import DECIMALS, StellarChain
from omnifolio.model.amounts import ZERO, canonical, from_units, total
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Snapshot
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.stellar.horizon import MISSING, PAGE, Horizon
from omnifolio.venues.stellar.shapes import NATIVE, POOL_SHARES, Account, Claimable, Ledger, Page, Pool, Root, amount_in
from omnifolio.venues.stellar.subject import Subject, wallets_of
from omnifolio.venues.stellar.tokens import shares_of, token_named, token_of

ROOT, LEDGER, ACCOUNT, CLAIMABLE, POOL = "root", "ledger", "account", "claimable", "pool"
CLAIMABLE_PAGES_MAX = 5
"""Pages of claimable balances that are read; most of them are advertisements."""
POOLS_MAX = 100
"""Pools that are asked what lies in them."""
ENTRIES_OF_AN_ACCOUNT = 2
"""Base reserves that an account needs before it has anything but coins."""
OFFERS_SHOWN_MAX = 5


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    chain, address = subject.chain, subject.address
    horizon = Horizon(access, url=url, stream=since.stream)
    about = {"wallet": address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    root = await horizon.ask(ROOT, "/", about=about)
    latest = root_of(chain, root).history_latest_ledger
    if since.token and latest < int(since.token):
        raise VenueUnavailable("the server is behind what was read before")
    account = await horizon.ask(ACCOUNT, f"/accounts/{address}")
    kept = [root, await horizon.ask(LEDGER, f"/ledgers/{latest}"), account]
    cursor = ""
    for _ in range(CLAIMABLE_PAGES_MAX):
        query = {"claimant": address, "limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
        kept.append(await horizon.ask(CLAIMABLE, "/claimable_balances", query=query))
        rows = _claimables(kept[-1])
        if len(rows) < PAGE:
            break
        cursor = rows[-1].paging_token
    pools = [row.liquidity_pool_id for row in _account(account).balances if row.asset_type == POOL_SHARES]
    kept += [await horizon.ask(POOL, f"/liquidity_pools/{pool}") for pool in pools[:POOLS_MAX]]
    batch = decode_balances(chain, since.stream, kept)
    yield structs.replace(batch, cursor=Cursor(since.stream, str(latest)), done=True)


def decode_balances(chain: StellarChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject = Subject(chain, params["wallet"])
    by_kind = {item.params["read"]: item for item in evidence}
    account = _account(by_kind[ACCOUNT])
    pools = [shaped(item.body, Pool) for item in evidence if item.params["read"] == POOL and item.status == 200]
    held = list(_held(chain, account, {pool.id: pool for pool in pools}))
    waiting = [row for item in evidence if item.params["read"] == CLAIMABLE for row in _claimables(item)]
    ready = [(token_named(chain, row.asset), amount_in(row.amount)) for row in waiting]
    snapshots = (
        Snapshot(wallet=subject.wallet, product="spot", at=at, balances=_summed(held), evidence=2),
        Snapshot(wallet=subject.claimable, product="earn", at=at, balances=_summed(ready), evidence=3),
    )
    contracts = ("contract_tokens_unread", "tokens of contracts (SEP-41) are told neither with the account nor in its history")
    gaps = [contracts, *_account_gaps(chain, account, shaped(by_kind[LEDGER].body, Ledger)), *_claimable_gaps(subject, waiting)]
    if by_kind[ACCOUNT].status == MISSING:
        gaps.append(("account_missing", "the account does not exist: nobody has paid into it yet, or it was merged into another"))
    if "unwanted" in params:
        gaps.append(("history_not_wanted", "only balances were asked for, so what led to them is not read"))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple({facts.id: facts for facts, _ in (*held, *ready)}.values()),
        wallets=wallets_of(subject),
        snapshots=snapshots,
        gaps=tuple(Gap(stream=stream, code=code, text=text) for code, text in gaps),
        evidence=tuple(evidence),
    )


def root_of(chain: StellarChain, evidence: Evidence) -> Root:
    """What the server says of itself. Raises: VenueBadResponse where it belongs to another network."""
    found = shaped(evidence.body, Root)
    if found.network_passphrase != chain.passphrase:
        raise VenueBadResponse(f"the server belongs to another network than {chain.name}'s {chain.reference}")
    return found


def _account(evidence: Evidence) -> Account:
    """The account; one that does not exist has nothing."""
    return Account(()) if evidence.status == MISSING else shaped(evidence.body, Account)


def _claimables(evidence: Evidence) -> tuple[Claimable, ...]:
    return shaped(evidence.body, Page[Claimable]).embedded.records


def _held(chain: StellarChain, account: Account, pools: Mapping[str, Pool]) -> Iterator[tuple[TokenFacts, Decimal]]:
    """The tokens of an account, its coins first; trust lines without an amount are none."""
    coins = [amount_in(row.balance) for row in account.balances if row.asset_type == NATIVE]
    yield chain.native, total(coins)
    for row in account.balances:
        amount = amount_in(row.balance)
        if row.asset_type == POOL_SHARES and amount:
            yield shares_of(chain, pools.get(row.liquidity_pool_id, Pool(row.liquidity_pool_id))), amount
        elif row.asset_type != NATIVE and amount:
            yield token_of(chain, kind=row.asset_type, code=row.asset_code, issuer=row.asset_issuer), amount


def _summed(amounts: Iterable[tuple[TokenFacts, Decimal]]) -> tuple[Balance, ...]:
    found: dict[TokenId, Decimal] = {}
    for facts, amount in amounts:
        found[facts.id] = total((found.get(facts.id, ZERO), amount))
    return tuple(Balance(token, amount) for token, amount in found.items())


def _account_gaps(chain: StellarChain, account: Account, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """What of the balance cannot be sent: the reserve, and what open offers promise."""
    entries = ENTRIES_OF_AN_ACCOUNT + account.subentry_count + account.num_sponsoring - account.num_sponsored
    if account.balances and entries > 0:
        reserve = canonical(from_units(entries * ledger.base_reserve_in_stroops, DECIMALS))
        yield "reserve_locked", f"{reserve} {chain.ticker} are the account's reserve and cannot be sent while it has its entries"
    promised = [(row, amount_in(row.selling_liabilities)) for row in account.balances if amount_in(row.selling_liabilities)]
    if promised:
        shown = [f"{canonical(amount)} {row.asset_code or chain.ticker}" for row, amount in promised[:OFFERS_SHOWN_MAX]]
        rest = f" and of {len(promised) - OFFERS_SHOWN_MAX} tokens more" if len(promised) > OFFERS_SHOWN_MAX else ""
        yield "offers_locked", f"open offers promise {', '.join(shown)}{rest}, which are part of the balance"
    if sum(row.asset_type == POOL_SHARES for row in account.balances) > POOLS_MAX:
        yield "pools_unread", f"of pools beyond {POOLS_MAX} what lies in them is not asked"


def _claimable_gaps(subject: Subject, waiting: Sequence[Claimable]) -> Iterator[tuple[str, str]]:
    if not waiting:
        return
    yield "claimable_not_listed", "what lies ready to be claimed stands in no history before it is claimed"
    own = [claimant for row in waiting for claimant in row.claimants if claimant.destination == subject.address]
    conditions = sum(not claimant.is_unconditional for claimant in own)
    shared = sum(len(row.claimants) > 1 for row in waiting)
    if conditions or shared:
        text = f"of {len(waiting)} claimable balances {conditions} have a condition, and {shared} somebody else may claim as well"
        yield "claimable_conditions", text
    if len(waiting) >= PAGE * CLAIMABLE_PAGES_MAX:
        yield "claimable_unread", f"of claimable balances beyond {PAGE * CLAIMABLE_PAGES_MAX} nothing is read"
