"""The objects of `/v1` as they go over the wire: Vezgo's fields first, ours beside them.

Instants are epoch milliseconds. Amounts are canonical decimal strings. Values are decimal strings with two places in
`fiat_ticker`; null is unknown and never zero, `fiat_reason` then says why. Orders alone have numbers, as at Vezgo.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

NAME_LENGTH_MAX = 200
"""Characters of an account's name."""
FIELDS_MAX = 20
"""Credential fields in one request."""
FIELD_NAME_LENGTH_MAX = 200
FIELD_LENGTH_MAX = 8_000
"""Characters of one credential: an RSA key in PEM has fewer than half of them."""

Status = Literal["ok", "error", "syncing", "retry"]
Proof = Literal["user", "hash", "withdrawal_id", "address", "amount", "fee", "time"]
DecisionKind = Literal["label", "note", "spam", "type", "link", "price"]
Direction = Literal["sent", "received"]


class _Out(Struct, frozen=True, kw_only=True, gc=False):
    """What is answered. Built once, encoded, gone."""


class TokenOut(_Out, frozen=True, kw_only=True, gc=False):
    """A user's token: a JWT of three parts, valid for twenty minutes."""

    token: str


class InstructionsOut(_Out, frozen=True, kw_only=True, gc=False):
    """What the user has to do at the provider, by language."""

    en: str
    fr: str


class FeaturesOut(_Out, frozen=True, kw_only=True, gc=False):
    """What is read from a provider."""

    account: bool
    positions: bool
    transactions: bool
    nfts: bool
    streaming: bool


class DataKindOut(_Out, frozen=True, kw_only=True, gc=False):
    """One kind of data that a provider gives, how that was checked, and for how many days back; null is all of it."""

    kind: str
    proof: str
    look_back_days: int | None


class LiveOut(_Out, frozen=True, kw_only=True, gc=False):
    """A user with an account has confirmed this very connector: on which day, the connector's hash, and until when it holds."""

    date: str
    connector: str
    until: int


class ProviderOut(_Out, frozen=True, kw_only=True, gc=False):
    """A venue that can be connected. `proof` says how the connector was checked; below `recorded` it is beta.

    `key_check` says what the venue itself tells of a key: `rights`, or why that is not known; null where there is no key.
    `egress_ips` are the addresses to bind a key to, where the venue can do that and the operator has named them.
    """

    resource_type: Literal["provider"] = "provider"
    name: str
    display_name: str
    alternate_names: list[str] | None
    logo: str | None
    type: str
    category: str
    categories: list[str]
    auth_type: Literal["oauth", "password", "token", "wallet"]
    scopes: list[str]
    available_scopes: list[str]
    available_currencies: list[str]
    status: str
    is_beta: bool
    connect_notice: str | None
    credentials: list[str]
    instructions: InstructionsOut
    misc: dict[str, Any]
    features: FeaturesOut
    key_check: str | None
    egress_ips: list[str]
    proof: str
    live: LiveOut | None
    sources: list[str]
    """Hosts that are asked once an account is connected."""
    data: list[DataKindOut]


class TeamOut(_Out, frozen=True, kw_only=True, gc=False):
    """Public facts of a team, for the Connect widget."""

    name: str
    redirect_uris: list[str]
    deactivated: bool
    features: list[str]
    instructions: list[str]
    preferences: dict[str, Any]
    logo: str | None


class StatusDetailsOut(_Out, frozen=True, kw_only=True, gc=False):
    """The three parts of a sync, each with its own status."""

    wallets: Status
    balances: Status
    transactions: Status


class AccountErrorOut(_Out, frozen=True, kw_only=True, gc=False):
    """Why an account is not up to date, and what its user can do. `options` come with security questions."""

    name: str
    message: str
    code: str
    cause: str
    action: str
    docs_url: str


class GapOut(_Out, frozen=True, kw_only=True, gc=False):
    """Something that was not read. `is_failure`: it is tried again; else the provider does not give it."""

    stream: str
    code: str
    text: str
    start: int | None
    end: int | None
    is_failure: bool
    since: int


