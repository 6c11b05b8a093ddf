"""A wallet of a test's own at the node, which can spend, and what its public descriptors say of it; and how it is read."""

import hmac
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha512
from typing import Any

from tests.litecoin import COIN, Litecoin
from tests.stage import Hurry
from tests.venues.evm.shelf import Shelf

from omnifolio.catalog.utxo_chains import configured_source, utxo_chain
from omnifolio.model.facts import Batch, Cursor
from omnifolio.transport.egress import Egress
from omnifolio.venues import base58
from omnifolio.venues.contract import Access, Known
from omnifolio.venues.utxo.curve import GENERATOR, ORDER, compressed, moved
from omnifolio.venues.utxo.descriptors import checksum
from omnifolio.venues.utxo.reader import UtxoReader, rules_of
from omnifolio.venues.utxo.scripts import scripthash
from omnifolio.venues.utxo.subject import Place, subject_of

CHAIN = utxo_chain("litecoin-regtest")
LTC = CHAIN.native.id
READER = UtxoReader()
_TPRV, _TPUB = bytes.fromhex("04358394"), bytes.fromhex("043587cf")
_numbers = itertools.count()


class Purse:
    """A spending wallet of the node with the keys of a seed that no other test has."""

    def __init__(self, node: Litecoin, form: str = "wpkh({}/{}/*)") -> None:
        self.node = node
        self.name = f"purse-{next(_numbers)}"
        secret, self.xpub = _master(self.name)
        self.descriptor = form.format(self.xpub, "<0;1>")
        self._subject = subject_of(CHAIN.id, self.descriptor)
        self._given = [0, 0]
        self.change = ""
        node.rpc("createwallet", self.name, False, True)
        wanted = [
            {"desc": _signed(form.format(secret, branch)), "internal": branch == 1, "range": [0, 60], "timestamp": "now"}
            for branch in (0, 1)
        ]
        done = node.rpc("importmulti", wanted, {"rescan": False}, wallet=self.name)
        assert all(row["success"] for row in done), done

    def rpc(self, method: str, *params: Any) -> Any:
        """A method of this wallet."""
        return self.node.rpc(method, *params, wallet=self.name)

    def address(self, branch: int = 0) -> str:
        """The next receiving address, or the next one for change."""
        self._given[branch] += 1
        return self._subject.address(Place(branch, self._given[branch] - 1))

    def pay(self, address: str, coins: str) -> str:
        """Pays from this wallet; the transaction can be replaced."""
        self.change = self.address(1)
        plan = self.rpc("createrawtransaction", [], [{address: coins}])
        funded = self.rpc("fundrawtransaction", plan, {"changeAddress": self.change, "replaceable": True})["hex"]
        name: str = self.rpc("sendrawtransaction", self.rpc("signrawtransactionwithwallet", funded)["hex"])
        return name

    def script_name(self, address: str) -> str:
        """The name of an address's script in Electrum's protocol."""
        info = self.node.bank("getaddressinfo", address)
        return scripthash(bytes.fromhex(info["scriptPubKey"]))

    def fee(self, name: str) -> int:
        """The fee of a transaction of this wallet, in base units."""
        return -units(self.rpc("gettransaction", name)["fee"])

    def total(self) -> int:
        """What the node says this wallet holds, waiting payments included, in base units."""
        mine = self.rpc("getbalances")["mine"]
        return sum(units(mine[kind]) for kind in ("trusted", "untrusted_pending", "immature"))


def units(coins: str) -> int:
    """Base units of an amount as the node writes it."""
    return int(Decimal(coins) * COIN)


def _master(name: str) -> tuple[str, str]:
    """The extended private and public key of a seed, for the node's own wallet in its test mode."""
    digest = hmac.digest(b"Bitcoin seed", name.encode() * 4, sha512)
    number = int.from_bytes(digest[:32], "big") % ORDER
    public = compressed(moved(GENERATOR, [number - 1])[0])
    head = bytes(9) + digest[32:]
    return base58.encode_check(_TPRV + head + b"\0" + digest[:32]), base58.encode_check(_TPUB + head + public)


def _signed(text: str) -> str:
    return f"{text}#{checksum(text)}"


@asynccontextmanager
async def access_to(
    url: str, wallet: str, *, known: Known | None = None, egress: Egress | None = None, history: str = "all"
) -> AsyncIterator[Access]:
    """An account of that wallet at the server."""
    clock = Hurry()
    way_out = egress or Egress(clock=clock, sleep=clock.sleep)
    way_out.allow(CHAIN.id, rules_of(configured_source(url), is_configured=True))
    try:
        yield Access(
            venue=CHAIN.id,
            egress=way_out,
            clock=clock,
            key_label="",
            fields={"wallet": wallet, "history": history},
            base_url=url,
            known=known,
        )
    finally:
        await way_out.close()


async def sync(shelf: Shelf, url: str, wallet: str, *, kinds: tuple[str, ...] = ("balances", "transfers")) -> list[Batch]:
    """Reads the streams on from the shelf's cursors, keeps the batches, and gives them."""
    found: list[Batch] = []
    for kind in kinds:
        stream = f"{kind}/{CHAIN.id}"
        async with access_to(url, wallet, known=shelf.known()) as access:
            async for batch in READER.read(access, Cursor(stream, shelf.cursors.get(stream, ""))):
                if batch.pending_complete:
                    listed = {claim.ref for claim in batch.claims}
                    shelf.claims = {r: c for r, c in shelf.claims.items() if c.finality != "pending" or r in listed}
                shelf.keep(batch)
                found.append(batch)
    return found


def held(shelf: Shelf) -> int:
    """The last snapshot in base units."""
    return int(shelf.held()[LTC] * COIN)


def summed(shelf: Shelf) -> int:
    """The sum of all legs in base units."""
    return int(shelf.total(LTC) * COIN)


__all__ = ["CHAIN", "COIN", "LTC", "READER", "Purse", "Shelf", "access_to", "held", "summed", "sync", "units"]
