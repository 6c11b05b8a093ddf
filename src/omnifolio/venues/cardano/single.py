"""One transaction of Cardano for one address or stake address, as a page of the history holds it."""

import re
from collections.abc import Sequence

from omnifolio.catalog.cardano_chains import CardanoChain
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Evidence
from omnifolio.venues.cardano.address import parse_address
from omnifolio.venues.cardano.assets import Asked
from omnifolio.venues.cardano.history import told_of, transactions_asked
from omnifolio.venues.cardano.koios import Server
from omnifolio.venues.cardano.movements import assets_of
from omnifolio.venues.cardano.subject import Subject
from omnifolio.venues.contract import Access


async def ask_one(chain: CardanoChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell the transaction of that hash.

    Raises: InvalidField for what is no hash, NotFound when the server does not have it, VenueError.
    """
    subject, plain = Subject(chain, parse_address(address)), name.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", plain):
        raise InvalidField("hash: expected a hash of Cardano, which has 64 hexadecimal digits")
    server = Server(access, url=url, stream=f"transfers/{chain.id}")
    # How deep it lies is not asked: what a person looks at is not kept.
    about = {"wallet": subject.address, "final": "0", "wanted": ""}
    evidence = await transactions_asked(server, [plain], **about)
    found = told_of(evidence)
    if not found:
        raise NotFound(f"the server does not have the transaction {plain}")
    return [*evidence, *await Asked(server, with_mint=False).about(assets_of(subject, found[0]))]
