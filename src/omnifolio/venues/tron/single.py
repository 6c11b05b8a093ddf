"""One transaction of TRON for one address, as a page of the history holds it."""

import re
from collections.abc import Sequence

from omnifolio.catalog.tron_chains import TronChain
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Cursor, Evidence
from omnifolio.venues.contract import Access
from omnifolio.venues.tron.address import parse_address
from omnifolio.venues.tron.history import History
from omnifolio.venues.tron.subject import Subject

_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


async def ask_one(chain: TronChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell the transaction of that hash.

    Raises: InvalidField for what is no hash, NotFound when the node does not have it, VenueError.
    """
    found = _HASH.fullmatch(name.strip())
    if found is None:
        raise InvalidField("hash: expected a transaction of TRON, which has 64 hexadecimal digits")
    subject = Subject(chain, parse_address(address))
    return await History(access, subject, url=url, since=Cursor(f"transfers/{chain.id}")).one(found[1].lower())
