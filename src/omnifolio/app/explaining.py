"""One transaction explained for addresses: its legs and its meaning, out of a document or from a chain's node.

Each address is an account of its own in a ledger that goes away, so what comes out are the facts that a sync would have stored: a
movement between two of them is seen from both sides.
"""

import asyncio
import re
from collections.abc import Sequence

from msgspec import Struct

from omnifolio.app.facts import Line
from omnifolio.app.scratch import Scratch, open_scratch
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog import assets
from omnifolio.catalog.chains import EvmChain, evm_chain
from omnifolio.model import amounts
from omnifolio.model.clock import Clock
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Evidence
from omnifolio.model.settings import Settings
from omnifolio.pricing.registry import build
from omnifolio.transport.egress import Egress
from omnifolio.transport.pacing import Sleep
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.address import parse_address
from omnifolio.venues.evm.document import STREAM, document_of, evidence_of
from omnifolio.venues.evm.events import Subject
from omnifolio.venues.evm.rpc import PUBLIC_BUDGET, Node
from omnifolio.venues.evm.single import ask_transaction, decode_transaction

_HASH = re.compile(r"0[xX][0-9a-fA-F]{64}")


class Valuing(Struct, frozen=True):
    """In which currency legs are valued, and by the sources of which settings. They learn of tokens and times, of no address."""

    settings: Settings
    currency: str


async def explain_document(
    body: bytes,
    *,
    clock: Clock,
    chain: str = "",
    name: str = "",
    accounts: Sequence[str] = (),
    valuing: Valuing | None = None,
) -> list[Line]:
    """The facts of the transaction in a document, for the given addresses, else those that it names, else its sender.

    Raises: FileRefused; InvalidField when `name` is another transaction's hash, or for an address or a chain that is none.
    """
    told = document_of(body, chain=chain)
    if name and told.receipt.transaction_hash.lower() != _hash(name):
        raise InvalidField("hash: the document is about another transaction")
    wallets = _addresses(accounts or told.accounts or (told.receipt.sender,))
    pages = [evidence_of(body, chain=told.chain, account=wallet, at=clock.now()) for wallet in wallets]
    return await _facts(told.chain, pages, clock, valuing)


async def explain_hash(
    settings: Settings,
    *,
    chain: str,
    name: str,
    accounts: Sequence[str],
    clock: Clock,
    sleep: Sleep = asyncio.sleep,
    valuing: Valuing | None = None,
) -> list[Line]:
    """The facts of the transaction with that hash, asked of the operator's own node of the chain, else of a public one.

    Raises: InvalidField; NotFound when the node does not have it; VenueError.
    """
    row, wallets, wanted = evm_chain(chain), _addresses(accounts), _hash(name)
    own = base_urls_of(settings).get(row.id)
    url = own or next(iter(row.nodes), "")
    if not url:
        raise InvalidField(f"{row.name} has no public node: give the address of one (base_urls.{row.id})")
    egress = Egress(clock=clock, sleep=sleep)
    egress.allow(row.id, [Rule("POST", url, is_configured=own is not None)])
    if own is None:
        egress.limit(row.id, address=PUBLIC_BUDGET)
    try:
        access = Access(venue=row.id, egress=egress, clock=clock, key_label="explain")
        node = Node(access, url=url, stream=f"{STREAM}/{row.id}")
        pages = [await ask_transaction(node, Subject(row, wallet), wanted) for wallet in wallets]
    finally:
        await egress.close()
    return await _facts(row, pages, clock, valuing)


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text.strip()):
        raise InvalidField("hash: expected 0x and 64 hexadecimal digits")
    return text.strip().lower()


def _addresses(accounts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(parse_address(address.rpartition(":")[2]) for address in accounts))


async def _facts(chain: EvmChain, pages: Sequence[Sequence[Evidence]], clock: Clock, valuing: Valuing | None) -> list[Line]:
    amounts.install()
    stream = f"{STREAM}/{chain.id}"
    return await facts_of(chain.id, [decode_transaction(chain, stream, evidence) for evidence in pages], clock, valuing)


async def facts_of(venue: str, pages: Sequence[Batch], clock: Clock, valuing: Valuing | None = None) -> list[Line]:
    """The lines of all addresses, a page each: transactions before problems; a problem that all of them have is told once."""
    lines: list[Line] = []
    for page in pages:
        async with open_scratch(venue, clock) as scratch:
            await scratch.commit(page)
            told = await scratch.facts() if valuing is None else await _valued(scratch, valuing, clock)
            lines += [line for line in told if line not in lines]
    return sorted(lines, key=lambda line: line["kind"] == "problem")


async def _valued(scratch: Scratch, valuing: Valuing, clock: Clock) -> list[Line]:
    settings = valuing.settings
    sources = build(
        chosen=settings.price_sources, base_urls=settings.base_urls, sandbox_url=settings.sandbox_url, assets=assets.load()
    )
    egress = Egress(clock=clock)
    sources.open_way(egress)
    try:
        return await scratch.valued(sources, egress, currency=valuing.currency)
    finally:
        await egress.close()
