"""One transaction of Solana for one wallet, as a page of the history holds it."""

from collections.abc import Sequence

from omnifolio.catalog.solana_chains import SolanaChain
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Evidence
from omnifolio.venues import base58
from omnifolio.venues.contract import Access
from omnifolio.venues.solana.address import parse_address
from omnifolio.venues.solana.balances import mints_asked
from omnifolio.venues.solana.history import OPTIONS, TRANSACTION, told_of
from omnifolio.venues.solana.rpc import Node

SIGNATURE_BYTES = 64


async def ask_one(chain: SolanaChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell the transaction of that signature.

    Raises: InvalidField for what is no signature, NotFound when the node does not have it, VenueError.
    """
    wallet, signature = parse_address(address), _signature(name)
    node = Node(access, url=url, stream=f"transfers/{chain.id}")
    about = {"wallet": wallet, "list": wallet, "wanted": ""}
    told = await node.ask(TRANSACTION, "getTransaction", [signature, OPTIONS], **about)
    found = told_of(told)
    if found is None or found.meta is None:
        raise NotFound(f"the node does not have the transaction {signature}, or no more what it changed")
    rows = (*(found.meta.pre_token_balances or ()), *(found.meta.post_token_balances or ()))
    return [told, *await mints_asked(node, [row.mint for row in rows if not row.ui_token_amount.decimals])]


def _signature(text: str) -> str:
    try:
        data = base58.decode(text.strip())
    except ValueError as error:
        raise InvalidField(f"hash: not a signature of Solana: {error}") from None
    if len(data) != SIGNATURE_BYTES:
        raise InvalidField(f"hash: expected a signature of Solana, which has {SIGNATURE_BYTES} bytes in base58; got {len(data)}")
    return base58.encode(data)
