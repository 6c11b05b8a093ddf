"""The facts of one page of a history out of its raw answers alone: a list, and the node's word on each transaction in it."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from omnifolio.catalog.tron_chains import TronChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import received_at
from omnifolio.venues.tron.movements import CALLS, Happened, claim_of, is_known, tokens_moved
from omnifolio.venues.tron.server import is_told
from omnifolio.venues.tron.shapes import BalanceTrace, Info, Listed, Operation, RawData, Row, Signed
from omnifolio.venues.tron.subject import Subject, wallets_of
from omnifolio.venues.tron.tokens import assets_in, contracts_in, unknown
from omnifolio.venues.unwanted import not_wanted

LIST, SENT, INFO, BLOCK, TRACE = "list", "sent", "info", "block", "trace"
_FINE = ("", "DEFAULT", "SUCCESS")
_LISTS = {
    "/transactions": ("history_unread", "the server keeps no list of an address's transactions"),
    "/transactions/trc20": (
        "tokens_unlisted",
        "the server keeps no list of transfers of tokens: what others sent is missing",
    ),
    "/internal-transactions": (
        "calls_unread",
        "the server keeps no list of calls inside transactions: coins by them are missing",
    ),
}

T = TypeVar("T")


def told_in(evidence: Sequence[Evidence]) -> tuple[list[tuple[Happened, int]], list[Row]]:
    """The transactions of a page, each with the place of the answer that tells it, and the list's lines.

    One that was told in an earlier page of the read is not told again; a page without a list is of the one transaction that it
    tells. Raises: VenueBadResponse.
    """
    listing = evidence[0]
    rows = list(shaped(listing.body, Listed).data) if listing.params["read"] == LIST and listing.status == 200 else []
    if listing.params["read"] == SENT:
        rows = [Row(0, tx_id=listing.params["about"])]
    sent, infos = _by_name(evidence, SENT, Signed), _by_name(evidence, INFO, Info)
    traces = _by_name(evidence, TRACE, BalanceTrace)
    found = []
    for row in {row.name: row for row in rows}.values():
        place, info = infos.get(row.name, (0, None))
        data = row.raw_data or (sent[row.name][1].raw_data if row.name in sent else None)
        if data is None or not (row.tells_all or (info is not None and info.id)):
            continue
        trace = traces[row.name][1] if row.name in traces else None
        found.append((_happened(row, data, info, trace), place))
    return found, rows


def decode_history(chain: TronChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject = Subject(chain, params["wallet"])
    found, rows = told_in(evidence)
    known = contracts_in(chain, evidence, rows) | assets_in(chain, evidence)
    claims = []
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    for happened, place in found:
        claim = claim_of(subject, happened, known, evidence=place)
        if claim is not None:
            claims.append(claim[0])
            tokens |= {facts.id: facts for facts in claim[1]}
    gaps = [*not_wanted(stream, params.get("wanted", "")), *_gaps(stream, evidence, [happened for happened, _ in found])]
    moved = dict.fromkeys(token for happened, _ in found for token in tokens_moved(subject, happened))
    if nameless := len(unknown(moved, known)):
        text = f"movements of {nameless} tokens are not read: nobody states their decimals"
        gaps.append(Gap(stream=stream, code="tokens_unknown", text=text))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=wallets_of(subject),
        claims=tuple(claims),
        covered=(Interval(EpochMs(int(params.get("wanted") or 0)), at),) if params.get("last") and _is_last(evidence[0]) else (),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


def _gaps(stream: str, evidence: Sequence[Evidence], found: Sequence[Happened]) -> list[Gap]:
    told: list[tuple[str, str]] = []
    listing = evidence[0]
    if listing.status != 200:
        told.append(_LISTS[listing.params["list"]])
    unread = {item.params["about"] for item in evidence if item.params["read"] in (SENT, INFO) and _is_empty(item)}
    if unread:
        told.append(("transactions_unread", f"the node does not tell {len(unread)} listed transactions"))
    types = Counter(happened.type for happened in found if not is_known(happened.type) and not happened.is_failed)
    untold = sum(not is_known(happened.type) and not happened.is_failed and happened.trace is None for happened in found)
    if types:
        text = f"tokens of TRC-10 that transactions of these types moved are not read: {', '.join(sorted(types))}"
        told.append(("types_unread", text + ("; nor are the coins of some" if untold else "")))
    return [Gap(stream=stream, code=code, text=text) for code, text in told]


def _happened(row: Row, data: RawData, info: Info | None, trace: BalanceTrace | None) -> Happened:
    type_ = data.contract[0].type if data.contract else ""
    ret = row.ret[0] if row.ret else None
    ends = [ret.contract_ret if ret is not None else ""]
    if info is not None:
        ends += [info.result, info.receipt.result if type_ in CALLS else ""]
    return Happened(
        name=row.name,
        at=EpochMs(info.block_timestamp if info is not None and info.block_timestamp else row.block_timestamp),
        height=info.block_number if info is not None and info.block_number else row.block_number,
        data=data,
        fee=info.fee if info is not None else (ret.fee or 0) if ret is not None else 0,
        is_failed=any(end not in _FINE for end in ends),
        info=info,
        trace=_operations(row.name, trace),
    )


def _operations(name: str, trace: BalanceTrace | None) -> tuple[Operation, ...] | None:
    """What a transaction changed by the trace of its block; None where the node keeps none."""
    found = [item for item in (trace.transaction_balance_trace if trace else ()) if item.transaction_identifier.lower() == name]
    return found[0].operation if found else None


def _is_last(listing: Evidence) -> bool:
    return listing.status != 200 or not (listed := shaped(listing.body, Listed)).meta.fingerprint or not listed.data


def _is_empty(item: Evidence) -> bool:
    return not is_told(item) or not (shaped(item.body, Info).id or shaped(item.body, Signed).tx_hash)


def _by_name(evidence: Sequence[Evidence], read: str, kind: type[T]) -> dict[str, tuple[int, T]]:
    """Answers that were told, by transaction, with their places."""
    return {
        item.params["about"]: (place, shaped(item.body, kind))
        for place, item in enumerate(evidence)
        if item.params["read"] == read and is_told(item)
    }
