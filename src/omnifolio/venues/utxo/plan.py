"""What reading a wallet will ask of whom, told before the first question: rough numbers, in words."""

from yarl import URL

from omnifolio.catalog.utxo_chains import Source
from omnifolio.venues.depth import Depth
from omnifolio.venues.sources import Step
from omnifolio.venues.utxo.electrum_history import TRANSACTIONS_PER_PAGE
from omnifolio.venues.utxo.scan import GAP
from omnifolio.venues.utxo.subject import Subject
from omnifolio.venues.utxo.walk import SITES


def steps_of(subject: Subject, source: Source, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading the wallet from that server."""
    host, is_own = URL(source.url).host or source.name, source.is_own
    branches = sum(branch.is_ranged for branch in subject.branches)
    addresses = max(1, GAP * branches)
    site = SITES.get(source.protocol)
    if site is None:
        trips = "2" if not branches else f"2, and 1 for each {GAP} used addresses of a branch; {addresses} addresses at first"
        pages = f"3 for each {TRANSACTIONS_PER_PAGE} transactions"
        found = [("balances", trips), ("history", pages)]
    else:
        each = "3" if not branches else f"2, and 1 for each address; {addresses} at first"
        found = [("balances", each), ("history", f"1 for each {site.page} transactions of an address")]
    return tuple(
        Step(reads=reads, source=host, calls=calls, time="", is_own=is_own)
        for reads, calls in found
        if depth.has_history or reads == "balances"
    )
