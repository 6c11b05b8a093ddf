"""The stream `balances/<chain>`: what stands of one account in the storage of one final block.

Free and reserved coins lie apart. What is staked, by the account itself or in a pool, is a part of what is reserved; on accounts
that were never moved to that form it is a frozen part of what is free, or lies with the pool. What a pool owes is in neither.
"""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from msgspec import Struct, structs

from omnifolio.catalog.substrate_chains import SubstrateChain
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Product, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.substrate import storage
from omnifolio.venues.substrate.address import encode
from omnifolio.venues.substrate.fungibles import CALL, Fungibles, Unreadable, about, fungibles
from omnifolio.venues.substrate.node import Node, bytes_of, height_of, is_refused, text_of

GENESIS, HEAD, HEADER, COINS, BONDED, LEDGER, POOL, OWED, ASSETS, ASSET, ABOUT = (
    "genesis", "head", "header", "coins", "bonded", "ledger", "pool", "owed", "assets", "asset", "about",
)  # fmt: skip
_POOL_CALL, _OWED_CALL = "NominationPoolsApi_member_total_balance", "NominationPoolsApi_pending_rewards"
ASSETS_MAX = 200
"""Assets beside those of the row that are asked what they say of themselves."""
HISTORY_UNREAD = "transactions: a node keeps no list of them by address, and indexers that do want a key"


class Subject(Struct, frozen=True):
    """An account on a chain."""

    chain: SubstrateChain
    account: bytes

    @property
    def address(self) -> str:
        """The address as the chain writes it."""
        return encode(self.account, self.chain.prefix)

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"


class Held(Struct, frozen=True):
    """An account's coins in units, each once: free, staked, reserved for something else, and owed by pools."""

    free: int
    staked: int = 0
    reserved: int = 0
    owed: int = 0


def parted(coins: storage.Amounts, *, own: int, pooled: int, owed: int = 0) -> Held | None:
    """The coins by what they are, given what is staked by the account itself and in a pool; None where that does not fit.

    Stakes of pools that never moved to their members' accounts lie with the pool, so they are on top of what the account has.
    """
    if own + pooled <= coins.reserved:
        return Held(coins.free, own + pooled, coins.reserved - own - pooled, owed)
    if own <= coins.reserved:
        return Held(coins.free, own + pooled, coins.reserved - own, owed)
    if own <= min(coins.free, coins.frozen):
        return Held(coins.free - own, own + pooled, coins.reserved, owed)
    return None


def wallets_of(subject: Subject) -> tuple[Wallet, ...]:
    """The account's wallet, and those of what is staked, reserved and owed."""
    name = f"{subject.chain.name} {subject.address[:4]}…{subject.address[-4:]}"
    parts = ("", "staked", "reserved", "owed")
    return tuple(
        Wallet(key="/".join(filter(None, (subject.wallet, part))), name=f"{name} {part}".strip(), address=subject.address)
        for part in parts
    )


def snapshots(subject: Subject, held: Held, assets: Sequence[Balance], *, at: EpochMs) -> tuple[Snapshot, ...]:
    """What is held, a snapshot for each wallet."""
    chain = subject.chain
    kinds: tuple[tuple[int, Product], ...] = (
        (held.free, "spot"), (held.staked, "staked"), (held.reserved, "spot"), (held.owed, "earn"),
    )  # fmt: skip
    found = []
    for wallet, (units, product) in zip(wallets_of(subject), kinds, strict=True):
        coins = (Balance(chain.native.id, from_units(units, chain.decimals)),) if units else ()
        balances = (*coins, *assets) if wallet.key == subject.wallet else coins
        found.append(Snapshot(wallet=wallet.key, product=product, at=at, balances=balances, evidence=0))
    return tuple(found)


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    node, chain, account = Node(access, url=url, stream=since.stream), subject.chain, subject.account
    genesis = await node.ask(GENESIS, "chain_getBlockHash", [0], account=account.hex())
    if not (text_of(genesis.body) or "").startswith(f"0x{chain.genesis}"):
        raise VenueBadResponse(f"the node is not one of {chain.name}")
    head = await node.ask(HEAD, "chain_getFinalizedHead", [])
    block = text_of(head.body)
    header = await node.ask(HEADER, "chain_getHeader", [block])
    if since.token and height_of(header.body) < int(since.token):
        raise VenueUnavailable("the node is behind what was read before")
    found = [genesis, await node.ask(COINS, "state_getStorage", [storage.account_key(account), block])]
    if chain.has_staking:
        bonded = await node.ask(BONDED, "state_getStorage", [storage.bonded_key(account), block])
        found.append(bonded)
        manager = bytes_of(bonded.body)
        if manager is not None:
            key = storage.ledger_key(storage.controller(manager))
            found.append(await node.ask(LEDGER, "state_getStorage", [key, block]))
        for read, call in ((POOL, _POOL_CALL), (OWED, _OWED_CALL)):
            found.append(await node.ask(read, "state_call", [call, f"0x{account.hex()}", block]))
    if chain.assets:
        found += await _assets(node, subject, block)
    batch = decode_balances(chain, since.stream, found)
    yield structs.replace(batch, cursor=Cursor(since.stream, str(height_of(header.body))), done=True)


