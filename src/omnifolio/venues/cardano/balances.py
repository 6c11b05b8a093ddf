"""The stream `balances/<network>`: coins, assets, rewards and the locked deposit of a stake address, or what lies at one address.

The coins are asked for before and after the assets; when they moved in between, all is asked again.
"""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from msgspec import structs

from omnifolio.catalog.cardano_chains import ADA_DECIMALS, CardanoChain
from omnifolio.model.amounts import ZERO, from_units
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Product, Snapshot
from omnifolio.venues.answers import shaped
from omnifolio.venues.cardano.address import has_stake
from omnifolio.venues.cardano.assets import Asked, assets_in, unstated
from omnifolio.venues.cardano.koios import ROWS, Server
from omnifolio.venues.cardano.shapes import Address, Asset, StakeAccount, Tip, units
from omnifolio.venues.cardano.subject import Subject
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of

TRIES_MAX = 3
"""Tries of one snapshot while the coins move under it."""
PAGES_MAX = 200
TIP, COINS, HELD = "tip", "coins", "held"


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    server = Server(access, url=url, stream=since.stream)
    about = {"wallet": subject.address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    tip = await server.ask(TIP, "tip")
    height = tip_of(tip).height
    if since.token and height < int(since.token):
        raise VenueUnavailable("the server is behind what was read before")
    asked = Asked(server, with_mint=True)
    for _ in range(TRIES_MAX):
        opening = await _coins(server, subject, **about)
        held = await _held(server, subject)
        names = await asked.about([asset.key for asset in _assets(held)])
        closing = await _coins(server, subject, **about)
        if opening.body == closing.body:
            batch = decode_balances(subject.chain, since.stream, [opening, *held, *names])
            yield structs.replace(batch, cursor=Cursor(since.stream, str(height)), done=True)
            return
    raise VenueUnavailable("the coins moved each time that they were read")


def tip_of(evidence: Evidence) -> Tip:
    """The newest block. Raises: VenueBadResponse."""
    rows = shaped(evidence.body, tuple[Tip, ...])
    if len(rows) != 1:
        raise VenueBadResponse("the server does not say which block is the newest")
    return rows[0]


async def _coins(server: Server, subject: Subject, **about: str) -> Evidence:
    if subject.is_account:
        columns = "stake_address,utxo,rewards_available,deposit"
        return await server.ask(
            COINS, "account_info", query={"select": columns}, body={"_stake_addresses": [subject.address]}, **about
        )
    return await server.ask(
        COINS, "address_info", query={"select": "address,balance"}, body={"_addresses": [subject.address]}, **about
    )


async def _held(server: Server, subject: Subject) -> list[Evidence]:
    """All assets, a thousand a page in an order that stays. Raises: VenueError and its kin."""
    kept: list[Evidence] = []
    path, field = ("account_assets", "_stake_addresses") if subject.is_account else ("address_assets", "_addresses")
    while len(kept) < PAGES_MAX:
        query = {
            "select": "policy_id,asset_name,quantity",
            "order": "policy_id.asc,asset_name.asc",
            "limit": str(ROWS),
            "offset": str(len(kept) * ROWS),
        }
        kept.append(await server.ask(HELD, path, query=query, body={field: [subject.address]}))
        if len(shaped(kept[-1].body, tuple[Asset, ...])) < ROWS:
            return kept
    raise VenueBadResponse(f"the server has more than {PAGES_MAX} pages of assets")


def _assets(evidence: Sequence[Evidence]) -> list[Asset]:
    return [row for item in evidence if item.params["read"] == HELD for row in shaped(item.body, tuple[Asset, ...])]


def decode_balances(chain: CardanoChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject = Subject(chain, params["wallet"])
    coins, deposit, rewards = _stated(subject, evidence[0])
    held: dict[str, int] = {}
    for asset in _assets(evidence):
        held[asset.key] = held.get(asset.key, 0) + units(asset.quantity)
    assets = assets_in(chain, evidence, held)
    tokens = [Balance(assets[key].facts.id, assets[key].amount(quantity)) for key, quantity in sorted(held.items()) if quantity]

    def snapshot(wallet: str, product: Product, amount: Decimal, *others: Balance) -> Snapshot:
        own = (Balance(chain.native.id, amount),) if amount else ()
        return Snapshot(wallet=wallet, product=product, at=at, balances=(*own, *others), evidence=0)

    snapshots = [snapshot(subject.wallet, "spot", coins, *tokens)]
    if subject.is_account:
        snapshots += [snapshot(subject.wallet, "locked", deposit), snapshot(subject.rewards, "staked", rewards)]
    gaps = [*unstated(stream, (assets[key] for key, quantity in held.items() if quantity))]
    if has_stake(subject.address):
        text = "this one address is read alone: its stake address has the others, their rewards and the deposit"
        gaps.append(Gap(stream=stream, code="stake_not_read", text=text))
    if "unwanted" in params:
        text = "only balances were asked for, so what led to them is not read"
        gaps.append(Gap(stream=stream, code="history_not_wanted", text=text))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native, *(assets[key].facts for key in sorted(held))),
        wallets=subject.wallets(),
        snapshots=tuple(snapshots),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


def _stated(subject: Subject, evidence: Evidence) -> tuple[Decimal, Decimal, Decimal]:
    """Coins, deposit and rewards; an address that was never used has none. Raises: VenueBadResponse."""
    if subject.is_account:
        accounts = [row for row in shaped(evidence.body, tuple[StakeAccount, ...]) if row.stake_address == subject.address]
        stated = [(row.utxo, row.deposit, row.rewards_available) for row in accounts]
    else:
        stated = [(row.balance, "0", "0") for row in shaped(evidence.body, tuple[Address, ...]) if row.address == subject.address]
    if len(stated) > 1:
        raise VenueBadResponse("the server tells one address more than once")
    if not stated:
        return ZERO, ZERO, ZERO
    coins, deposit, rewards = (from_units(units(text), ADA_DECIMALS) for text in stated[0])
    return coins, deposit, rewards
