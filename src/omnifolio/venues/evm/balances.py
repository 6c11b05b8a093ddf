"""The stream `balances/<chain>`: what an address holds at one block, as one snapshot, or none.

The tokens asked for are those that the ledger knows of the account, the wrapped native coin, and those that came in since the
last read; of collectibles those that the ledger knows, each by its number. Where a node does not let all blocks be looked through
for tokens, well-known ones are asked for as well, so that most of what is held shows at once. All answers are of one block; a
block that is another one afterwards spoils them. A contract that answers with a failure is mute: a new one is left out; one that
was known costs this snapshot, and is left out when it is mute again at the next read. So no hostile token can hold up an account
for ever, and none vanishes at one bad answer. Both are told as gaps.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import structs

from omnifolio.catalog.chains import EvmChain, known_tokens
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import ResponseTooLarge, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Snapshot
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.bookmarks import BalancesMark, read_mark, write_mark
from omnifolio.venues.evm.events import Subject
from omnifolio.venues.evm.head import Head, ask_head, block_call, head_of, time_of
from omnifolio.venues.evm.movements import wallet_of
from omnifolio.venues.evm.rpc import Call, Fault, Node, failure, gathered
from omnifolio.venues.evm.shapes import Block, Log
from omnifolio.venues.evm.tokens import NATIVE, Asked, TokenAnswers, ask_tokens, collectibles_of, contracts_of, token_facts
from omnifolio.venues.evm.words import TRANSFER, topic_of

TOKENS_MAX = 5_000
"""Contracts asked for one address; beyond, a snapshot would be a guess, and there is none."""
COLLECTIBLES_MAX = 5_000
"""Single tokens asked for one address; beyond, there is no snapshot either."""
PIN_TRIES_MAX = 3
"""Tries of one snapshot while the chain moves under it."""
DISCOVERY_TRIES_MAX = 24
"""Halvings of the stretch in which new tokens are looked for; the transfers stream finds the rest."""
WITHHELD = "balances_withheld"
MUTE_NAMED_MAX = 5
"""Contracts named in a gap's text."""

_PIN = "pin"


class Balances:
    """One read of the stream."""

    def __init__(self, access: Access, *, subject: Subject, url: str, since: Cursor) -> None:
        self._subject = subject
        self._stream = since.stream
        self._node = Node(access, url=url, stream=since.stream)
        self._mark = read_mark(since.token, BalancesMark)
        self._is_first = not since.token
        self._known = contracts_of(access.known.tokens, subject.chain)
        self._single = collectibles_of(access.known.tokens, subject.chain)
        self._has_history = depth_of(access.fields).has_history

    async def pages(self) -> AsyncIterator[Batch]:
        """The one page. Raises: VenueError and its kin."""
        chain = self._subject.chain
        for _ in range(PIN_TRIES_MAX):
            opening = await ask_head(self._node, chain)
            head = head_of(chain, opening)
            found, unseen = await self._discovered(head)
            contracts = sorted(self._known | found | ({chain.wrapped} - {""}))
            evidence = opening + await self._answers(
                head, contracts[:TOKENS_MAX], unseen=unseen, beyond=len(contracts) - TOKENS_MAX
            )
            if _is_pinned(evidence, head.tip_hash):
                batch = decode_balances(chain, self._stream, evidence)
                mute = tuple(sorted(mute_of(TokenAnswers(evidence))))
                mark = BalancesMark(next=max(0, head.final + 1), mute=mute)
                yield structs.replace(batch, cursor=Cursor(self._stream, write_mark(mark)), done=True)
                return
        raise VenueUnavailable("the chain moved each time that it was read")

    async def _discovered(self, head: Head) -> tuple[frozenset[str], int]:
        """Contracts that sent a token since the last read, and the first block looked at less `next`: 0 when all were.

        A node that refuses the stretch is asked for its newest half, and so on.
        """
        start = self._mark.next
        for _ in range(DISCOVERY_TRIES_MAX):
            stretch: dict[str, object] = {
                "fromBlock": hex(start),
                "toBlock": hex(head.tip),
                "topics": [TRANSFER, None, topic_of(self._subject.address)],
            }
            if start > head.tip:
                break
            fault = await self._try(stretch)
            if not isinstance(fault, Fault):
                return fault, start - self._mark.next
            if fault.trouble == "unsupported":
                raise failure(fault)
            start += (head.tip - start) // 2 + 1
        return frozenset(), max(0, head.tip + 1 - self._mark.next)

    async def _try(self, stretch: dict[str, object]) -> frozenset[str] | Fault:
        try:
            kept = await self._node.ask("discovery", [Call("in", "eth_getLogs", (stretch,))])
        except ResponseTooLarge:
            return Fault(message="response size")
        reply = gathered(kept, "discovery")["in"]
        if reply.error is not None:
            return reply.error
        return frozenset(log.address.lower() for log in reply.read(list[Log]) if len(log.topics) == 3)

    async def _answers(self, head: Head, contracts: Sequence[str], *, unseen: int, beyond: int) -> list[Evidence]:
        holder, chain, block = self._subject.address, self._subject.chain, hex(head.tip)
        asked = [Asked(NATIVE, "balance"), *(Asked(contract, "balance") for contract in contracts)]
        asked += token_facts(contracts, named=self._known)
        asked += self._single[:COLLECTIBLES_MAX]
        if unseen and head.has_multicall:
            listed = known_tokens(chain.chain_id).keys() - set(contracts)
            asked += [Asked(contract, "balance", is_listed=True) for contract in sorted(listed)]
        kept = await ask_tokens(self._node, asked, chain=chain, holder=holder, block=block, batched=head.has_multicall)
        needed = frozenset() if self._is_first else self._known - set(self._mark.mute)
        wanted = {} if self._has_history else {"history": "none"}
        if len(self._single) > COLLECTIBLES_MAX:
            wanted |= {"more": "collectibles"}
        params = {"wallet": holder, "unseen": str(unseen), "beyond": str(max(0, beyond)), "needed": ",".join(sorted(needed))}
        return kept + await self._node.ask(_PIN, [block_call("pinned", head.tip)], **params, **wanted)


