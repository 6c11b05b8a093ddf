"""The stream `balances/<network>`: coins, what is staked, unfreezing and earned, TRC-20 and TRC-10 tokens of one address.

The account's record tells everything but TRC-20: which of those are held is known to the index, how much each contract says.
A server without an index is asked for the catalog's tokens and for those that were ever seen here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import structs

from omnifolio.catalog.tron_chains import TronChain
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.tron.address import hexadecimal, spelt
from omnifolio.venues.tron.held import Holding, gaps_of, snapshots_of, tokens_of
from omnifolio.venues.tron.server import Server, is_told
from omnifolio.venues.tron.shapes import Account, Found, Listed, Reward, Row
from omnifolio.venues.tron.subject import Subject, wallets_of
from omnifolio.venues.tron.tokens import (
    BALANCE,
    DECIMALS,
    SYMBOL,
    answers,
    asset_of,
    assets_in,
    contracts_in,
    gathered,
    number_in,
    unknown,
)

ACCOUNT, REWARD, INDEX, NEWEST = "account", "reward", "index", "newest"
NEWEST_MAX = 200
"""Transfers of tokens that are looked at for what tokens are called; the most that a page has."""
TOKENS_MAX = 300
"""Tokens of each kind that are read; each costs a question, and three where nobody has described it."""
CONFIRMED = {"only_confirmed": "true"}


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    chain, address = subject.chain, subject.address
    server = Server(access, url=url, stream=since.stream)
    about = {"wallet": address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    asked = {"address": hexadecimal(address)}
    account = await server.ask(ACCOUNT, "walletsolidity/getaccount", asked, **about)
    record = _account(account)
    if since.token and record.latest_operation_time < int(since.token):
        raise VenueUnavailable("the server is behind what was read before")
    kept = [
        account,
        await server.ask(REWARD, "walletsolidity/getReward", asked),
        await server.find(INDEX, address, "", CONFIRMED),
    ]
    kept += await _tokens(server, subject, kept[-1], sorted(access.known.tokens))
    kept += [await asset_of(server, pair.key) for pair in record.asset_v2[:TOKENS_MAX] if pair.value]
    batch = decode_balances(chain, since.stream, kept)
    yield structs.replace(batch, cursor=Cursor(since.stream, str(record.latest_operation_time)), done=True)


async def _tokens(server: Server, subject: Subject, index: Evidence, known: Sequence[str]) -> list[Evidence]:
    """What TRC-20 contracts say of the address and of themselves, and what the index's newest transfers say of them."""
    chain = subject.chain
    seen = [token.rpartition(":")[2] for token in known if token.startswith(chain.trc20(""))]
    listed = _indexed(index) if is_told(index) else dict.fromkeys((*chain.tokens, *seen))
    wanted = sorted(listed, key=lambda contract: (contract not in chain.tokens, contract))[:TOKENS_MAX]
    kept = []
    if unknown(wanted, chain.tokens) and is_told(index):
        query = CONFIRMED | {"limit": str(NEWEST_MAX)}
        kept.append(await server.find(NEWEST, subject.address, "/transactions/trc20", query))
    nameless = unknown(wanted, contracts_in(chain, (), _rows(kept)))
    questions = [(contract, BALANCE) for contract in wanted]
    questions += [(contract, fact) for contract in nameless for fact in (DECIMALS, SYMBOL)]
    return kept + await gathered(questions, server, owner=subject.address)


def decode_balances(chain: TronChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The snapshots out of the raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    by_kind = {item.params["read"]: item for item in evidence}
    subject, index = Subject(chain, params["wallet"]), by_kind[INDEX]
    listed = _indexed(index) if is_told(index) else {}
    told = {contract: number_in(answer) for (contract, fact), answer in answers(evidence).items() if fact == BALANCE}
    read = {contract: told[contract] if told.get(contract) is not None else listed.get(contract) for contract in (*told, *listed)}
    reward = by_kind[REWARD]
    holding = Holding(
        record=_account(evidence[0]),
        reward=shaped(reward.body, Reward).reward if is_told(reward) else None,
        units={contract: units for contract, units in read.items() if units},
        contracts=contracts_in(chain, evidence, _rows(evidence)),
        assets=assets_in(chain, evidence),
        has_index=is_told(index),
        has_history="unwanted" not in params,
        is_cut=len(listed) > TOKENS_MAX,
    )
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tokens_of(chain, holding),
        wallets=wallets_of(subject),
        snapshots=snapshots_of(subject, holding, at=at),
        gaps=gaps_of(stream, holding),
        evidence=tuple(evidence),
    )


def _account(evidence: Evidence) -> Account:
    if not is_told(evidence):
        raise VenueBadResponse("the server does not tell the account")
    return shaped(evidence.body, Account)


def _indexed(evidence: Evidence) -> Mapping[str, int | None]:
    """Units by contract, as the index has them; None where it states no whole number."""
    pages = [pair for found in shaped(evidence.body, Found).data for pair in found.trc20]
    return {
        spelt(contract): int(units) if units.isascii() and units.isdigit() else None
        for pair in pages
        for contract, units in pair.items()
    }


def _rows(evidence: Sequence[Evidence]) -> list[Row]:
    pages = [shaped(item.body, Listed) for item in evidence if item.params["read"] == NEWEST and is_told(item)]
    return [row for page in pages for row in page.data]
