"""How fast EVM data become facts: erc20_commit, transfer_logs, balances_500.

erc20_commit    the answers of a node about simple ERC-20 transfers, as the reader keeps them, from JSON to committed legs on
                SQLite, with evidence on; beside it real transactions of many protocols, where the recorded cases are.
transfer_logs   the bytes of eth_getLogs to movements of an address, against a loop by hand over msgspec's structs.
balances_500    500 token balances in one round trip to a node, against a codec by hand that does nothing else.
"""

import asyncio
import http.client
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from tests.anvil import MULTICALL3, Anvil, anvil
from tests.fixtures import cases

from benchmarks.figures import Figure, cpu_s, figure, wall_ms
from benchmarks.stock import BEGINNING, forget, new_account, stock
from omnifolio.catalog.chains import evm_chain
from omnifolio.model.clock import EpochMs, SystemClock
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence
from omnifolio.store.engine import open_store
from omnifolio.sync.pages import commit_page
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.document import decode_document, document_of, evidence_of
from omnifolio.venues.evm.events import Subject, token_movements
from omnifolio.venues.evm.rpc import BATCH_CALLS_MAX, Node
from omnifolio.venues.evm.shapes import Log
from omnifolio.venues.evm.tokens import Asked, TokenAnswers, ask_tokens
from omnifolio.venues.evm.transfers import TRANSACTIONS_PER_PAGE_MAX, decode_transfers
from omnifolio.venues.evm.words import TRANSFER, topic_of

COMMIT, LOGS, BALANCES = "erc20_commit", "transfer_logs", "balances_500"
COMMIT_BAR_US, MIX_BAR_US = 1_000_000 / 12_000, 1_000_000 / 4_000
LOGS_BAR, BALANCES_BAR = 1 / 0.8, 1.3
PAGES, WARM_PAGES = 30, 3
MIX_ROUNDS = 12
LOG_ROWS, LOG_ROUNDS = 20_000, 7
TOKENS, TOKEN_ROUNDS = 500, 25
ME, TOKEN = "0x" + "ab" * 20, "0x" + "cd" * 20
STREAM = "transfers/ethereum"
ETHEREUM = evm_chain("ethereum")


async def commits() -> list[Figure]:
    """Microseconds a transaction, simple ones and, where the recorded cases are, real ones."""
    found = [figure(COMMIT, await _simple_us(), "us", COMMIT_BAR_US, of=COMMIT)]
    if cases("evm"):
        found.append(figure(f"{COMMIT}_mix", await _mix_us(), "us", MIX_BAR_US, of=COMMIT))
    return found


async def _simple_us() -> float:
    pages = [list(_page(number)) for number in range(PAGES)]

    def decoded(number: int) -> Batch:
        batch = decode_transfers(ETHEREUM, STREAM, pages[number])
        assert len(batch.claims) == TRANSACTIONS_PER_PAGE_MAX
        return msgspec.structs.replace(batch, cursor=Cursor(STREAM, str(number)))

    spent = await _committed(PAGES, decoded)
    return spent / ((PAGES - WARM_PAGES) * TRANSACTIONS_PER_PAGE_MAX) * 1_000_000


async def _mix_us() -> float:
    """Every recorded case, again and again under other hashes, as many on a page as the reader puts there."""
    bodies = [path.read_bytes() for path in cases("evm")]
    told = [(document_of(body), body) for body in bodies]

    def decoded(number: int) -> Batch:
        claims: list[Claim] = []
        first: Batch | None = None
        for document, body in told:
            account = (document.accounts or (document.receipt.sender,))[0]
            page = evidence_of(body, chain=document.chain, account=account, at=BEGINNING)
            batch = decode_document(document.chain, "transaction/mix", page)
            first = first or batch
            for claim in batch.claims:
                refs = tuple(f"{ref}{number}" for ref in claim.refs)
                event = None if claim.event is None else f"{claim.event}{number}"
                names = {"ref": f"{claim.ref}{number}", "refs": refs, "event": event}
                claims.append(msgspec.structs.replace(claim, evidence=None, **names))
        assert first is not None
        return msgspec.structs.replace(first, cursor=Cursor("transaction/mix", str(number)), claims=tuple(claims), evidence=())

    spent = await _committed(MIX_ROUNDS, decoded)
    return spent / ((MIX_ROUNDS - WARM_PAGES) * len(told)) * 1_000_000