def decode_balances(chain: EvmChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    params = next(item.params for item in evidence if item.params["read"] == _PIN)
    subject = Subject(chain, params["wallet"])
    answers = TokenAnswers(evidence)
    at = time_of(gathered(evidence, _PIN)["pinned"].read(Block))
    mute = mute_of(answers)
    lost = sorted(mute & set(params["needed"].split(",")))
    beyond = int(params["beyond"]) > 0
    native = answers.balance(NATIVE)
    is_lost = bool(lost) or native is None
    too_many = beyond or "more" in params
    unwanted = params.get("history") == "none"
    gaps = _gaps(stream, at, unwanted=unwanted, mute=mute, lost=is_lost, unseen=int(params["unseen"]) > 0, beyond=too_many)
    batch = Batch(
        cursor=Cursor(stream),
        observed_at=received_at(evidence),
        tokens=(chain.native,),
        wallets=(wallet_of(subject),),
        gaps=gaps,
        evidence=tuple(evidence),
    )
    if is_lost or too_many or native is None:
        return batch
    single = answers.collectibles(chain, subject.address)
    held = [Balance(chain.native.id, from_units(native, chain.decimals))] if native else []
    facts = []
    for contract in answers.contracts():
        units, decimals = answers.balance(contract), answers.decimals(contract)
        if units and decimals is not None:
            held.append(Balance(chain.erc20(contract), from_units(units, decimals)))
            facts.append(answers.facts(chain, chain.erc20(contract)))
    for fact, units in answers.listed(chain):
        held.append(Balance(fact.id, from_units(units, fact.decimals or 0)))
        facts.append(fact)
    held += [Balance(token, from_units(units, 0)) for token, units in single.items() if units]
    index = next(n for n, item in enumerate(evidence) if item.params["read"] == "tokens")
    snapshot = Snapshot(wallet=subject.wallet, product="spot", at=at, balances=tuple(held), evidence=index)
    return structs.replace(batch, snapshots=(snapshot,), tokens=(chain.native, *(fact for fact in facts if fact is not None)))


def mute_of(answers: TokenAnswers) -> frozenset[str]:
    """The contracts that answer for no balance, or claim decimals with which none can be held."""
    return frozenset(c for c in answers.contracts() if answers.balance(c) is None or answers.decimals(c) is None)


def _is_pinned(evidence: Sequence[Evidence], pinned_hash: str) -> bool:
    reply = gathered(evidence, _PIN)["pinned"]
    return not reply.is_null and reply.read(Block).hash.lower() == pinned_hash


def _gaps(
    stream: str, at: EpochMs, *, unwanted: bool, mute: frozenset[str], lost: bool, unseen: bool, beyond: bool
) -> tuple[Gap, ...]:
    texts = [("history_not_wanted", "only balances were asked for, so what led to them is not read")] if unwanted else []
    if mute:
        shown = ", ".join(sorted(mute)[:MUTE_NAMED_MAX]) + (" …" if len(mute) > MUTE_NAMED_MAX else "")
        texts.append(("token_mute", f"contracts that announced transfers answer for no balance that could be held: {shown}"))
    if lost:
        texts.append((WITHHELD, "no balances: the coin or tokens that were known before did not answer"))
    if unseen:
        texts.append(("tokens_unseen", "tokens received in older blocks appear when the transfers have been read"))
    if beyond:
        texts.append(("too_many_tokens", f"no balances: the address has more than the {TOKENS_MAX} tokens that are read"))
    return tuple(Gap(stream=stream, code=code, text=text, end=at, is_failure=code == WITHHELD) for code, text in texts)
