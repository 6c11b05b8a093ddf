"""The reader of Cosmos chains: one address, its coins, stakes and rewards, and its history, from any node's REST server."""

from omnifolio.catalog.cosmos_chains import cosmos_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.cosmos.address import parse_address
from omnifolio.venues.cosmos.balances import balances, decode_balances
from omnifolio.venues.cosmos.history import History, decode_history
from omnifolio.venues.cosmos.movements import Subject
from omnifolio.venues.cosmos.rest import PUBLIC_BUDGET

READER = AddressReader(
    chain=cosmos_chain,
    urls=lambda chain: chain.urls,
    subject=lambda chain, wallet: Subject(chain, parse_address(chain, wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).pages(), decode_history
        ),
    },
)
