"""One transaction of the XRP Ledger for one account, as a page of the history holds it."""

import re
from collections.abc import Sequence

from omnifolio.catalog.xrpl_chains import XrplChain
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Evidence
from omnifolio.venues.contract import Access
from omnifolio.venues.xrpl.address import parse_address
from omnifolio.venues.xrpl.history import SINGLE
from omnifolio.venues.xrpl.rpc import Server, reply_of

_MISSING = "txnNotFound"


async def ask_one(chain: XrplChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answer that tells the transaction of that hash.

    Raises: InvalidField for what is no hash, NotFound when the server does not have it, VenueError.
    """
    account, plain = parse_address(address), name.strip().upper()
    if not re.fullmatch("[0-9A-F]{64}", plain):
        raise InvalidField("hash: expected a hash of the XRP Ledger, which has 64 hexadecimal digits")
    server = Server(access, url=url, stream=f"transfers/{chain.id}")
    told = await server.ask(SINGLE, "tx", {"transaction": plain}, wallet=account, wanted="", begin="0", since="0")
    if reply_of(told).error == _MISSING:
        raise NotFound(f"the server does not have the transaction {plain}")
    return [told]
