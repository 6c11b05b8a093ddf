"""One transaction as a JSON document, and its meaning for one address, without asking anybody.

What comes in, by any of its usual names: the transaction, its receipt, the time of its block, and, where they are known, the
transfers inside it as explorers list them, answers of contracts, decimals and tickers of tokens. A recorded case with
`requests[]` is such a document as well. What nobody states - the decimals of a token, whether coins moved inside - is a gap, and
not a guess.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.catalog.chains import EvmChain, evm_chain, known_tokens
from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import FileRefused, InvalidField, VenueBadResponse
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap
from omnifolio.model.tokens import TokenFacts, TokenId, contract_of
from omnifolio.venues.contract import received_at
from omnifolio.venues.evm.events import Subject, announced, token_movements
from omnifolio.venues.evm.forms import as_said, inner_of
from omnifolio.venues.evm.inner import Inner, frame_of
from omnifolio.venues.evm.movements import PLAIN_TRANSFER_GAS, Evident, claim_of, wallet_of
from omnifolio.venues.evm.recorded_calls import Spoken, spoken
from omnifolio.venues.evm.shapes import Receipt, Transaction
from omnifolio.venues.evm.words import quantity

STREAM = "transaction"
"""The kind of the stream that a document's facts stand in."""
DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
MILLISECONDS_FROM = 10**11
"""Whole seconds reach this number in the year 5138, milliseconds had it in 1973."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "transaction": ("transaction", "tx", "eth_getTransactionByHash"),
    "receipt": ("receipt", "transaction_receipt", "eth_getTransactionReceipt"),
    "block": ("block", "eth_getBlockByNumber", "eth_getBlockByHash"),
    "time": ("block_time", "blockTime", "block_timestamp", "timestamp", "time"),
    "internal": ("internal", "internal_transfers", "internal_transactions", "internals", "txlistinternal", "trace", "traces"),
    "calls": ("contract_calls", "eth_calls", "calls"),
    "decimals": ("token_decimals", "decimals"),
    "symbols": ("symbols", "tickers"),
    "accounts": ("tracked_accounts", "accounts", "account"),
    "chain": ("chain_id", "chainId", "chain", "venue"),
}
"""Ours → the names under which it is taken, best first."""


class Document(Struct, frozen=True, kw_only=True):
    """The parts of a document. `internal` None: nobody listed the transfers inside the transaction."""

    chain: EvmChain
    receipt: Receipt
    at: EpochMs
    transaction: Transaction | None
    internal: list[Inner] | None
    spoken: Spoken
    accounts: tuple[str, ...]


def is_document(body: bytes) -> bool:
    """Whether the bytes are a JSON object with a transaction's receipt: only then are they a document of this kind."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(raw, dict) and isinstance(_parts(raw).get("receipt"), dict)


def document_of(body: bytes, *, chain: str = "") -> Document:
    """The document. `chain` names the chain where the document does not. Raises: FileRefused, InvalidField."""
    if len(body) > DOCUMENT_BYTES_MAX:
        raise FileRefused(f"the document is larger than {DOCUMENT_BYTES_MAX} bytes")
    try:
        raw = msgspec.json.decode(body)
        parts = _parts(raw) if isinstance(raw, dict) else {}
        if not isinstance(parts.get("receipt"), dict):
            raise FileRefused("the document has no receipt: expected an object with transaction, receipt and the block's time")
        transaction = parts.get("transaction")
        return Document(
            chain=_chain(chain, parts),
            receipt=as_said(parts["receipt"], Receipt),
            at=_time(parts),
            transaction=as_said(transaction, Transaction) if transaction else None,
            internal=inner_of(parts.get("internal")),
            spoken=_spoken(parts),
            accounts=_accounts(parts.get("accounts")),
        )
    except (msgspec.ValidationError, msgspec.DecodeError, VenueBadResponse, RecursionError) as error:
        raise FileRefused(f"not a transaction as a node tells it: {error}") from None


