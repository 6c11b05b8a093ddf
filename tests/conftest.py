"""What every test has: the exact decimal context."""

from omnifolio.model import amounts

amounts.install()
