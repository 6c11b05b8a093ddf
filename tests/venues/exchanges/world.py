"""A running sandbox for black-box tests, a plain driver of a reader, and a fold of its claims into `truth`'s lines.

The fold is as small as the contract allows (claims that share a ref are one event, the lowest rank gives the legs); the
ledger's own merging is tested where it lives.
"""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from omnifolio.model.amounts import canonical
from omnifolio.model.clock import SystemClock
from omnifolio.model.facts import Batch, Claim, Cursor, Leg, Order, Snapshot
from omnifolio.model.secrets import Secret
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access, Known, Reader

SANDBOX = Path(__file__).resolve().parents[3] / "sandbox"
START_TIMEOUT_S = 30
PERMISSIVE = ("--rate-scale", "10000")
SIMULATED = ("binance", "coinbase", "kraken")
"""Exchanges that the sandbox plays; the others are tested by golden cases alone."""


def run(*arguments: str) -> str:
    """What one sandbox command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "omnifolio_sandbox", *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=SANDBOX,
        timeout=120,
    )
    return done.stdout


@contextmanager
def serve(*arguments: str) -> Iterator[str]:
    """The base URL of a sandbox that lives as long as the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omnifolio_sandbox", "serve", *PERMISSIVE, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=SANDBOX,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)
        if process.stdout is not None:
            process.stdout.close()


def credentials(user: str, venue: str, permission: str = "read") -> dict[str, Secret]:
    """The simulated key of a user, under the names of the row's fields."""
    printed = run("credentials", "--user", user, "--venue", venue, "--permission", permission, "-o", "json")
    names = {"apiKey": "key", "secret": "secret"}
    values = json.loads(printed)["credentials"][venue]
    return {names.get(name, name): Secret(value) for name, value in values.items()}