async def _committed(pages: int, decoded: Any) -> float:
    """Processor seconds of all pages but the first few, from their JSON to their rows."""
    spent = 0.0
    async with stock("sqlite") as made:
        store = open_store(made.url)
        who, account, fence = await new_account(store, f"{COMMIT} {random.random()}", made.principal)

        async def take_in(number: int) -> None:
            batch = decoded(number)
            done = await commit_page(store, who, account, batch, fence=fence, now=EpochMs(BEGINNING + number))
            assert done.transactions == len(batch.claims), done

        for number in range(pages):
            taken = await cpu_s(lambda number=number: take_in(number))  # type: ignore[misc]
            spent += taken if number >= WARM_PAGES else 0.0
        await forget(store, account)
        await store.close()
    return spent


def _page(number: int) -> Iterator[Evidence]:
    """A page of the reader: a window's events, receipts, the transactions that were sent, the token's decimals."""
    rng = random.Random(number)
    first = number * TRANSACTIONS_PER_PAGE_MAX + 1
    receipts: dict[str, object] = {}
    sent: dict[str, object] = {}
    for height in range(first, first + TRANSACTIONS_PER_PAGE_MAX):
        name, other = _word(rng.getrandbits(256)), f"0x{rng.getrandbits(160):040x}"
        source, target = (ME, other) if rng.random() < 0.5 else (other, ME)
        place = {"blockNumber": hex(height), "blockHash": _word(height), "transactionHash": name, "transactionIndex": "0x5"}
        event = place | {
            "address": TOKEN,
            "topics": [TRANSFER, topic_of(source), topic_of(target)],
            "data": _word(rng.getrandbits(80)),
            "logIndex": hex(rng.randrange(300)),
            "removed": False,
            "blockTimestamp": hex(1_600_000_000 + 12 * height),
        }
        receipts[name] = place | {
            "from": source,
            "to": TOKEN,
            "contractAddress": None,
            "gasUsed": hex(rng.randrange(40_000, 65_000)),
            "effectiveGasPrice": hex(rng.getrandbits(34)),
            "status": "0x1",
            "type": "0x2",
            "logsBloom": "0x" + "00" * 256,
            "logs": [event],
        }
        if source == ME:
            sent[name] = place | {"hash": name, "from": source, "to": TOKEN, "value": "0x0", "input": "0xa9059cbb" + "00" * 64}
    last = first + TRANSACTIONS_PER_PAGE_MAX - 1
    bounds = {"wallet": ME, "from": str(first), "to": str(last), "final": str(last)}
    nothing: dict[str, object] = {name: [] for name in ("in", "many", "wrapped", "sent", "received")}
    window = nothing | {
        "out": [receipt["logs"][0] for receipt in receipts.values()],  # type: ignore[index]  # made above
        "before": _block(first - 1),
        "last": _block(last),
    }
    yield from _answers("window", window, **bounds)
    yield from _answers("receipts", receipts)
    yield from _answers("transactions", sent)
    yield from _answers("tokens", {f"{TOKEN}:decimals": _word(18)})


def _answers(read: str, results: dict[str, Any], **params: str) -> Iterator[Evidence]:
    names = list(results)
    for start in range(0, len(names), BATCH_CALLS_MAX):
        chunk = names[start : start + BATCH_CALLS_MAX]
        body = [{"jsonrpc": "2.0", "id": place, "result": results[name]} for place, name in enumerate(chunk, 1)]
        asked = {"read": read, "about": ",".join(chunk), **params}
        yield Evidence(stream=STREAM, request="POST /", params=asked, received_at=BEGINNING, body=msgspec.json.encode(body))


def _word(number: int) -> str:
    return f"0x{number:064x}"


def _block(height: int) -> dict[str, str]:
    return {"number": hex(height), "hash": _word(height), "timestamp": hex(1_600_000_000 + 12 * height)}


class _Placed(Log, rename="camel", frozen=True, gc=False):
    """A log as we read it, and where it stands: the loop by hand reads that too."""

    block_number: str = ""
    transaction_hash: str = ""


class _Bare(msgspec.Struct, frozen=True, gc=False):
    """As little of a log as a loop by hand needs: what moved, and where in which transaction."""

    address: str
    topics: list[str]
    data: str
    log_index: str = msgspec.field(name="logIndex")
    block_number: str = msgspec.field(name="blockNumber")
    transaction_hash: str = msgspec.field(name="transactionHash")