class CoverageOut(_Out, frozen=True, kw_only=True, gc=False):
    """Where an account's history is complete; null bounds while no stretch of time is."""

    complete_from: int | None
    complete_to: int | None
    gaps: int


class WarningOut(_Out, frozen=True, kw_only=True, gc=False):
    """Unread history that the provider will not keep: unless a sync comes before `lost_from`, what follows `unread_from` is
    lost from then on."""

    code: Literal["look_back"] = "look_back"
    stream: str
    text: str
    look_back_ms: int
    unread_from: int
    lost_from: int


class MissingOut(_Out, frozen=True, kw_only=True, gc=False):
    """A part of a total that is missing or stale, and why."""

    ticker: str
    reason: str


class KeyChangeOut(_Out, frozen=True, kw_only=True, gc=False):
    """How a key differed from what it was at the look before."""

    at: int
    code: str
    text: str


class PermissionOut(_Out, frozen=True, kw_only=True, gc=False):
    """What the key may do, as the provider's own call `method` says; "" where it has none.

    `rights` are the provider's names of all that the key may, `excess` of what is more than reading, `switches` what to turn
    off for it on the provider's page of keys. `changes` tells what was different between two looks, the oldest first.
    """

    state: Literal["read_only", "can_trade", "can_withdraw", "unknown"]
    method: str
    rights: list[str]
    excess: list[str]
    switches: list[str]
    missing: list[str]
    ip_restricted: bool | None
    expires_at: int | None
    checked_at: int
    changes: list[KeyChangeOut]


class WalletOut(_Out, frozen=True, kw_only=True, gc=False):
    """A purse inside an account."""

    id: str
    name: str | None
    address: str | None
    fiat_value: str | None
    fiat_ticker: str
    complete: bool
    is_reconciled: bool


class BalanceOut(_Out, frozen=True, gc=False):
    """How much of a token a wallet holds. `is_suspect`: the last look did not show it, which is not believed yet.

    Its fields are given by position, those of the token first: naming 23 of them costs more than everything else of a balance.
    """

    resource_type: Literal["balance"]
    ticker: str
    provider_ticker: str
    provider_ticker_name: str
    ticker_address: str | None
    name: str
    asset_type: str
    decimals: int | None
    asset_is_verified: bool
    asset_id: str
    logo: str | None
    product: str
    amount: str
    fiat_value: str | None
    fiat_ticker: str
    fiat_asset_is_verified: bool
    updated_at: int
    wallet: str
    misc: dict[str, Any] | None
    is_suspect: bool
    fiat_price: str | None
    fiat_source: str | None
    fiat_reason: str | None
    is_stale: bool


class ReasonOut(_Out, frozen=True, kw_only=True, gc=False):
    """Why something is as it is: a balance in its state, a token or transaction spam."""

    code: str
    text: str


class HiddenOut(_Out, frozen=True, kw_only=True, gc=False):
    """A balance that is spam, and why. It has no worth."""

    ticker: str
    name: str
    ticker_address: str | None
    asset_id: str
    wallet: str
    product: str
    amount: str
    reasons: list[ReasonOut]


class ListeningOut(_Out, frozen=True, kw_only=True, gc=False):
    """How an account's private stream at its venue is heard. `since` null: it is not, and `problem` may say why."""

    since: int | None
    heard_at: int | None
    problem: str | None


class ComponentOut(_Out, frozen=True, kw_only=True, gc=False):
    """One signed part of what a position is worth; negative is owed or lost."""

    role: Literal["unrealised", "value", "supplied", "borrowed", "reward", "collateral"]
    ticker: str
    asset_id: str
    amount: str
    fiat_value: str | None
    fiat_reason: str | None


