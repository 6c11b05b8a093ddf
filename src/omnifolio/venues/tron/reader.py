"""The reader of TRON: one address, its coins, stakes and tokens, and its history, from a server with a node's API and an index.

Beside the address there may be a secret `server_key`, TronGrid's, which it alone is told. What is told is solidified, so nothing
is taken back.
"""

from omnifolio.catalog.tron_chains import tron_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.tron.address import parse_address
from omnifolio.venues.tron.balances import balances, decode_balances
from omnifolio.venues.tron.decoding import decode_history
from omnifolio.venues.tron.history import History
from omnifolio.venues.tron.server import PUBLIC_BUDGET
from omnifolio.venues.tron.subject import Subject

READER = AddressReader(
    chain=tron_chain,
    urls=lambda chain: chain.servers,
    subject=lambda chain, wallet: Subject(chain, parse_address(wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).pages(), decode_history
        ),
    },
)
