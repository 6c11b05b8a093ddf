"""The checks that Connect shows while a venue is asked: read from the account's own state, so never more than is known."""

from typing import Literal

from msgspec import Struct

from omnifolio.app.offer import Offer
from omnifolio.ledger.accounts import Account
from omnifolio.model.errors import (
    AccountLocked,
    BadCredentials,
    ExcessPermission,
    MissingPermission,
    VenueBanned,
    VenueBusy,
    VenueClockSkew,
    VenueUnavailable,
)

Name = Literal["reached", "signature", "read_permission", "no_withdraw", "clock"]
State = Literal["waiting", "ok", "failed", "unknown"]

_UNREACHED = frozenset(kind.code for kind in (VenueUnavailable, VenueBusy, VenueBanned))
_UNSIGNED = frozenset(kind.code for kind in (BadCredentials, AccountLocked))


class Check(Struct, frozen=True, kw_only=True):
    """One line of the list. `fix` says what to do where it failed; None where there is nothing to do."""

    name: Name
    state: State
    text: str
    fix: str | None = None


def checks_of(account: Account, offer: Offer) -> list[Check]:
    """What has been seen so far. An address has nothing that could be signed or permitted, so it is only reached."""
    if not any(field.is_secret and field.is_required for field in offer.fields):
        return [_reached(account, offer)]
    return [
        _reached(account, offer),
        _clock(account, offer),
        _signature(account, offer),
        _reading(account, offer),
        _withdrawing(account, offer),
    ]


def _is_answered(account: Account) -> bool:
    """Whether the venue has answered something that only this account can be told."""
    return account.certificate is not None or account.synced_at is not None or "ok" in account.progress.values()


def _otherwise(account: Account) -> State:
    return "waiting" if account.error_code is None and account.status == "syncing" else "unknown"


def _reached(account: Account, offer: Offer) -> Check:
    venue = offer.display_name
    if account.error_code in _UNREACHED:
        return Check(name="reached", state="failed", text=account.error_text or "", fix=VenueUnavailable.action)
    if _is_answered(account) or account.error_code is not None:
        return Check(name="reached", state="ok", text=f"{venue} answers.")
    return Check(name="reached", state=_otherwise(account), text=f"{venue} is being asked.")


def _clock(account: Account, offer: Offer) -> Check:
    if account.error_code == VenueClockSkew.code:
        return Check(name="clock", state="failed", text=account.error_text or "", fix=VenueClockSkew.action)
    if _is_answered(account):
        return Check(name="clock", state="ok", text=f"{offer.display_name} accepts the time of our requests.")
    return Check(name="clock", state=_otherwise(account), text="Not known yet.")


def _signature(account: Account, offer: Offer) -> Check:
    if account.error_code in _UNSIGNED:
        fix = AccountLocked.action if account.error_code == AccountLocked.code else BadCredentials.action
        return Check(name="signature", state="failed", text=account.error_text or "", fix=fix)
    if _is_answered(account) or account.error_code in (ExcessPermission.code, MissingPermission.code):
        return Check(name="signature", state="ok", text=f"{offer.display_name} knows the key.")
    return Check(name="signature", state=_otherwise(account), text="Not known yet.")


def _reading(account: Account, offer: Offer) -> Check:
    certificate = account.certificate
    if account.error_code == MissingPermission.code or (certificate is not None and certificate.missing):
        text = account.error_text or f"The key lacks: {', '.join(certificate.missing if certificate else ())}."
        return Check(name="read_permission", state="failed", text=text, fix=MissingPermission.action)
    if "ok" in account.progress.values() or account.synced_at is not None:
        return Check(name="read_permission", state="ok", text="The key may read.")
    return Check(name="read_permission", state=_otherwise(account), text="Not known yet.")


def _withdrawing(account: Account, offer: Offer) -> Check:
    certificate = account.certificate
    if account.error_code == ExcessPermission.code or (certificate is not None and certificate.state == "can_withdraw"):
        switches = " ".join(certificate.switches) if certificate is not None else ""
        text = account.error_text or "The key could move your assets."
        return Check(name="no_withdraw", state="failed", text=text, fix=switches or ExcessPermission.action)
    if certificate is None:
        return Check(name="no_withdraw", state=_otherwise(account), text="Not known yet.")
    if certificate.state == "unknown":
        text = f"{offer.display_name} does not say what a key may do; look at its page of keys."
        return Check(name="no_withdraw", state="unknown", text=text)
    return Check(name="no_withdraw", state="ok", text="The key cannot withdraw.")
