"""The objects of the wire, immutable. Instants are epoch milliseconds; what is None is unknown.

Made by tools/python_sdk.py from the API's description.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user's connection to a provider with everything in it. `fiat_value` is that of its balances and its positions.

    `hidden` are balances that are spam: they are not among `balances` and in no total."""

    id: str
    name: str | None = None
    resource_type: str = "account"
    blockchain: str | None = None
    created_at: int
    updated_at: int
    status: str
    """One of ok, error, syncing, retry; a newer server may know more."""
    status_details: StatusDetails | None = None
    error: AccountError | None = None
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool
    missing: list[Missing]
    stale: list[Missing]
    provider: Provider
    wallets: list[Wallet]
    balances: list[Balance]
    hidden: list[Hidden]
    positions: list[Position]
    v: int
    authorized: bool
    permission: Permission | None = None
    key_hint: str
    synced_at: int | None = None
    next_sync_at: int | None = None
    live: Listening | None = None
    coverage: Coverage
    gaps: list[Gap]
    warnings: list[LossWarning]


class AccountCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """Which parts of an account's history are complete, by kind and by stream, what is missing and what will be lost."""

    resource_type: str = "coverage"
    account: str
    complete_from: int | None = None
    complete_to: int | None = None
    kinds: list[Kind]
    streams: list[Stream]
    gaps: list[Gap]
    warnings: list[LossWarning]


class AccountError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account is not up to date, and what its user can do. `options` come with security questions."""

    name: str
    message: str
    code: str
    cause: str
    action: str
    docs_url: str


class AccountTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The total of one account."""

    id: str
    name: str | None = None
    provider: str
    status: str
    """One of ok, error, syncing, retry; a newer server may know more."""
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset over all accounts. `represents` is the asset that a bridged, wrapped or staked form stands for."""

    asset: str
    ticker: str
    name: str
    amount: Decimal
    asset_is_verified: bool
    represents: str | None = None
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a token a wallet holds. `is_suspect`: the last look did not show it, which is not believed yet.

    Its fields are given by position, those of the token first: naming 23 of them costs more than everything else of a balance."""

    resource_type: str
    ticker: str
    provider_ticker: str
    provider_ticker_name: str
    ticker_address: str | None = None
    name: str
    asset_type: str
    decimals: int | None = None
    asset_is_verified: bool
    asset_id: str
    logo: str | None = None
    product: str
    amount: Decimal
    fiat_value: Decimal | None = None
    fiat_ticker: str
    fiat_asset_is_verified: bool
    updated_at: int
    wallet: str
    misc: dict[str, Any] | None = None
    is_suspect: bool
    fiat_price: Decimal | None = None
    fiat_source: str | None = None
    fiat_reason: str | None = None
    is_stale: bool


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the wire."""

    kind: str
    """One of label, note, spam, type, link, price; a newer server may know more."""
    value: str
    reason: str = ""
    author: str = ""
    at: int = 0
    transaction: Named | None = None
    other: Named | None = None
    address: str | None = None
    token: str | None = None
    day: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the change log. A removed one is a tombstone; `leads_to` then names the row that took its place, if any."""

    seq: int
    kind: str
    """One of account, balances, positions, transaction; a newer server may know more."""
    id: str
    is_removed: bool
    leads_to: str | None = None
    product: str | None = None
    scope: str | None = None
    transaction: Transaction | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The next changes. Ask again with `cursor` while `has_more`. `is_reset`: drop what you hold and take these instead."""

    resource_type: str = "changes"
    changes: list[Change]
    cursor: str
    has_more: bool
    is_reset: bool


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One signed part of what a position is worth; negative is owed or lost."""

    role: str
    """One of unrealised, value, supplied, borrowed, reward, collateral; a newer server may know more."""
    ticker: str
    asset_id: str
    amount: Decimal
    fiat_value: Decimal | None = None
    fiat_reason: str | None = None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account's history is complete; null bounds while no stretch of time is."""

    complete_from: int | None = None
    complete_to: int | None = None
    gaps: int


class DataKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of data that a provider gives, how that was checked, and for how many days back; null is all of it."""

    kind: str
    proof: str
    look_back_days: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the user decided. One of `transaction` (with `other` where it is about two), `address` and `asset_id` says of what.

    `value` is the text of a label or note, `yes` or `no` for spam and link, the type (`deposit/transfer_in`), or the price, which
    is in `currency` and holds on one `day` or on all. `v` is the sequence under which it was made."""

    resource_type: str = "decision"
    id: str
    kind: str
    """One of label, note, spam, type, link, price; a newer server may know more."""
    transaction: str | None = None
    other: str | None = None
    address: str | None = None
    asset_id: str | None = None
    day: str | None = None
    value: str
    currency: str | None = None
    reason: str
    author: str
    at: int
    v: int


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the wire."""

    format: str = "omnifolio-decisions/1"
    decisions: list[Carried]


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What is read from a provider."""

    account: bool
    positions: bool
    transactions: bool
    nfts: bool
    streaming: bool


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid for a transaction. Its `id` is that of the part whose token it was paid in, where there is just one.

    Given by position, as a balance is."""

    ticker: str
    provider_ticker: str
    ticker_address: str | None = None
    asset_is_verified: bool
    asset_id: str
    id: str
    resource_type: str
    type: str
    amount: Decimal
    fiat_ticker: str
    fiat_value: Decimal | None = None
    fiat_asset_is_verified: bool
    fiat_source: str | None = None
    fiat_reason: str | None = None
    wallet: str
    misc: dict[str, Any] | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not read. `is_failure`: it is tried again; else the provider does not give it."""

    stream: str
    code: str
    text: str
    start: int | None = None
    end: int | None = None
    is_failure: bool
    since: int


class GoneAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is no more. Everything with this `account` goes with it, and is not named by itself."""

    id: str


class GoneTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that is no more. `leads_to` is the one that it turned out to be; null when it was taken back."""

    id: str
    account: str
    leads_to: str | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service can answer."""

    status: str = "ok"
    version: str


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """A balance that is spam, and why. It has no worth."""

    ticker: str
    name: str
    ticker_address: str | None = None
    asset_id: str
    wallet: str
    product: str
    amount: Decimal
    reasons: list[Reason]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet at the end of one UTC day; `date` is the day's first millisecond.

    `fiat_source` says whether the quantities were calculated from the ledger or observed on that day."""

    id: str
    date: int
    wallet: str
    fiat_ticker: str
    fiat_value: Decimal | None = None
    fiat_source: str
    """One of ledger, observed; a newer server may know more."""
    complete: bool
    missing: list[Missing]


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch that a stream states to lack; an end that is null is not known."""

    stream: str
    why: str
    """One of unread, unreachable, gap; a newer server may know more."""
    start: int | None = None
    end: int | None = None
    text: str


class Instructions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user has to do at the provider, by language."""

    en: str
    fr: str


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time, both ends included."""

    start: int
    end: int


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """How a key differed from what it was at the look before."""

    at: int
    code: str
    text: str


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """All streams of one kind of data together.

    `fetched` and `empty` are what every one of them covers: from the first to the last record, and without any. `uploaded` is
    what imported files tell. `unreachable` is what the provider no longer gives, `unread` what it may still give; `fill` are the
    files that would tell it. `records` is null where they are not counted by stream."""

    kind: str
    streams: list[str]
    records: int | None = None
    look_back_ms: int | None = None
    fetched: list[Interval]
    empty: list[Interval]
    uploaded: list[Interval]
    unreachable: list[Interval]
    unread: list[Interval]
    fill: list[Upload]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was known right after the change `seq`, written at `at` (null for 0, before the first)."""

    resource_type: str = "known"
    seq: int
    at: int | None = None
    balances: list[KnownBalance]
    positions: list[KnownPosition]


class KnownBalance(msgspec.Struct, frozen=True, kw_only=True):
    """A balance as it was known."""

    account: str
    wallet: str
    product: str
    ticker: str
    asset_id: str
    amount: Decimal


class KnownComponent(msgspec.Struct, frozen=True, kw_only=True):
    """A component of a position as it was known."""

    role: str
    ticker: str
    asset_id: str
    amount: Decimal


class KnownPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position as it was known."""

    account: str
    wallet: str
    scope: str
    kind: str
    name: str
    size: Decimal
    size_ticker: str
    entry_price: Decimal | None = None
    components: list[KnownComponent]


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """How an account's private stream at its venue is heard. `since` null: it is not, and `problem` may say why."""

    since: int | None = None
    heard_at: int | None = None
    problem: str | None = None


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A user with an account has confirmed this very connector: on which day, the connector's hash, and until when it holds."""

    date: str
    connector: str
    until: int


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a document of decisions: `made` now, the `same` as stood already, `outweighed` by a later one, `unfound`."""

    resource_type: str = "loaded"
    made: int
    same: int
    outweighed: int
    unfound: list[Unfound]


class LossWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Unread history that the provider will not keep: unless a sync comes before `lost_from`, what follows `unread_from` is
    lost from then on."""

    code: str = "look_back"
    stream: str
    text: str
    look_back_ms: int
    unread_from: int
    lost_from: int


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a total that is missing or stale, and why."""

    ticker: str
    reason: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the wire."""

    venue: str
    account: str
    names: list[str]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order at an exchange, in numbers (written with all their digits). `filled_price` is the total in the quote token."""

    id: str
    account: str
    wallet: str
    resource_type: str = "order"
    order_id: str
    order_status: str
    type: str
    time_in_force: str | None = None
    side: str
    """One of buy, sell; a newer server may know more."""
    base_ticker: str
    quote_ticker: str
    order_quantity: Decimal
    order_price: Decimal | None = None
    filled_price: Decimal
    filled_quantity: Decimal
    average_execution_price: Decimal | None = None
    order_creation_time: int
    updated_at: int
    misc: OrderMisc


class OrderMisc(msgspec.Struct, frozen=True, kw_only=True):
    """What else is known of an order."""

    base_asset_id: str
    quote_asset_id: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of a transaction: unsigned, with its direction. Given by position, as a balance is."""

    ticker: str
    provider_ticker: str
    ticker_address: str | None = None
    asset_is_verified: bool
    asset_id: str
    id: str
    direction: str
    """One of sent, received; a newer server may know more."""
    amount: Decimal
    fiat_ticker: str
    fiat_value: Decimal | None = None
    fiat_asset_is_verified: bool
    fiat_source: str | None = None
    fiat_reason: str | None = None
    wallet: str
    from_address: str | None = None
    to_address: str | None = None
    other_parties: list[str]
    misc: dict[str, Any] | None = None


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """What the key may do, as the provider's own call `method` says; "" where it has none.

    `rights` are the provider's names of all that the key may, `excess` of what is more than reading, `switches` what to turn
    off for it on the provider's page of keys. `changes` tells what was different between two looks, the oldest first."""

    state: str
    """One of read_only, can_trade, can_withdraw, unknown; a newer server may know more."""
    method: str
    rights: list[str]
    excess: list[str]
    switches: list[str]
    missing: list[str]
    ip_restricted: bool | None = None
    expires_at: int | None = None
    checked_at: int
    changes: list[KeyChange]


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """All that a user owns: what `assets` are worth, and `positions_value` besides. `complete` is false when any price is missing
    or stale, `is_partial` when any account could not be read wholly; `unread` names those. `hidden` is how many tokens are spam,
    and in none of it."""

    resource_type: str = "portfolio"
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool
    is_partial: bool
    unread: list[Unread]
    missing: list[Missing]
    stale: list[Missing]
    accounts: list[AccountTotal]
    assets: list[Asset]
    positions_value: Decimal | None = None
    hidden: int
    at: int
    v: int


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """An open claim on a contract or protocol; what the provider does not tell is null.

    `fiat_value` is what it is worth beside the balances: the sum of its `components`, and nothing that a balance holds already.
    `size` is signed and counted in `size_ticker`: the base of a linear contract, the currency of an inverse one."""

    resource_type: str = "position"
    id: str
    account: str
    wallet: str
    provider: str
    scope: str
    kind: str
    """One of perpetual, future, option, margin; a newer server may know more."""
    name: str
    side: str
    """One of long, short; a newer server may know more."""
    size: Decimal
    size_ticker: str
    contracts: Decimal | None = None
    base_ticker: str | None = None
    quote_ticker: str | None = None
    settle_ticker: str | None = None
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    liquidation_price: Decimal | None = None
    unrealised_pnl: Decimal | None = None
    margin: Decimal | None = None
    margin_mode: str | None = None
    """One of cross, isolated; a newer server may know more."""
    leverage: Decimal | None = None
    expires_at: int | None = None
    strike: Decimal | None = None
    option: str | None = None
    """One of call, put; a newer server may know more."""
    opened_at: int | None = None
    components: list[Component]
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool
    updated_at: int


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A venue that can be connected. `proof` says how the connector was checked; below `recorded` it is beta.

    `key_check` says what the venue itself tells of a key: `rights`, or why that is not known; null where there is no key.
    `egress_ips` are the addresses to bind a key to, where the venue can do that and the operator has named them."""

    resource_type: str = "provider"
    name: str
    display_name: str
    alternate_names: list[str] | None = None
    logo: str | None = None
    type: str
    category: str
    categories: list[str]
    auth_type: str
    """One of oauth, password, token, wallet; a newer server may know more."""
    scopes: list[str]
    available_scopes: list[str]
    available_currencies: list[str]
    status: str
    is_beta: bool
    connect_notice: str | None = None
    credentials: list[str]
    instructions: Instructions
    misc: dict[str, Any]
    features: Features
    key_check: str | None = None
    egress_ips: list[str]
    proof: str
    live: Live | None = None
    sources: list[str]
    data: list[DataKind]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is as it is: a balance in its state, a token or transaction spam."""

    code: str
    text: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """One token in one wallet, over all products. `reported` and `difference` are null where no balance was ever observed."""

    wallet: str
    ticker: str
    asset_id: str
    reported: Decimal | None = None
    calculated: Decimal
    difference: Decimal | None = None
    state: str
    """One of proved, explained, open; a newer server may know more."""
    reasons: list[Reason]
    diverged_at: int | None = None
    suspects: list[Suspect]


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What an account's provider reports against what its history adds up to. `state` is the worst of the balances'."""

    resource_type: str = "reconciliation"
    account: str
    state: str | None = None
    """One of proved, explained, open; a newer server may know more."""
    balances: list[Reconciled]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a transfer."""

    account: str
    provider: str
    transaction: str
    wallet: str
    ticker: str
    asset_id: str
    amount: Decimal
    at: int


class StatusDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The three parts of a sync, each with its own status."""

    wallets: str
    """One of ok, error, syncing, retry; a newer server may know more."""
    balances: str
    """One of ok, error, syncing, retry; a newer server may know more."""
    transactions: str
    """One of ok, error, syncing, retry; a newer server may know more."""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """How far one stream of an account was read."""

    stream: str
    intervals: list[Interval]
    updated_at: int | None = None
    reached_present_at: int | None = None


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A range in which history lacks `amount`, or has too much where it is negative: after `start` (null: from the beginning) and
    up to `end`. Balances below zero prove that something is missing up to `missing_before`, or after `missing_after`."""

    start: int | None = None
    end: int
    amount: Decimal
    missing_before: int | None = None
    missing_after: int | None = None
    streams: list[str]
    holes: list[Hole]


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """The next part of everything that a copy of the user's books lacks.

    `added` was not there, and `modified` was, in the books that you held when you began to ask: at the last answer without
    `has_more`. `is_reset`: everything comes anew from here, so drop what you hold first. Values are those of the instant `at`.
    `v` is the user's sequence; `status` says whether an account is being read."""

    resource_type: str = "sync"
    added: SyncRows
    modified: SyncRows
    removed: SyncRemoved
    next_cursor: str
    has_more: bool
    is_reset: bool
    status: str
    """One of ok, syncing; a newer server may know more."""
    fiat_ticker: str
    at: int
    v: int
    request_id: str


class SyncAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its own route shows it, without what is told beside it: wallets, balances, hidden ones and positions."""

    id: str
    name: str | None = None
    resource_type: str = "account"
    blockchain: str | None = None
    created_at: int
    updated_at: int
    status: str
    """One of ok, error, syncing, retry; a newer server may know more."""
    status_details: StatusDetails | None = None
    error: AccountError | None = None
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool
    missing: list[Missing]
    stale: list[Missing]
    provider: Provider
    v: int
    authorized: bool
    permission: Permission | None = None
    key_hint: str
    synced_at: int | None = None
    next_sync_at: int | None = None
    live: Listening | None = None
    coverage: Coverage
    gaps: list[Gap]
    warnings: list[LossWarning]


class SyncBalances(msgspec.Struct, frozen=True, kw_only=True):
    """All that a wallet holds of one product, in the place of what it held before; it may be nothing. `hidden` is spam."""

    id: str
    account: str
    wallet: str
    product: str
    balances: list[Balance]
    hidden: list[Hidden]


class SyncPositions(msgspec.Struct, frozen=True, kw_only=True):
    """All open positions of one scope of a wallet, in the place of those before; it may be none."""

    id: str
    account: str
    wallet: str
    scope: str
    positions: list[Position]


class SyncRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """What is no more. An id that you do not hold needs nothing."""

    accounts: list[GoneAccount]
    transactions: list[GoneTransaction]


class SyncRows(msgspec.Struct, frozen=True, kw_only=True):
    """Things as they are now. Put each in the place of what you hold under its id."""

    accounts: list[SyncAccount]
    wallets: list[SyncWallet]
    balances: list[SyncBalances]
    positions: list[SyncPositions]
    transactions: list[Transaction]


class SyncWallet(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet of an account; its `id` is unique within the `account`."""

    account: str
    id: str
    name: str | None = None
    address: str | None = None
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool
    is_reconciled: bool


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Public facts of a team, for the Connect widget."""

    name: str
    redirect_uris: list[str]
    deactivated: bool
    features: list[str]
    instructions: list[str]
    preferences: dict[str, Any]
    logo: str | None = None


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a part that was moved between the user's own wallets: `part` here is what came from, or went to,
    `transaction` of `account`. `confidence` is from 0 to 1; `evidence` says why, the strongest first."""

    part: str
    direction: str
    """One of sent, received; a newer server may know more."""
    account: str
    provider: str
    transaction: str
    evidence: list[str]
    confidence: Decimal


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """An event with all its movements: tokens, coins and fees alike. `label` and `note` are the user's own words on it."""

    id: str
    resource_type: str = "transaction"
    status: str
    """One of pending, confirmed, failed, cancelled; a newer server may know more."""
    transaction_type: str
    transaction_subtype: str | None = None
    transaction_hash: str | None = None
    fiat_calculated_at: int
    initiated_at: int
    confirmed_at: int | None = None
    wallet: str | None = None
    account: str
    misc: TransactionMisc
    parts: list[Part]
    fees: list[Fee]
    label: str | None = None
    note: str | None = None
    transfers: list[Tie]
    is_spam: bool
    spam_reasons: list[Reason]
    finality: str
    v: int


class TransactionMisc(msgspec.Struct, frozen=True, kw_only=True):
    """Where a transaction comes from. `incomplete` names what is unknown in it."""

    origin_id: str
    origin_type: str
    is_swap: bool | None = None
    incomplete: list[str]


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What left one of the user's wallets and arrived at another. `offered`: it may be one, and waits for the user's word.

    `lost` is what left and did not arrive; null where it arrived in parts, or together with something else."""

    resource_type: str = "transfer"
    state: str
    """One of linked, offered; a newer server may know more."""
    source: Side
    target: Side
    evidence: list[str]
    confidence: Decimal
    lost: Decimal | None = None


class Unfound(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of a document that was not taken over: its place in there, from 0, and why."""

    place: int
    reason: str


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose latest sync did not read everything, and why. What it told before still counts."""

    id: str
    name: str | None = None
    provider: str
    reason: str


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of file that can be imported: `columns` are those of its header that must be there."""

    layout: str
    name: str
    columns: list[str]
    docs_url: str


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """A purse inside an account."""

    id: str
    name: str | None = None
    address: str | None = None
    fiat_value: Decimal | None = None
    fiat_ticker: str
    complete: bool
    is_reconciled: bool