class PositionOut(_Out, frozen=True, kw_only=True, gc=False):
    """An open claim on a contract or protocol; what the provider does not tell is null.

    `fiat_value` is what it is worth beside the balances: the sum of its `components`, and nothing that a balance holds already.
    `size` is signed and counted in `size_ticker`: the base of a linear contract, the currency of an inverse one.
    """

    resource_type: Literal["position"] = "position"
    id: str
    account: str
    wallet: str
    provider: str
    scope: str
    kind: Literal["perpetual", "future", "option", "margin"]
    name: str
    side: Literal["long", "short"]
    size: str
    size_ticker: str
    contracts: str | None
    base_ticker: str | None
    quote_ticker: str | None
    settle_ticker: str | None
    entry_price: str | None
    mark_price: str | None
    liquidation_price: str | None
    unrealised_pnl: str | None
    margin: str | None
    margin_mode: Literal["cross", "isolated"] | None
    leverage: str | None
    expires_at: int | None
    strike: str | None
    option: Literal["call", "put"] | None
    opened_at: int | None
    components: list[ComponentOut]
    fiat_value: str | None
    fiat_ticker: str
    complete: bool
    updated_at: int


class AccountOut(_Out, frozen=True, kw_only=True, gc=False):
    """A user's connection to a provider with everything in it. `fiat_value` is that of its balances and its positions.

    `hidden` are balances that are spam: they are not among `balances` and in no total.
    """

    id: str
    name: str | None
    resource_type: Literal["account"] = "account"
    blockchain: str | None
    created_at: int
    updated_at: int
    status: Status
    status_details: StatusDetailsOut | UnsetType = UNSET
    error: AccountErrorOut | None
    fiat_value: str | None
    fiat_ticker: str
    complete: bool
    missing: list[MissingOut]
    stale: list[MissingOut]
    provider: ProviderOut
    wallets: list[WalletOut]
    balances: list[BalanceOut]
    hidden: list[HiddenOut]
    positions: list[PositionOut]
    v: int
    authorized: bool
    permission: PermissionOut | None
    key_hint: str
    synced_at: int | None
    next_sync_at: int | None
    live: ListeningOut | None
    coverage: CoverageOut
    gaps: list[GapOut]
    warnings: list[WarningOut]


class PartOut(_Out, frozen=True, gc=False):
    """One movement of a transaction: unsigned, with its direction. Given by position, as a balance is."""

    ticker: str
    provider_ticker: str
    ticker_address: str | None
    asset_is_verified: bool
    asset_id: str
    id: str
    direction: Direction
    amount: str
    fiat_ticker: str
    fiat_value: str | None
    fiat_asset_is_verified: bool
    fiat_source: str | None
    fiat_reason: str | None
    wallet: str
    from_address: str | None
    to_address: str | None
    other_parties: list[str]
    misc: dict[str, Any] | None


class FeeOut(_Out, frozen=True, gc=False):
    """What was paid for a transaction. Its `id` is that of the part whose token it was paid in, where there is just one.

    Given by position, as a balance is.
    """

    ticker: str
    provider_ticker: str
    ticker_address: str | None
    asset_is_verified: bool
    asset_id: str
    id: str
    resource_type: Literal["transaction_fee"]
    type: str
    amount: str
    fiat_ticker: str
    fiat_value: str | None
    fiat_asset_is_verified: bool
    fiat_source: str | None
    fiat_reason: str | None
    wallet: str
    misc: dict[str, Any] | None


class TieOut(_Out, frozen=True, kw_only=True, gc=False):
    """The other side of a part that was moved between the user's own wallets: `part` here is what came from, or went to,
    `transaction` of `account`. `confidence` is from 0 to 1; `evidence` says why, the strongest first."""

    part: str
    direction: Direction
    account: str
    provider: str
    transaction: str
    evidence: list[Proof]
    confidence: str


class TransactionMiscOut(_Out, frozen=True, kw_only=True, gc=False):
    """Where a transaction comes from. `incomplete` names what is unknown in it."""

    origin_id: str
    origin_type: str
    is_swap: bool | UnsetType = UNSET
    incomplete: list[str]


