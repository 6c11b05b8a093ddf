"""One trace of TON by the name of one of its transactions, as a page of the history of an address."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from omnifolio.catalog.ton_chains import TonChain
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Claim, Evidence
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access
from omnifolio.venues.ton.address import raw_of
from omnifolio.venues.ton.cells import Unreadable
from omnifolio.venues.ton.held import Subject, jettons_asked, purses_of
from omnifolio.venues.ton.indexer import Indexer
from omnifolio.venues.ton.movements import jetton_claim, own_claim
from omnifolio.venues.ton.shapes import Transaction
from omnifolio.venues.ton.tokens import jetton_facts

TRACE = "trace"
_HEX = re.compile("(0x)?[0-9a-fA-F]{64}")
_HASH_BYTES = 32


class _Trace(Struct, frozen=True):
    transactions: Mapping[str, Transaction] | None = None


class _Traces(Struct, frozen=True):
    traces: tuple[_Trace, ...]


async def ask_one(chain: TonChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell one trace for an address. Raises: InvalidField, NotFound, VenueError."""
    subject = Subject(chain, raw_of(address))
    indexer = Indexer(access, url=url, stream=f"transfers/{chain.id}")
    found = await indexer.ask(TRACE, "/traces", {"tx_hash": _hash(name), "limit": "1"}, wallet=subject.raw, wanted="")
    if not shaped(found.body, _Traces).traces:
        raise NotFound("the indexer has no transaction of this name")
    return [found, *await jettons_asked(indexer, subject)]


def told(subject: Subject, evidence: Sequence[Evidence]) -> tuple[list[Claim], list[TokenFacts], int]:
    """The claims of a trace, the jettons that it moved, and how many messages nobody can read. Raises: VenueBadResponse."""
    purses = purses_of(evidence[1:])
    claims: list[Claim | None] = []
    tokens, unread = [], 0
    for trace in shaped(evidence[0].body, _Traces).traces:
        for row in (trace.transactions or {}).values():
            purse = purses.get(row.account.lower())
            if row.account.lower() == subject.raw:
                claims.append(own_claim(subject, row, evidence=0))
            elif purse is not None and purse.known is not None:
                tokens.append(jetton_facts(subject.chain, purse.row.jetton.lower(), purse.known))
                try:
                    claims.append(jetton_claim(subject, row, tokens[-1], evidence=0))
                except Unreadable:
                    unread += 1
    return [claim for claim in claims if claim is not None], tokens, unread


def _hash(name: str) -> str:
    """A transaction's name as the indexer takes it. Raises: InvalidField."""
    plain = name.strip()
    try:
        data = bytes.fromhex(plain[-64:]) if _HEX.fullmatch(plain) else base64.b64decode(plain, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != _HASH_BYTES:
        raise InvalidField("transaction: expected its hash, 32 bytes in hexadecimal or base64")
    return base64.b64encode(data).decode()
