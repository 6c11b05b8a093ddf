"""The reader, the sync and the ledger together: kills between, nothing lost or doubled, and evidence that suffices."""

from collections.abc import AsyncIterator

import pytest
from tests.proof.simulation import Installation, installed, simulated
from tests.stage import loopback
from tests.venues.tron.network import Tron, address

from omnifolio.app.rebuilding import rebuild_all
from omnifolio.model.clock import DAY_MS
from omnifolio.views.reconciliation import reconciled

ME, SHOP, OTHER, DEX = (address(name) for name in ("me", "shop", "other", "dex"))
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
CUTS = (3, 17, 40)