class TransactionOut(_Out, frozen=True, kw_only=True, gc=False):
    """An event with all its movements: tokens, coins and fees alike. `label` and `note` are the user's own words on it."""

    id: str
    resource_type: Literal["transaction"] = "transaction"
    status: Literal["pending", "confirmed", "failed", "cancelled"]
    transaction_type: str
    transaction_subtype: str | None
    transaction_hash: str | None
    fiat_calculated_at: int
    initiated_at: int
    confirmed_at: int | None
    wallet: str | None
    account: str
    misc: TransactionMiscOut
    parts: list[PartOut]
    fees: list[FeeOut]
    label: str | None
    note: str | None
    transfers: list[TieOut]
    is_spam: bool
    spam_reasons: list[ReasonOut]
    finality: str
    v: int


class HistoryOut(_Out, frozen=True, kw_only=True, gc=False):
    """One wallet at the end of one UTC day; `date` is the day's first millisecond.

    `fiat_source` says whether the quantities were calculated from the ledger or observed on that day.
    """

    id: str
    date: int
    wallet: str
    fiat_ticker: str
    fiat_value: str | None
    fiat_source: Literal["ledger", "observed"]
    complete: bool
    missing: list[MissingOut]


class OrderMiscOut(_Out, frozen=True, kw_only=True, gc=False):
    """What else is known of an order."""

    base_asset_id: str
    quote_asset_id: str


class OrderOut(_Out, frozen=True, kw_only=True, gc=False):
    """An order at an exchange, in numbers (written with all their digits). `filled_price` is the total in the quote token."""

    id: str
    account: str
    wallet: str
    resource_type: Literal["order"] = "order"
    order_id: str
    order_status: str
    type: str
    time_in_force: str | None
    side: Literal["buy", "sell"]
    base_ticker: str
    quote_ticker: str
    order_quantity: float
    order_price: float | None
    filled_price: float
    filled_quantity: float
    average_execution_price: float | None
    order_creation_time: int
    updated_at: int
    misc: OrderMiscOut


class AssetOut(_Out, frozen=True, kw_only=True, gc=False):
    """One asset over all accounts. `represents` is the asset that a bridged, wrapped or staked form stands for."""

    asset: str
    ticker: str
    name: str
    amount: str
    asset_is_verified: bool
    represents: str | None
    fiat_value: str | None
    fiat_ticker: str
    complete: bool


class AccountTotalOut(_Out, frozen=True, kw_only=True, gc=False):
    """The total of one account."""

    id: str
    name: str | None
    provider: str
    status: Status
    fiat_value: str | None
    fiat_ticker: str
    complete: bool


class UnreadOut(_Out, frozen=True, kw_only=True, gc=False):
    """An account whose latest sync did not read everything, and why. What it told before still counts."""

    id: str
    name: str | None
    provider: str
    reason: str


class PortfolioOut(_Out, frozen=True, kw_only=True, gc=False):
    """All that a user owns: what `assets` are worth, and `positions_value` besides. `complete` is false when any price is missing
    or stale, `is_partial` when any account could not be read wholly; `unread` names those. `hidden` is how many tokens are spam,
    and in none of it."""

    resource_type: Literal["portfolio"] = "portfolio"
    fiat_value: str | None
    fiat_ticker: str
    complete: bool
    is_partial: bool
    unread: list[UnreadOut]
    missing: list[MissingOut]
    stale: list[MissingOut]
    accounts: list[AccountTotalOut]
    assets: list[AssetOut]
    positions_value: str | None
    hidden: int
    at: int
    v: int


class IntervalOut(_Out, frozen=True, kw_only=True, gc=False):
    """A stretch of time, both ends included."""

    start: int
    end: int


class StreamOut(_Out, frozen=True, kw_only=True, gc=False):
    """How far one stream of an account was read."""

    stream: str
    intervals: list[IntervalOut]
    updated_at: int | None
    reached_present_at: int | None


class UploadOut(_Out, frozen=True, kw_only=True, gc=False):
    """A kind of file that can be imported: `columns` are those of its header that must be there."""

    layout: str
    name: str
    columns: list[str]
    docs_url: str