async def logs() -> list[Figure]:
    """The ratio, and how many logs a second each side takes."""
    body = msgspec.json.encode([log for number in range(LOG_ROWS // TRANSACTIONS_PER_PAGE_MAX) for log in _logs(number)])
    subject = Subject(ETHEREUM, ME)
    many, bare = msgspec.json.Decoder(list[_Placed]), msgspec.json.Decoder(list[_Bare])
    ours, theirs = [], []

    async def by_us() -> None:
        assert len(token_movements(subject, many.decode(body))) == LOG_ROWS

    async def by_hand() -> None:
        assert len(_by_hand(subject.topic, bare.decode(body))) == LOG_ROWS

    for _ in range(LOG_ROUNDS):
        theirs.append(await cpu_s(by_hand))
        ours.append(await cpu_s(by_us))
    return [
        figure(LOGS, min(ours) / min(theirs), "x", LOGS_BAR, of=LOGS),
        figure(f"{LOGS}_per_s", LOG_ROWS / min(ours), "logs", None, of=LOGS),
        figure(f"{LOGS}_by_hand_per_s", LOG_ROWS / min(theirs), "logs", None, of=LOGS),
    ]


def _logs(number: int) -> list[Any]:
    page = next(iter(_page(number)))
    answers = msgspec.json.decode(page.body)
    found: list[Any] = answers[page.params["about"].split(",").index("out")]["result"]
    return found


def _by_hand(mine: str, rows: Sequence[_Bare]) -> list[tuple[str, int, str, int, str]]:
    """Contract, signed units, counterparty, place and transaction of each transfer of the address."""
    found = []
    for log in rows:
        topics = log.topics
        if len(topics) == 3 and topics[0] == TRANSFER:
            units = int(log.data[:66], 16)
            if topics[2] == mine:
                found.append((log.address, units, "0x" + topics[1][26:], int(log.log_index, 16), log.transaction_hash))
            elif topics[1] == mine:
                found.append((log.address, -units, "0x" + topics[2][26:], int(log.log_index, 16), log.transaction_hash))
    return found


async def balances() -> list[Figure]:
    """The ratio of wall times, and both of them."""
    with anvil(chain_id=1) as node:
        node.place("Multicall", MULTICALL3)
        code = node.rpc("eth_getCode", node.token(), "latest")
        contracts = [f"0x{0xC0DE0000 + number:040x}" for number in range(TOKENS)]
        for contract in contracts:
            node.rpc("anvil_setCode", contract, code)
        clock = SystemClock()
        egress = Egress(clock=clock)
        egress.allow("ethereum", [Rule("POST", node.url, is_configured=True)])
        access = Access(venue="ethereum", egress=egress, clock=clock, key_label="bench")
        ours, theirs = [], []

        async def by_us() -> None:
            asked = [Asked(contract, "balance") for contract in contracts]
            kept = await ask_tokens(
                Node(access, url=node.url, stream="balances/ethereum"),
                asked,
                chain=ETHEREUM,
                holder=ME,
                block="latest",
                batched=True,
            )
            answers = TokenAnswers(kept)
            assert len(kept) == 1
            assert sum(answers.balance(contract) or 0 for contract in contracts) == 0

        async def by_hand() -> None:
            await asyncio.to_thread(_balances_by_hand, node, contracts)

        for _ in range(TOKEN_ROUNDS):
            theirs.append(await wall_ms(by_hand))
            ours.append(await wall_ms(by_us))
        await egress.close()
    return [
        figure(BALANCES, min(ours) / min(theirs), "x", BALANCES_BAR, of=BALANCES),
        figure(f"{BALANCES}_wall", min(ours), "ms", None, of=BALANCES),
        figure(f"{BALANCES}_by_hand_wall", min(theirs), "ms", None, of=BALANCES),
    ]


def _balances_by_hand(node: Anvil, contracts: Sequence[str]) -> int:
    """aggregate3 of balanceOf with nothing but strings, one connection kept open."""
    call = "70a08231" + "00" * 12 + ME[2:] + "00" * 28
    tuples = [f"{contract[2:]:0>64}{1:064x}{96:064x}{36:064x}{call}" for contract in contracts]
    size = len(tuples[0]) // 2
    offsets = [f"{32 * len(tuples) + number * size:064x}" for number in range(len(tuples))]
    data = f"0x82ad56cb{32:064x}{len(tuples):064x}" + "".join(offsets) + "".join(tuples)
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": MULTICALL3, "data": data}, "latest"]}
    connection = http.client.HTTPConnection("127.0.0.1", node.port)
    connection.request("POST", "/", msgspec.json.encode(asked), {"content-type": "application/json"})
    answer = bytes.fromhex(msgspec.json.decode(connection.getresponse().read())["result"][2:])
    connection.close()
    total = 0
    for number in range(len(contracts)):
        place = 64 + int.from_bytes(answer[64 + 32 * number : 96 + 32 * number])
        total += int.from_bytes(answer[place + 96 : place + 128])
    return total