def _parts(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The document's parts under our names; the answers of `requests[]` count under their methods' names."""
    requests = raw.get("requests")
    named: dict[str, Any] = {}
    for request in requests if isinstance(requests, list) else []:
        if isinstance(request, dict) and isinstance(request.get("method"), str):
            named.setdefault(request["method"], request.get("response"))
    named = dict(raw) | named
    return {ours: _result(named[name]) for ours, names in _NAMES.items() for name in reversed(names) if name in named}


def _result(value: Any) -> Any:
    """What stands in the envelope of a JSON-RPC or explorer answer, or the value as it is."""
    is_envelope = isinstance(value, dict) and "result" in value and ("jsonrpc" in value or "status" in value)
    return value["result"] if is_envelope else value


def _chain(named: str, parts: Mapping[str, Any]) -> EvmChain:
    stated = parts.get("chain")
    if named:
        return evm_chain(named)
    if isinstance(stated, str) and stated[:2] == "0x":
        stated = quantity(stated)
    if stated is None and isinstance(parts.get("transaction"), dict):
        told = parts["transaction"].get("chainId")
        stated = quantity(told) if isinstance(told, str) else told
    if stated is None:
        raise InvalidField("chain: the document names none")
    return evm_chain(f"eip155:{stated}" if str(stated).isdigit() else str(stated))


def _time(parts: Mapping[str, Any]) -> EpochMs:
    """The block's time, out of the block or stated by itself: seconds, milliseconds, hexadecimal or ISO 8601."""
    block = parts.get("block")
    stated = block.get("timestamp") if isinstance(block, dict) else parts.get("time", block)
    if stated is None:
        stated = parts["receipt"].get("blockTimestamp")
    if isinstance(stated, str):
        if stated[:2] == "0x":
            stated = quantity(stated)
        elif stated.isdigit():
            stated = int(stated)
        else:
            try:
                moment = datetime.fromisoformat(stated)
            except ValueError:
                moment = None
            if moment is None or moment.tzinfo is None:
                raise FileRefused("the block's time is neither a number nor an ISO 8601 time with its zone")
            stated = int(moment.timestamp())
    if isinstance(stated, bool) or not isinstance(stated, int):
        raise FileRefused("the document does not state the time of the transaction's block")
    return EpochMs(stated if stated >= MILLISECONDS_FROM else stated * SECOND_MS)


def _spoken(parts: Mapping[str, Any]) -> Spoken:
    """What is stated of tokens by themselves; where a contract's own answer is recorded, that."""
    found = spoken(parts.get("calls"))
    for asset, places in (parts.get("decimals") or {}).items():
        found.decimals[_contract(asset)] = int(places)
    for asset, ticker in (parts.get("symbols") or {}).items():
        found.symbols.setdefault(_contract(asset), str(ticker))
    return found


def _contract(asset: str) -> str:
    found = contract_of(TokenId(asset)) if "/" in asset else asset
    return (found or "").lower()


def _accounts(raw: Any) -> tuple[str, ...]:
    listed = raw if isinstance(raw, list) else [raw] if isinstance(raw, str) else []
    # CAIP-10 names the chain before the address.
    return tuple(str(address).rpartition(":")[2].lower() for address in listed)


def evidence_of(body: bytes, *, chain: EvmChain, account: str, at: EpochMs) -> list[Evidence]:
    """The document as the evidence of a page, read for one address (lower case)."""
    return [
        Evidence(
            stream=f"{STREAM}/{chain.id}",
            request="FILE transaction",
            params={"read": STREAM, "wallet": account},
            received_at=at,
            body=body,
        )
    ]


def decode_document(chain: EvmChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of a document for the address that its evidence names; the cursor is empty.

    Raises: FileRefused, VenueBadResponse for events and values that are not what they should be.
    """
    page = evidence[0]
    told = document_of(page.body, chain=chain.id)
    subject = Subject(chain, page.params["wallet"])
    frame = None if told.internal is None else frame_of(chain, told.receipt, told.transaction, told.internal)
    known = Evident(receipt=told.receipt, at=told.at, finality="final", transaction=told.transaction, frame=frame, evidence=0)
    decimals, missing = _decimals(subject, told)
    claim = claim_of(subject, known, decimals)
    seen = sorted({leg.token for leg in claim.legs} if claim else ())
    gaps = [Gap(stream=stream, code=code, text=text, start=told.at, end=told.at) for code, text in _gaps(told, missing)]
    return Batch(
        cursor=Cursor(stream),
        observed_at=received_at(evidence),
        tokens=(chain.native, *(_facts(chain, told.spoken, token, decimals) for token in seen if token != chain.native.id)),
        wallets=(wallet_of(subject),),
        claims=(claim,) if claim else (),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


def _decimals(subject: Subject, told: Document) -> tuple[dict[str, int], list[str]]:
    """The decimals of the contracts that moved something of the address, and the contracts that nobody states them for."""
    listed = known_tokens(subject.chain.chain_id)
    found: dict[str, int] = {}
    missing: list[str] = []
    moved = [move.contract for move in token_movements(subject, told.receipt.logs) if move.number < 0]
    for contract in (*moved, *(move.contract for move in announced(subject, told.receipt.logs))):
        places = told.spoken.decimals.get(contract)
        if places is None and contract in listed:
            places = listed[contract].decimals
        if places is None and contract == subject.chain.wrapped:
            places = subject.chain.decimals
        if places is not None and 0 <= places <= FRACTION_DIGITS_MAX:
            found[contract] = places
        elif contract in moved and contract not in missing:
            missing.append(contract)
    return found, missing


def _gaps(told: Document, missing: Sequence[str]) -> Iterator[tuple[str, str]]:
    for contract in missing:
        yield "decimals_unknown", f"movements of the token {contract}: nothing states its decimals"
    ran_code = quantity(told.receipt.gas_used) > PLAIN_TRANSFER_GAS and told.receipt.status != "0x0"
    if told.internal is None and ran_code and not told.chain.native_events:
        yield "internal_not_listed", "native coins moved inside the transaction: the document does not list them"


def _facts(chain: EvmChain, told: Spoken, token: TokenId, decimals: Mapping[str, int]) -> TokenFacts:
    contract = contract_of(token) or ""
    listed = known_tokens(chain.chain_id).get(contract)
    ticker = told.symbols.get(contract) or (listed.ticker if listed else f"{contract[:6]}…{contract[-4:]}")
    name = told.names.get(contract) or (listed.name if listed else "")
    if token == chain.erc20(contract):
        return TokenFacts(id=token, ticker=ticker, name=name, decimals=decimals[contract])
    return TokenFacts(id=token, ticker=ticker, name=name, kind="nft", decimals=0)