class KindOut(_Out, frozen=True, kw_only=True, gc=False):
    """All streams of one kind of data together.

    `fetched` and `empty` are what every one of them covers: from the first to the last record, and without any. `uploaded` is
    what imported files tell. `unreachable` is what the provider no longer gives, `unread` what it may still give; `fill` are the
    files that would tell it. `records` is null where they are not counted by stream.
    """

    kind: str
    streams: list[str]
    records: int | None
    look_back_ms: int | None
    fetched: list[IntervalOut]
    empty: list[IntervalOut]
    uploaded: list[IntervalOut]
    unreachable: list[IntervalOut]
    unread: list[IntervalOut]
    fill: list[UploadOut]


class AccountCoverageOut(_Out, frozen=True, kw_only=True, gc=False):
    """Which parts of an account's history are complete, by kind and by stream, what is missing and what will be lost."""

    resource_type: Literal["coverage"] = "coverage"
    account: str
    complete_from: int | None
    complete_to: int | None
    kinds: list[KindOut]
    streams: list[StreamOut]
    gaps: list[GapOut]
    warnings: list[WarningOut]


class HoleOut(_Out, frozen=True, kw_only=True, gc=False):
    """A stretch that a stream states to lack; an end that is null is not known."""

    stream: str
    why: Literal["unread", "unreachable", "gap"]
    start: int | None
    end: int | None
    text: str


class SuspectOut(_Out, frozen=True, kw_only=True, gc=False):
    """A range in which history lacks `amount`, or has too much where it is negative: after `start` (null: from the beginning) and
    up to `end`. Balances below zero prove that something is missing up to `missing_before`, or after `missing_after`."""

    start: int | None
    end: int
    amount: str
    missing_before: int | None
    missing_after: int | None
    streams: list[str]
    holes: list[HoleOut]


class ReconciledOut(_Out, frozen=True, kw_only=True, gc=False):
    """One token in one wallet, over all products. `reported` and `difference` are null where no balance was ever observed."""

    wallet: str
    ticker: str
    asset_id: str
    reported: str | None
    calculated: str
    difference: str | None
    state: Literal["proved", "explained", "open"]
    reasons: list[ReasonOut]
    diverged_at: int | None
    suspects: list[SuspectOut]


class ReconciliationOut(_Out, frozen=True, kw_only=True, gc=False):
    """What an account's provider reports against what its history adds up to. `state` is the worst of the balances'."""

    resource_type: Literal["reconciliation"] = "reconciliation"
    account: str
    state: Literal["proved", "explained", "open"] | None
    balances: list[ReconciledOut]


class KnownBalanceOut(_Out, frozen=True, kw_only=True, gc=False):
    """A balance as it was known."""

    account: str
    wallet: str
    product: str
    ticker: str
    asset_id: str
    amount: str


class KnownComponentOut(_Out, frozen=True, kw_only=True, gc=False):
    """A component of a position as it was known."""

    role: str
    ticker: str
    asset_id: str
    amount: str


class KnownPositionOut(_Out, frozen=True, kw_only=True, gc=False):
    """A position as it was known."""

    account: str
    wallet: str
    scope: str
    kind: str
    name: str
    size: str
    size_ticker: str
    entry_price: str | None
    components: list[KnownComponentOut]


class KnownOut(_Out, frozen=True, kw_only=True, gc=False):
    """What was known right after the change `seq`, written at `at` (null for 0, before the first)."""

    resource_type: Literal["known"] = "known"
    seq: int
    at: int | None
    balances: list[KnownBalanceOut]
    positions: list[KnownPositionOut]


class ChangeOut(_Out, frozen=True, kw_only=True, gc=False):
    """One row of the change log. A removed one is a tombstone; `leads_to` then names the row that took its place, if any."""

    seq: int
    kind: Literal["account", "balances", "positions", "transaction"]
    id: str
    is_removed: bool
    leads_to: str | None
    product: str | None
    scope: str | None
    transaction: TransactionOut | None


