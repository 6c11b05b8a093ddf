"""The reader of Substrate's chains: one account's balances from any node's JSON-RPC. A node tells no history by address."""

from omnifolio.catalog.substrate_chains import substrate_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.substrate.address import account_of
from omnifolio.venues.substrate.held import Subject, balances, decode_balances
from omnifolio.venues.substrate.node import PUBLIC_BUDGET

READER = AddressReader(
    chain=substrate_chain,
    urls=lambda chain: chain.nodes,
    subject=lambda chain, wallet: Subject(chain, account_of(chain, wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
    },
)
