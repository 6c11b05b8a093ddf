"""An Electrum server of a chain that is made up: a wallet that pays itself and others as often as is asked, in real bytes.

Each transaction spends the change of the one before, so every page needs what lies before it. As a program it serves until it is
ended: `python -m tests.venues.utxo.long_chain TRANSACTIONS ADDRESSES` prints its port.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from tests.venues.utxo.made_up import WALLET

from omnifolio.venues.base58 import double_sha256
from omnifolio.venues.utxo.scripts import scripthash, witness_script
from omnifolio.venues.utxo.subject import Place, subject_of

PER_BLOCK = 50
BLOCKS_ON_TOP = 10
FEE, PAID = 1_000, 5_000
BEGIN = 10**13
STRANGER = witness_script(0, bytes(20))
TIME_S = 1_600_000_000
GREETING = ["made-up", "1.6"]


class LongChain:
    """The chain, and the server's answers. `trips` counts the exchanges: questions that came when nothing was left to answer."""

    def __init__(self, transactions: int, addresses: int) -> None:
        subject = subject_of("litecoin-regtest", WALLET)
        scripts = [subject.script(Place(0, index)) for index in range(addresses)]
        self._raws: list[bytes] = []
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._addresses = {scripthash(script): index for index, script in enumerate(scripts)}
        self.trips = 0
        self.balance = BEGIN
        name = bytes(31) + b"\x01"
        for number in range(transactions):
            spent = name + bytes(4) + b"\0" + b"\xff" * 4
            self.balance -= PAID + FEE if number else 0
            outputs = [(self.balance, scripts[number % addresses])] + ([(PAID, STRANGER)] if number else [])
            body = b"".join(units.to_bytes(8, "little") + bytes([len(script)]) + script for units, script in outputs)
            raw = b"\x02\0\0\0\x01" + spent + bytes([len(outputs)]) + body + bytes(4)
            name = double_sha256(raw)
            self._raws.append(raw)
            self._names.append(name[::-1].hex())
            self._numbers[self._names[-1]] = number
        self.tip = self._height(transactions - 1) + BLOCKS_ON_TOP

    def _height(self, number: int) -> int:
        return 1 + number // PER_BLOCK

    def header(self, height: int) -> str:
        """A block's header."""
        return (bytes(36) + height.to_bytes(32, "big") + (TIME_S + 600 * height).to_bytes(4, "little") + bytes(8)).hex()

    def history(self, name: str) -> list[dict[str, Any]]:
        """The transactions of a script: its own, and the ones after, which spend it."""
        index, count = self._addresses.get(name), len(self._addresses)
        if index is None:
            return []
        numbers = {n for start in (index, index + 1) for n in range(start, len(self._raws), count)}
        return [{"tx_hash": self._names[n], "height": self._height(n)} for n in sorted(numbers)]

    def held(self, name: str) -> dict[str, int]:
        """What a script holds: all there is, where the last change lies."""
        is_last = self._addresses.get(name) == (len(self._raws) - 1) % len(self._addresses)
        return {"confirmed": self.balance if is_last else 0, "unconfirmed": 0}

    def transaction(self, name: str) -> str:
        """A transaction's bytes."""
        return self._raws[self._numbers[name]].hex()

    def answer(self, asked: dict[str, Any]) -> Any:
        """The result of one question."""
        argument: Any = next(iter(asked["params"]), None)
        answers: dict[str, Callable[[], Any]] = {
            "server.version": lambda: GREETING,
            "blockchain.headers.subscribe": lambda: {"height": self.tip, "hex": self.header(self.tip)},
            "blockchain.scripthash.get_history": lambda: self.history(argument),
            "blockchain.scripthash.get_balance": lambda: self.held(argument),
            "blockchain.transaction.get": lambda: self.transaction(argument),
            "blockchain.block.header": lambda: self.header(argument),
        }
        return answers[asked["method"]]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        rest = b""
        while chunk := await reader.read(1 << 20):
            self.trips += not rest
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                writer.write(json.dumps({"id": asked["id"], "result": self.answer(asked)}).encode() + b"\n")
            await writer.drain()
        writer.close()


async def main() -> None:
    """Serves on a free port of the loopback, and prints it."""
    chain = LongChain(int(sys.argv[1]), int(sys.argv[2]))
    running = await asyncio.start_server(chain.serve, "127.0.0.1", 0, limit=1 << 24)
    print(running.sockets[0].getsockname()[1], flush=True)
    await running.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
