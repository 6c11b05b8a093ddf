"""One transaction of Stellar for one account, as a page of the history holds it, with its fee."""

import re
from collections.abc import Sequence

from omnifolio.catalog.stellar_chains import StellarChain
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Evidence
from omnifolio.venues.contract import Access
from omnifolio.venues.stellar.address import parse_address
from omnifolio.venues.stellar.decoding import EFFECTS, OPERATIONS, TRANSACTION, lines
from omnifolio.venues.stellar.history import PAGES_OF_AN_OPERATION_MAX
from omnifolio.venues.stellar.horizon import MISSING, PAGE, Horizon
from omnifolio.venues.stellar.shapes import Effect

_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


async def ask_one(chain: StellarChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell the transaction of that hash.

    Raises: InvalidField for what is no hash, NotFound when the server does not have it, VenueError.
    """
    found = _HASH.fullmatch(name.strip())
    if found is None:
        raise InvalidField("hash: expected a transaction of Stellar, which has 64 hexadecimal digits")
    path = f"/transactions/{found[1].lower()}"
    horizon = Horizon(access, url=url, stream=f"transfers/{chain.id}")
    about = {"wallet": parse_address(address)}
    told = await horizon.ask(TRANSACTION, path, about=about)
    if told.status != 200:
        raise NotFound(f"the server does not have the transaction {found[1].lower()}, or not any more")
    kept = [told, await horizon.page(OPERATIONS, f"{path}/operations", cursor="")]
    cursor = ""
    for _ in range(PAGES_OF_AN_OPERATION_MAX):
        kept.append(await horizon.page(EFFECTS, f"{path}/effects", cursor=cursor))
        rows = lines(kept[-1], Effect)
        if kept[-1].status == MISSING or len(rows) < PAGE:
            break
        cursor = rows[-1].paging_token
    return kept
