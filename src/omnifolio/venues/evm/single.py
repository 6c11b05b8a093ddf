"""One transaction by its hash, asked of a node: all that a page of transfers asks for, and nothing of its neighbours."""

from collections.abc import Sequence

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap
from omnifolio.venues.contract import received_at
from omnifolio.venues.evm.document import STREAM, decode_document
from omnifolio.venues.evm.events import Subject
from omnifolio.venues.evm.head import ask_head, block_call, head_of
from omnifolio.venues.evm.movements import wallet_of
from omnifolio.venues.evm.rpc import Call, Node, gathered
from omnifolio.venues.evm.shapes import Receipt
from omnifolio.venues.evm.tokens import ask_tokens, token_facts
from omnifolio.venues.evm.transfers import (
    GAPS,
    contracts_in,
    evident,
    may_move_inside,
    receipt_call,
    stated_time,
    told,
    trace_call,
)
from omnifolio.venues.evm.words import quantity


async def ask_transaction(node: Node, subject: Subject, name: str) -> list[Evidence]:
    """Everything that is to be known of the transaction `name` (lower case) for an address.

    Raises: NotFound when the node does not have it, or not in a block yet; VenueError.
    """
    chain, asked = subject.chain, {"wallet": subject.address}
    kept = await ask_head(node, chain)
    head = head_of(chain, kept)
    kept += await node.ask("transactions", [Call(name, "eth_getTransactionByHash", (name,))])
    kept += await node.ask("receipts", [receipt_call(name)], **asked)
    reply = gathered(kept, "receipts")[name]
    if reply.is_null:
        raise NotFound(f"{chain.name}: the node knows no transaction of that hash in any block")
    receipt = reply.read(Receipt)
    if may_move_inside(receipt):
        kept += await node.ask("traces", [trace_call(name)])
    if stated_time(receipt) is None:
        height = quantity(receipt.block_number)
        kept += await node.ask("blocks", [block_call(str(height), height)])
    facts = token_facts(sorted(contracts_in(subject, receipt)), named=frozenset())
    return kept + await ask_tokens(node, facts, chain=chain, holder=subject.address, block="latest", batched=head.has_multicall)


def decode_transaction(chain: EvmChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one transaction, out of a node's answers or out of a document; the cursor is empty. Raises: VenueError."""
    if evidence[0].params["read"] == STREAM:
        return decode_document(chain, stream, evidence)
    asked = next(item.params for item in evidence if item.params["read"] == "receipts")
    subject = Subject(chain, asked["wallet"])
    found = evident(evidence, final=head_of(chain, evidence).final, chain=chain)
    claims, facts, is_refused = told(subject, found, evidence)
    codes = ["token_refused"] if is_refused else []
    if any(known.frame is None and may_move_inside(known.receipt) for known in found):
        codes.append("internal_not_listed")
    at = found[0].at
    return Batch(
        cursor=Cursor(stream),
        observed_at=received_at(evidence),
        tokens=(chain.native, *facts),
        wallets=(wallet_of(subject),),
        claims=claims,
        gaps=tuple(Gap(stream=stream, code=code, text=GAPS[code], start=at, end=at) for code in codes),
        evidence=tuple(evidence),
    )
