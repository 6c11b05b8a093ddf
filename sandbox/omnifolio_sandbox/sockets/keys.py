"""Keys for the venues that the sandbox only speaks over sockets: made on demand and remembered, worthless like all others."""

from omnifolio_sandbox import credentials
from omnifolio_sandbox.world.dice import digest, letters

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
VENUES = ("okx", "bybit", "kucoin")


class Keys:
    """Whose each key is."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}

    def make(self, venue: str, user: str) -> dict[str, str]:
        """A user's credentials under the names that people enter. Raises: ValueError."""
        raw = digest("streamed", venue, user).hex()
        match venue:
            case "okx":
                key = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:32]}"
                made = {"key": key, "secret": raw[32:64].upper(), "passphrase": f"Pass {raw[:6]}!"}
            case "bybit":
                made = {"key": letters(ALPHABET, 18, venue, user), "secret": letters(ALPHABET, 36, "secret", venue, user)}
            case "kucoin":
                made = {"key": raw[:24], "secret": f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}", "passphrase": f"pass{raw[:6]}"}
            case _:
                raise ValueError(f"keys are made for {', '.join(VENUES)}, not for {venue!r}")
        self._found[venue, made["key"]] = (user, made)
        return made

    def of(self, venue: str, key: str) -> tuple[str, dict[str, str]] | None:
        """Whose a key is and what belongs to it; None for one that was never made, here or as the interfaces' own keys are."""
        return self._found.get((venue, key)) or _of_interface(venue, key)


def _of_interface(venue: str, key: str) -> tuple[str, dict[str, str]] | None:
    """The keys of the venues whose interfaces are spoken too: they name their user."""
    holder = credentials.okx_holder(key) if venue == "okx" else credentials.bybit_holder(key) if venue == "bybit" else None
    if holder is None:
        return None
    if venue == "bybit":
        made = dict(zip(("key", "secret"), credentials.bybit(holder.user, holder.permission), strict=True))
    else:
        made = dict(zip(("key", "secret", "passphrase"), credentials.okx(holder.user, holder.permission), strict=True))
    return holder.user, made