class ChangesOut(_Out, frozen=True, kw_only=True, gc=False):
    """The next changes. Ask again with `cursor` while `has_more`. `is_reset`: drop what you hold and take these instead."""

    resource_type: Literal["changes"] = "changes"
    changes: list[ChangeOut]
    cursor: str
    has_more: bool
    is_reset: bool


class SyncAccountOut(_Out, frozen=True, kw_only=True, gc=False):
    """An account as its own route shows it, without what is told beside it: wallets, balances, hidden ones and positions."""

    id: str
    name: str | None
    resource_type: Literal["account"] = "account"
    blockchain: str | None
    created_at: int
    updated_at: int
    status: Status
    status_details: StatusDetailsOut | UnsetType = UNSET
    error: AccountErrorOut | None
    fiat_value: str | None
    fiat_ticker: str
    complete: bool
    missing: list[MissingOut]
    stale: list[MissingOut]
    provider: ProviderOut
    v: int
    authorized: bool
    permission: PermissionOut | None
    key_hint: str
    synced_at: int | None
    next_sync_at: int | None
    live: ListeningOut | None
    coverage: CoverageOut
    gaps: list[GapOut]
    warnings: list[WarningOut]


class SyncWalletOut(_Out, frozen=True, kw_only=True, gc=False):
    """A wallet of an account; its `id` is unique within the `account`."""

    account: str
    id: str
    name: str | None
    address: str | None
    fiat_value: str | None
    fiat_ticker: str
    complete: bool
    is_reconciled: bool


class SyncBalancesOut(_Out, frozen=True, kw_only=True, gc=False):
    """All that a wallet holds of one product, in the place of what it held before; it may be nothing. `hidden` is spam."""

    id: str
    account: str
    wallet: str
    product: str
    balances: list[BalanceOut]
    hidden: list[HiddenOut]


class SyncPositionsOut(_Out, frozen=True, kw_only=True, gc=False):
    """All open positions of one scope of a wallet, in the place of those before; it may be none."""

    id: str
    account: str
    wallet: str
    scope: str
    positions: list[PositionOut]


class SyncRowsOut(_Out, frozen=True, kw_only=True, gc=False):
    """Things as they are now. Put each in the place of what you hold under its id."""

    accounts: list[SyncAccountOut]
    wallets: list[SyncWalletOut]
    balances: list[SyncBalancesOut]
    positions: list[SyncPositionsOut]
    transactions: list[TransactionOut]


class GoneAccountOut(_Out, frozen=True, kw_only=True, gc=False):
    """An account that is no more. Everything with this `account` goes with it, and is not named by itself."""

    id: str


class GoneTransactionOut(_Out, frozen=True, kw_only=True, gc=False):
    """A transaction that is no more. `leads_to` is the one that it turned out to be; null when it was taken back."""

    id: str
    account: str
    leads_to: str | None


class SyncRemovedOut(_Out, frozen=True, kw_only=True, gc=False):
    """What is no more. An id that you do not hold needs nothing."""

    accounts: list[GoneAccountOut]
    transactions: list[GoneTransactionOut]


class SyncOut(_Out, frozen=True, kw_only=True, gc=False):
    """The next part of everything that a copy of the user's books lacks.

    `added` was not there, and `modified` was, in the books that you held when you began to ask: at the last answer without
    `has_more`. `is_reset`: everything comes anew from here, so drop what you hold first. Values are those of the instant `at`.
    `v` is the user's sequence; `status` says whether an account is being read.
    """

    resource_type: Literal["sync"] = "sync"
    added: SyncRowsOut
    modified: SyncRowsOut
    removed: SyncRemovedOut
    next_cursor: str
    has_more: bool
    is_reset: bool
    status: Literal["ok", "syncing"]
    fiat_ticker: str
    at: int
    v: int
    request_id: str


class SideOut(_Out, frozen=True, kw_only=True, gc=False):
    """One side of a transfer."""

    account: str
    provider: str
    transaction: str
    wallet: str
    ticker: str
    asset_id: str
    amount: str
    at: int