def truth(url: str, user: str, venue: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Balances and transactions that the sandbox states, without values."""
    lines = [json.loads(line) for line in run("truth", "--user", user, "--venue", venue, "--server", url).splitlines()]
    for line in lines:
        line.pop("value", None)
        for leg in line.get("legs", ()):
            leg.pop("value")
    return [line for line in lines if line["kind"] == "balance"], [line for line in lines if line["kind"] == "transaction"]


class Account:
    """What a driver has gathered of one account: cursors, newest snapshots, and claims by their identity."""

    def __init__(self, reader: Reader, venue: str, base_url: str, secrets: Mapping[str, Secret]) -> None:
        self.reader, self.venue, self.base_url, self.secrets = reader, venue, base_url, secrets
        self.clock = SystemClock()
        self.cursors: dict[str, str] = {}
        self.snapshots: dict[tuple[str, str], Snapshot] = {}
        self.claims: dict[tuple[str, str, str], Claim] = {}
        self.orders: dict[str, Order] = {}
        self.tokens: dict[TokenId, TokenFacts] = {}
        self.batches: list[Batch] = []
        self.gaps: list[str] = []

    def access(self, egress: Egress) -> Access:
        known = Known(tokens=frozenset(self.tokens), cursors=dict(self.cursors))
        return Access(
            venue=self.venue,
            egress=egress,
            clock=self.clock,
            key_label=self.venue,
            secrets=self.secrets,
            base_url=self.base_url,
            known=known,
        )

    def egress(self) -> Egress:
        """A way out that lets this venue's own reads pass; exchanges open theirs by their rows."""
        egress = Egress(clock=self.clock)
        if self.venue == "demo":
            calls = (("POST", "/session"), ("GET", "/balances"), ("GET", "/transactions"))
            egress.allow("demo", [Rule(method, f"{self.base_url}{path}", is_configured=True) for method, path in calls])
        return egress

    def take(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.cursors[batch.cursor.stream] = batch.cursor.token
        self.gaps += [f"{gap.stream} {gap.code} {gap.text}" for gap in batch.gaps]
        for token in batch.tokens:
            self.tokens[token.id] = token
        for snapshot in batch.snapshots:
            self.snapshots[snapshot.wallet, snapshot.product] = snapshot
        for claim in batch.claims:
            self.claims[claim.origin, claim.book, claim.ref] = claim
        for order in batch.orders:
            self.orders[order.ref] = order

    async def read(self, stream: str, *, pages_max: int | None = None) -> int:
        """Reads one stream on from its cursor. Gives the number of pages."""
        pages = 0
        egress = self.egress()
        try:
            async for batch in self.reader.read(self.access(egress), Cursor(stream, self.cursors.get(stream, ""))):
                self.take(batch)
                pages += 1
                if pages == pages_max:
                    break
        finally:
            await egress.close()
        return pages

    def streams(self) -> list[str]:
        """The names of all streams, balances first."""
        streams = self.reader.streams(self.access(self.egress()))
        return [stream.name for stream in sorted(streams, key=lambda stream: (not stream.is_balances, stream.name))]

    async def sync(self, *, only: Iterable[str] | None = None) -> None:
        """Reads every stream once, or those that are named."""
        for name in self.streams() if only is None else only:
            await self.read(name)

    def balances(self) -> list[dict[str, Any]]:
        lines = [
            self._line(snapshot, balance.token, balance.amount)
            for snapshot in self.snapshots.values()
            for balance in snapshot.balances
        ]
        return sorted(lines, key=lambda line: (line["wallet"], line["product"], line["asset_id"]))

    def _line(self, snapshot: Snapshot, token: TokenId, amount: Decimal) -> dict[str, Any]:
        return {
            "kind": "balance",
            "wallet": snapshot.wallet,
            "asset": self.tokens[token].ticker,
            "asset_id": token,
            "product": snapshot.product,
            "amount": canonical(amount),
        }

    def transactions(self) -> list[dict[str, Any]]:
        return fold(self.claims.values(), self.tokens)


def fold(claims: Iterable[Claim], tokens: Mapping[TokenId, TokenFacts]) -> list[dict[str, Any]]:
    """Claims as `truth` prints transactions; those without any movement are left out."""
    group_of: dict[str, int] = {}
    groups: dict[int, list[Claim]] = {}
    for number, claim in enumerate(claims):
        members = [claim]
        for old in {group_of[ref] for ref in claim.refs if ref in group_of}:
            members += groups.pop(old)
        groups[number] = members
        for member in members:
            for ref in member.refs:
                group_of[ref] = number
    lines = [line for members in groups.values() if (line := _transaction(members, tokens))]
    return sorted(lines, key=lambda line: (line["at"], line["ref"]))


def _transaction(claims: Sequence[Claim], tokens: Mapping[TokenId, TokenFacts]) -> dict[str, Any] | None:
    books: dict[tuple[int, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.legs:
            books[claim.rank, claim.book].append(claim)
    if not books:
        return None
    main = sorted(books[min(books)], key=lambda claim: (claim.origin == "file", claim.at, claim.ref))
    legs = list({leg.key: leg for claim in main for leg in claim.legs}.values())
    kind, subtype = classified(main[0].kind, legs, tokens)
    return {
        "kind": "transaction",
        "ref": next((claim.name for claim in main if claim.name), main[0].refs[0]),
        "event": next((claim.event for claim in claims if claim.event), None),
        "at": main[0].at,
        "type": kind,
        "subtype": subtype,
        "status": main[0].status,
        "legs": [
            {
                "wallet": leg.wallet,
                "asset": tokens[leg.token].ticker,
                "asset_id": leg.token,
                "amount": canonical(leg.amount),
                "role": leg.role,
                "counterparty": None,
            }
            for leg in legs
        ],
    }


KINDS = {
    "staking": ("staking", None),
    "unstaking": ("unstaking", None),
    "staking_reward": ("reward", "staking_reward"),
    "interest": ("reward", "interest_income"),
    "reward": ("reward", "income_reward"),
    "airdrop": ("bonus", "distribution"),
    "referral": ("bonus", "referral_bonus"),
    "rebate": ("bonus", "rebate"),
    "cashback": ("bonus", "cashback"),
}


def classified(kind: str, legs: Sequence[Leg], tokens: Mapping[TokenId, TokenFacts]) -> tuple[str, str | None]:
    """Type and subtype of an event, by the source's kind and the legs."""
    principal = [leg for leg in legs if leg.role == "principal"]
    fiat = {leg.token: tokens[leg.token].kind == "fiat" for leg in principal}
    if kind in ("deposit", "withdrawal"):
        return kind, f"{'fiat' if all(fiat.values()) else 'onchain'}_{kind}"
    if kind == "trade":
        outs = [fiat[leg.token] for leg in principal if leg.amount < 0]
        ins = [fiat[leg.token] for leg in principal if leg.amount > 0]
        spends, receives = all(outs), all(ins)
        return kind, {(True, True): "trade_fiat", (True, False): "buy", (False, True): "sell"}.get(
            (spends, receives), "trade_crypto"
        )
    return KINDS.get(kind, ("other", None))


def comparable(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines in a form in which the order of legs and counterparties do not matter."""
    texts = []
    for line in lines:
        legs = sorted(json.dumps({**leg, "counterparty": None}, sort_keys=True) for leg in line.get("legs", ()))
        texts.append(json.dumps({**line, "legs": legs}, sort_keys=True))
    return sorted(texts)
