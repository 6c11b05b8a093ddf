"""A chain's row checked against the chain itself: right chain, moving head, Multicall3, and a balance that two sources agree on.

An address is all that is needed and nothing is stored. The dated result beside it says what was checked with which row.
"""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version

import msgspec
from msgspec import Struct

from omnifolio.app.findings import Finding, refusal
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog.chains import EvmChain, evm_chain
from omnifolio.catalog.confirmed import CHAIN_FORMAT
from omnifolio.model import amounts
from omnifolio.model.clock import SECOND_MS, Clock, iso
from omnifolio.model.errors import InvalidField, OmnifolioError
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.pacing import Sleep
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.address import parse_address
from omnifolio.venues.evm.head import Head, ask_head, head_of
from omnifolio.venues.evm.rpc import Call, Node, gathered
from omnifolio.venues.evm.words import quantity
from omnifolio.venues.sources import host_of

HEAD_LOOKS, HEAD_PAUSE_S = 6, 5.0
"""How often the head is looked at, and the pause between two looks: half a minute in all."""
HEAD_AGE_MAX_S = 600
"""A head older than this is told: the node lags, or the chain stands still."""


class ChainVerification(Struct, frozen=True, kw_only=True):
    """All findings in their order, the sources that were asked, and the day."""

    chain: EvmChain
    findings: Sequence[Finding]
    sources: Sequence[str]
    date: str

    @property
    def result(self) -> dict[str, object]:
        """The line that shows it to others. `connector` changes with the chain's row; the address is not in it."""
        return {
            "format": CHAIN_FORMAT,
            "venue": self.chain.id,
            "date": self.date,
            "omnifolio": version("omnifolio"),
            "connector": self.chain.connector,
            "sources": list(self.sources),
            "checks": {finding.check: finding.outcome for finding in self.findings},
        }


async def verify_chain(
    settings: Settings, name: str, address: str, *, clock: Clock, sleep: Sleep = asyncio.sleep
) -> ChainVerification:
    """Checks a chain. Raises: InvalidField, PrivateKeyRefused; what a node refuses is a finding."""
    amounts.install()
    chain, wallet = evm_chain(name), parse_address(address)
    own = base_urls_of(settings).get(chain.id)
    urls = tuple(dict.fromkeys(([own] if own else []) + list(chain.nodes)))
    if not urls:
        raise InvalidField(f"{chain.name} has no public node: give the address of one (base_urls.{chain.id})")
    egress = Egress(clock=clock, sleep=sleep)
    egress.allow(chain.id, [Rule("POST", url, is_configured=url == own) for url in urls])
    access = Access(venue=chain.id, egress=egress, clock=clock, key_label="verify")
    try:
        findings, asked = await _checked(access, chain, urls, wallet, sleep=sleep)
        sources = ["own" if url == own else host_of(url) for url in asked]
    finally:
        await egress.close()
    return ChainVerification(chain=chain, findings=findings, sources=sources, date=iso(clock.now())[:10])


async def _checked(
    access: Access, chain: EvmChain, urls: Sequence[str], wallet: str, *, sleep: Sleep
) -> tuple[list[Finding], list[str]]:
    """The findings, and the nodes that answered."""
    heads: dict[str, Head] = {}
    failed: list[Finding] = []
    for url in urls:
        try:
            heads[url] = head_of(chain, await ask_head(_node(access, chain, url), chain))
        except OmnifolioError as error:
            failed.append(refusal(f"node {host_of(url)}", error))
        if len(heads) > 1:
            break
    if not heads:
        return failed, []
    first = next(iter(heads))
    found = [Finding(check="chain", outcome="ok", text=f"{len(heads)} of its nodes say that it is chain {chain.chain_id}")]
    found.append(await _moving(access, chain, first, heads[first], sleep=sleep))
    found.append(_multicall(chain, heads[first]))
    found.append(await _agreed(access, chain, heads, wallet))
    # A node that does not answer is no fault of the row while another one does.
    found += [msgspec.structs.replace(finding, outcome="warning") for finding in failed]
    return found, list(heads)


def _node(access: Access, chain: EvmChain, url: str) -> Node:
    return Node(access, url=url, stream=f"verify/{chain.id}")


async def _moving(access: Access, chain: EvmChain, url: str, head: Head, *, sleep: Sleep) -> Finding:
    age_s = (access.clock.now() - head.at) // SECOND_MS
    for _ in range(HEAD_LOOKS):
        await sleep(HEAD_PAUSE_S)
        try:
            later = head_of(chain, await ask_head(_node(access, chain, url), chain))
        except OmnifolioError as error:
            return refusal("head", error)
        if later.tip > head.tip:
            if age_s > HEAD_AGE_MAX_S:
                text = f"the head moves, but is {age_s} s old"
                return Finding(check="head", outcome="warning", text=text, action="Try another node: this one lags.")
            return Finding(check="head", outcome="ok", text=f"block {later.tip} came after block {head.tip}")
    text = f"no block came after block {head.tip} in {int(HEAD_LOOKS * HEAD_PAUSE_S)} s"
    return Finding(
        check="head", outcome="warning", text=text, action="Try again: the chain may be slow, or the node stands still."
    )


def _multicall(chain: EvmChain, head: Head) -> Finding:
    if head.has_multicall:
        return Finding(check="multicall", outcome="ok", text=f"there is code at {chain.multicall3}")
    return Finding(
        check="multicall",
        outcome="failed",
        text=f"there is no code at {chain.multicall3}: balances are asked one by one",
        action="Report it: the chain's row is wrong.",
    )


async def _agreed(access: Access, chain: EvmChain, heads: dict[str, Head], wallet: str) -> Finding:
    """One balance at one block that all of the nodes have."""
    if len(heads) < 2:
        text = "only one source answered, so its balance agrees with nobody's"
        return Finding(check="balance", outcome="warning", text=text, action=f"Name a node of your own: base_urls.{chain.id}.")
    height = min(head.tip for head in heads.values())
    told: dict[str, int] = {}
    for url in heads:
        call = Call("balance", "eth_getBalance", (wallet, hex(height)))
        try:
            answers = gathered(await _node(access, chain, url).ask("balance", [call]), "balance")
            told[url] = quantity(answers["balance"].read(str))
        except OmnifolioError as error:
            return refusal("balance", error)
    hosts = " and ".join(map(host_of, told))
    if len(set(told.values())) == 1:
        return Finding(check="balance", outcome="ok", text=f"{hosts} tell the same at block {height}")
    return Finding(
        check="balance",
        outcome="failed",
        text=f"{hosts} tell different balances at block {height}",
        action="Do not rely on either before a third one agrees.",
    )