class TransferOut(_Out, frozen=True, kw_only=True, gc=False):
    """What left one of the user's wallets and arrived at another. `offered`: it may be one, and waits for the user's word.

    `lost` is what left and did not arrive; null where it arrived in parts, or together with something else.
    """

    resource_type: Literal["transfer"] = "transfer"
    state: Literal["linked", "offered"]
    source: SideOut
    target: SideOut
    evidence: list[Proof]
    confidence: str
    lost: str | None


class DecisionOut(_Out, frozen=True, kw_only=True, gc=False):
    """What the user decided. One of `transaction` (with `other` where it is about two), `address` and `asset_id` says of what.

    `value` is the text of a label or note, `yes` or `no` for spam and link, the type (`deposit/transfer_in`), or the price, which
    is in `currency` and holds on one `day` or on all. `v` is the sequence under which it was made.
    """

    resource_type: Literal["decision"] = "decision"
    id: str
    kind: DecisionKind
    transaction: str | None
    other: str | None
    address: str | None
    asset_id: str | None
    day: str | None
    value: str
    currency: str | None
    reason: str
    author: str
    at: int
    v: int


class UnfoundOut(_Out, frozen=True, kw_only=True, gc=False):
    """A decision of a document that was not taken over: its place in there, from 0, and why."""

    place: int
    reason: str


class LoadedOut(_Out, frozen=True, kw_only=True, gc=False):
    """What became of a document of decisions: `made` now, the `same` as stood already, `outweighed` by a later one, `unfound`."""

    resource_type: Literal["loaded"] = "loaded"
    made: int
    same: int
    outweighed: int
    unfound: list[UnfoundOut]


class HealthOut(_Out, frozen=True, kw_only=True, gc=False):
    """Whether the service can answer."""

    status: Literal["ok"] = "ok"
    version: str


class ProblemOut(_Out, frozen=True, kw_only=True, gc=False):
    """What went wrong (RFC 9457), with Vezgo's `message` and `error`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    message: str
    error: str
    code: str
    blame: str
    retry: str
    action: str
    request_id: str
    docs_url: str
    existing_institution_id: str | UnsetType = UNSET
    existing_connection_id: str | UnsetType = UNSET


Name = Annotated[str, Meta(max_length=NAME_LENGTH_MAX)]
Credentials = Annotated[
    dict[Annotated[str, Meta(max_length=FIELD_NAME_LENGTH_MAX)], Annotated[str, Meta(max_length=FIELD_LENGTH_MAX)]],
    Meta(max_length=FIELDS_MAX),
]


class TokenIn(Struct, frozen=True, kw_only=True, gc=False):
    """Who asks for a token."""

    clientId: Annotated[str, Meta(max_length=FIELD_NAME_LENGTH_MAX)]  # noqa: N815 - Vezgo's name
    secret: Annotated[str, Meta(max_length=FIELD_LENGTH_MAX)]


class AccountIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new connection. `credentials` are the provider's fields; Vezgo's `apiKey`, `apiSecret` and `address` mean the same."""

    provider: Annotated[str, Meta(max_length=FIELD_NAME_LENGTH_MAX)]
    credentials: Credentials
    name: Name | None = None
    sync_transactions: bool | None = None
    sync_nfts: bool | None = None
    daily_sync: bool | None = None


class AccountChangeIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New credentials, or the answer to a provider's question."""

    credentials: Credentials | None = None
    security_answer: Annotated[str, Meta(max_length=FIELD_LENGTH_MAX)] | None = None
    name: Name | None = None


Id = Annotated[str, Meta(max_length=FIELD_NAME_LENGTH_MAX)]


class DecisionIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision to make, in the words of the one that is answered."""

    kind: DecisionKind
    value: Annotated[str, Meta(max_length=4_000)]
    transaction: Id | None = None
    other: Id | None = None
    address: Id | None = None
    asset_id: Id | None = None
    day: Id | None = None
    currency: Id | None = None
    reason: Annotated[str, Meta(max_length=1_000)] = ""
