"""Names for addresses (ENS): what a node's registry of names says of one, at input alone; what is kept is the address.

A name is hashed label by label (EIP-137); the registry knows its resolver, the resolver its address. Only names of small
letters, digits, hyphens and underscores are taken: what else Unicode has can look like something that it is not. Names that
resolve outside the chain are not followed.
"""

import re

from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse
from omnifolio.venues.evm.address import keccak256
from omnifolio.venues.evm.rpc import Call, Node, Reply, gathered
from omnifolio.venues.evm.words import WORD_BYTES, data_of, word

REGISTRY = "0x00000000000c2e074ec69a0dfb2997ba6c7d2e1e"
"""The registry of ENS on Ethereum's main network."""
RESOLVER = bytes.fromhex("0178b8bf")
"""resolver(bytes32)"""
ADDR = bytes.fromhex("3b3b57de")
"""addr(bytes32)"""
NAME_LENGTH_MAX = 255

_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z]{2,63}")
_READ = "name"


def is_name(text: str) -> bool:
    """Whether this may be a name and is no address."""
    stripped = text.strip().lower()
    return "." in stripped and not stripped.startswith("0x")


def name_hash(name: str) -> bytes:
    """The node of a name: 32 bytes. Raises: InvalidField for a name that is not taken."""
    plain = name.strip().lower()
    if len(plain) > NAME_LENGTH_MAX or not _NAME.fullmatch(plain):
        raise InvalidField("name: expected small letters, digits, hyphens and dots as in name.eth; paste the address instead")
    node = bytes(WORD_BYTES)
    for label in reversed(plain.split(".")):
        node = keccak256(node + keccak256(label.encode()))
    return node


async def ask_name(node: Node, name: str) -> str:
    """The address (lower case) that a name stands for. Raises: InvalidField; NotFound where it stands for none; VenueError."""
    hashed = name_hash(name)
    resolver = await _ask(node, REGISTRY, RESOLVER + hashed)
    address = await _ask(node, resolver, ADDR + hashed) if resolver else ""
    if not address:
        raise NotFound(f"the name {name.strip()[:80]} stands for no address; paste the address instead")
    return address


async def _ask(node: Node, contract: str, data: bytes) -> str:
    """The address that a contract answers, "" for none."""
    call = Call(_READ, "eth_call", ({"to": contract, "data": "0x" + data.hex()}, "latest"))
    reply: Reply = gathered(await node.ask(_READ, [call]), _READ)[_READ]
    if reply.error is not None and reply.error.trouble == "reverted":
        return ""
    told = data_of(reply.read(str))
    if len(told) < WORD_BYTES:
        return ""
    number = word(told, 0)
    if number >= 1 << 160:
        raise VenueBadResponse("the name's resolver answered with something that is no address")
    return f"0x{number:040x}" if number else ""
