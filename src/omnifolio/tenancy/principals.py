"""Who asks: the operator of the installation, and what a principal must hold for an action."""

from omnifolio.model.accounts import Principal, Scope
from omnifolio.model.errors import Forbidden, NotFound
from omnifolio.model.ids import TeamId

INSTALLATION = TeamId(0)
"""The team of principals that act on the installation itself; no row of `teams` has this id."""


def operator(actor: str) -> Principal:
    """Whoever runs this installation, at its command line: may manage every team and sees no user's data."""
    return Principal(team=INSTALLATION, user=None, actor=actor, scopes=frozenset({"admin"}))


def require(principal: Principal, scope: Scope) -> None:
    """Raises: Forbidden when the principal lacks the scope."""
    if scope not in principal.scopes:
        raise Forbidden(f"this needs the scope {scope}")


def require_team(principal: Principal, team: TeamId) -> None:
    """Lets an admin manage their own team, and the operator every team. Raises: Forbidden, NotFound for other teams."""
    require(principal, "admin")
    if principal.team not in (team, INSTALLATION):
        raise NotFound("there is no such team")


def require_operator(principal: Principal) -> None:
    """Raises: Forbidden for everybody but the operator."""
    require(principal, "admin")
    if principal.team != INSTALLATION:
        raise Forbidden("only the operator of the installation may do this")
