"""What readers bring home: batches of facts, and the words they are made of.

A reader never says what to store; it states what one source said (claims), what it observed (snapshots), what it covered and
what it could not read (gaps). The ledger decides identity, merging, absence and correction.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.tokens import TokenFacts, TokenId

Product = Literal["spot", "funding", "earn", "staked", "locked", "lent", "margin", "collateral", "debt"]
"""What a balance is to its owner. `locked` is his and cannot be moved now (a reserve, an escrow), `lent` was given to borrowers,
`collateral` backs derivatives, `debt` is owed and negative; no two products of a wallet overlap."""
Role = Literal["principal", "fee"]
Status = Literal["pending", "confirmed", "failed", "cancelled"]
Finality = Literal["pending", "provisional", "final"]
Origin = Literal["api", "file"]
Kind = Literal[
    "trade",
    "deposit",
    "withdrawal",
    "transfer",
    "staking",
    "unstaking",
    "staking_reward",
    "interest",
    "reward",
    "airdrop",
    "referral",
    "rebate",
    "cashback",
    "fee",
    "refund",
    "mining",
    "fork",
    "funding_payment",
    "realized_pnl",
    "liquidation",
    "borrow",
    "repay",
    "other",
]
"""What the source calls the event. The transaction's type is derived from it and from the legs (`meaning.classify`)."""
PositionKind = Literal["perpetual", "future", "option", "margin"]
ComponentRole = Literal["unrealised", "value", "supplied", "borrowed", "reward", "collateral"]
"""What a part of a position is: profit or loss that no balance shows yet, what the contract itself would bring (an option), and
what lies in a protocol: given, owed (negative), earned, or locked behind the rest."""


HANDED_ON_RANK = 99
"""The rank of what another service told of an event: it speaks only of events that no source of the event itself tells."""


class Cursor(Struct, frozen=True, gc=False):
    """A reader's bookmark in one stream. `stream` is `<kind>/<scope>`; `token` is opaque, "" is the beginning."""

    stream: str
    token: str = ""


class Interval(Struct, frozen=True, gc=False, array_like=True):
    """Both ends included, UTC epoch milliseconds."""

    start: EpochMs
    end: EpochMs


class Evidence(Struct, frozen=True, gc=False, kw_only=True):
    """One raw answer, and the question without credentials that brought it."""

    stream: str
    request: str
    """`METHOD path`, without host and query, for instance `POST /0/private/Ledgers`."""
    params: Mapping[str, str] = {}
    """The question's parameters; never a key, signature, nonce or token."""
    status: int = 200
    received_at: EpochMs
    body: bytes


class Wallet(Struct, frozen=True, gc=False, kw_only=True):
    """A purse inside an account: `key` is unique in the account (`spot`, `earn`, a CAIP-10 address)."""

    key: str
    name: str
    address: str | None = None


class Balance(Struct, frozen=True, gc=False):
    """The amount of one token; negative is debt."""

    token: TokenId
    amount: Decimal


class Snapshot(Struct, frozen=True, gc=False, kw_only=True):
    """All balances of one (wallet, product) at one instant. A token that is absent here is held no more."""

    wallet: str
    product: Product
    at: EpochMs
    balances: tuple[Balance, ...]
    evidence: int | None = None


class Component(Struct, frozen=True, array_like=True):
    """One signed part of what a position is worth; negative is owed or lost."""

    role: ComponentRole
    token: TokenId
    amount: Decimal


class Position(Struct, frozen=True, kw_only=True):
    """An open claim on a contract or protocol. What the source does not say is None, never zero.

    A position's worth is the sum of its `components`, and its size is no part of it: **net value = balances + components of
    positions, and nothing is in both**. Profit that a wallet's balance shows already is told as `unrealised` alone, without a
    component; a margin that lies in a balance is told as `margin` alone.

    `key`         stable and unique in the (wallet, scope), for instance symbol and side; `name` is the source's own.
    `size`        exact and signed, a short one negative, counted in `size_token`: the base of a linear contract, the currency
                  of an inverse one (a contract of 100 dollars is 100 dollars, whatever a coin costs). `contracts` as traded.
    `unrealised`, `margin`  in `settle`; prices in `quote`.
    """

    key: str
    kind: PositionKind
    name: str
    size: Decimal
    size_token: TokenId
    components: tuple[Component, ...] = ()
    contracts: Decimal | None = None
    base: TokenId | None = None
    quote: TokenId | None = None
    settle: TokenId | None = None
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    liquidation_price: Decimal | None = None
    unrealised: Decimal | None = None
    margin: Decimal | None = None
    margin_mode: Literal["cross", "isolated"] | None = None
    leverage: Decimal | None = None
    expires_at: EpochMs | None = None
    strike: Decimal | None = None
    option: Literal["call", "put"] | None = None
    opened_at: EpochMs | None = None

    @property
    def tokens(self) -> frozenset[TokenId]:
        """Every token that the position names."""
        named = (self.size_token, self.base, self.quote, self.settle, *(part.token for part in self.components))
        return frozenset(token for token in named if token is not None)