async def _assets(node: Node, subject: Subject, block: str | None) -> list[Evidence]:
    """All assets in one answer with what those say of themselves that no row names; of an older node those of the row."""
    chain, account = subject.chain, subject.account
    told = await node.ask(ASSETS, "state_call", [CALL, f"0x{account.hex()}", block])
    listed = _listed(told)
    if listed is not None:
        unnamed = sorted(listed.own.keys() - chain.assets.keys())[:ASSETS_MAX]
        keys = [(number, storage.metadata_key(number)) for number in unnamed]
        return [told, *[await node.ask(ABOUT, "state_getStorage", [key, block], asset=str(number)) for number, key in keys]]
    keys = [(number, storage.asset_key(number, account)) for number in chain.assets]
    return [told, *[await node.ask(ASSET, "state_getStorage", [key, block], asset=str(number)) for number, key in keys]]


def _listed(item: Evidence) -> Fungibles | None:
    """All assets of an account; None where the node does not answer for them, or in a form that is not known."""
    try:
        return None if is_refused(item.body) else fungibles(bytes_of(item.body) or b"")
    except Unreadable:
        return None


def held_assets(
    chain: SubstrateChain, evidence: Sequence[Evidence]
) -> tuple[dict[TokenId, Decimal], list[TokenFacts], dict[str, str]]:
    """What is held of assets, these as tokens, and what is not known. Raises: VenueBadResponse."""
    units: dict[int, int] = {}
    tokens = {number: chain.asset(number) for number in chain.assets}
    said = {}
    for item in evidence:
        read, data = item.params["read"], None
        if read == ASSETS:
            listed = _listed(item)
            if listed is None:
                said["assets_unread"] = "assets of the chain beside those that are listed"
                continue
            units = listed.own
            if listed.others:
                said["foreign_assets_unread"] = f"{listed.others} assets of pools and other chains"
        elif read in (ASSET, ABOUT) and (data := bytes_of(item.body)) is not None:
            number = int(item.params["asset"])
            if read == ASSET:
                units[number] = storage.asset_amount(data)
            elif (facts := _named(chain, number, data)) is not None:
                tokens[number] = facts
    if unknown := sum(bool(amount) for number, amount in units.items() if number not in tokens):
        said["decimals_unknown"] = f"amounts of {unknown} assets that say nothing of themselves"
    found = {
        tokens[number].id: from_units(amount, tokens[number].decimals or 0)
        for number, amount in units.items()
        if amount and number in tokens
    }
    return found, list(tokens.values()), said


def _named(chain: SubstrateChain, number: int, data: bytes) -> TokenFacts | None:
    try:
        said = about(data)
    except Unreadable:
        return None
    ticker = said.ticker or f"asset {number}"
    return TokenFacts(id=chain.asset_id(number), ticker=ticker, name=said.name or ticker, decimals=said.decimals)


def decode_balances(chain: SubstrateChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    subject, at = Subject(chain, bytes.fromhex(evidence[0].params["account"])), received_at(evidence)
    said = {"history_unread": HISTORY_UNREAD} | ({"collectibles_unread": "collectibles of the chain"} if chain.assets else {})
    coins = storage.Amounts(0, 0, 0)
    units = dict.fromkeys((LEDGER, POOL, OWED), 0)
    for item in evidence:
        read = item.params["read"]
        if read in (POOL, OWED) and is_refused(item.body):
            said["pools_unread"] = "what lies in nomination pools: the node does not answer for them"
            continue
        if read not in (COINS, LEDGER, POOL, OWED) or (data := bytes_of(item.body)) is None:
            continue
        if read == COINS:
            coins = storage.amounts(data)
        else:
            units[read] = storage.staked(data) if read == LEDGER else storage.number(data)
    amounts, tokens, missing = held_assets(chain, evidence)
    said |= missing
    held = parted(coins, own=units[LEDGER], pooled=units[POOL], owed=units[OWED])
    if held is None:
        said["stakes_unclear"] = "which coins are staked: the node tells of more than the account has reserved or frozen"
        held = Held(coins.free, units[POOL], coins.reserved, units[OWED])
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native, *tokens),
        wallets=wallets_of(subject),
        snapshots=snapshots(subject, held, tuple(Balance(*pair) for pair in amounts.items()), at=at),
        gaps=tuple(Gap(stream=stream, code=code, text=text) for code, text in said.items()),
        evidence=tuple(evidence),
    )