class PositionSnapshot(Struct, frozen=True, kw_only=True):
    """All open positions of one (wallet, scope) at one instant. One that is absent here is closed.

    `scope` names what the source tells together: `usdm`, `option`. Scopes of a wallet share no position.
    """

    wallet: str
    scope: str
    at: EpochMs
    positions: tuple[Position, ...]
    evidence: int | None = None


class Leg(Struct, frozen=True, gc=False, array_like=True):
    """A signed movement: into the wallet is positive. `key` is stable and unique within the claim's event and book."""

    key: str
    wallet: str
    token: TokenId
    amount: Decimal
    role: Role = "principal"
    counterparty: str | None = None


class Claim(Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """What one source says of one event. Claims that share a ref are one transaction.

    `book`   the source's view: `ledger`, `trades`, `deposits`, `chain` … Legs of one book add up; of several books the one
             with the lowest `rank` gives the legs, the others annotate.
    `ref`    this claim's own name in its book (a ledger row's id); with `origin` and `book` it identifies the claim.
    `refs`   every name of the event, as `<namespace>:<value>`; claims with a common name are merged.
    `event`  CAIP-2 and hash of the on-chain event, shared by all accounts that it touches.
    """

    book: str
    ref: str
    refs: tuple[str, ...]
    at: EpochMs
    kind: Kind
    legs: tuple[Leg, ...]
    origin: Origin = "api"
    rank: int = 0
    name: str = ""
    """The venue's own id of the event, for people; "" lets the first of `refs` serve."""
    label: str = ""
    """The source's own word for the type."""
    status: Status = "confirmed"
    confirmed_at: EpochMs | None = None
    event: str | None = None
    height: int | None = None
    block_hash: str | None = None
    finality: Finality = "final"
    evidence: int | None = None


class Order(Struct, frozen=True, gc=False, kw_only=True):
    """An order at an exchange. Quantities are positive; `filled_price` is the total in the quote token."""

    ref: str
    wallet: str
    base: TokenId
    quote: TokenId
    side: Literal["buy", "sell"]
    type: str
    status: str
    quantity: Decimal
    price: Decimal | None
    filled_quantity: Decimal
    filled_price: Decimal
    created_at: EpochMs
    updated_at: EpochMs
    time_in_force: str | None = None
    evidence: int | None = None


class Gap(Struct, frozen=True, gc=False, kw_only=True):
    """What could not be read, as a fact. Ends are None where the source does not say which part is missing.

    `is_failure`: it is tried again soon and the account says so; else the source does not give it.
    """

    stream: str
    code: str
    text: str
    start: EpochMs | None = None
    end: EpochMs | None = None
    is_failure: bool = False


class Rewind(Struct, frozen=True, gc=False):
    """The chain moved: provisional rows of the stream above `height` are taken back unless they appear again."""

    stream: str
    height: int


class Batch(Struct, frozen=True, gc=False, kw_only=True):
    """One page of facts and the cursor that follows it: the only thing that a reader yields.

    `covered`           intervals of the stream that are now fetched or proven empty.
    `pending_complete`  the pending claims listed here are all there are: others of the stream are taken back.
    `evidence`          raw answers; facts name theirs by index.
    `done`              the stream is read up to now; false asks for another slice.
    """

    cursor: Cursor
    observed_at: EpochMs
    tokens: tuple[TokenFacts, ...] = ()
    wallets: tuple[Wallet, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    positions: tuple[PositionSnapshot, ...] = ()
    claims: tuple[Claim, ...] = ()
    orders: tuple[Order, ...] = ()
    covered: tuple[Interval, ...] = ()
    gaps: tuple[Gap, ...] = ()
    rewind: Rewind | None = None
    pending_complete: bool = False
    evidence: tuple[Evidence, ...] = ()
    done: bool = False


class Quote(Struct, frozen=True, gc=False, kw_only=True):
    """A price with its source: one unit of `token` costs `price` units of `currency` in the bucket that starts at `bucket`.

    `resolution` is the bucket's length in ms: a minute, an hour or a day. `route` names the hops where it was not direct.
    """

    token: TokenId
    currency: str
    bucket: EpochMs
    resolution: int
    price: Decimal
    source: str
    route: str = ""
    observed_at: EpochMs
