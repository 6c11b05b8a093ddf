"""The configuration: one frozen struct, read from the environment (`OMNIFOLIO_*`) and a TOML file. Nothing else reads either.

Order of precedence: command line, environment, file, default. `OMNIFOLIO_DATABASE` is `database` in the file;
`OMNIFOLIO_BASE_URL__KRAKEN` is `kraken` in the table `[base_urls]`.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from omnifolio.model.errors import InvalidSettings

PREFIX = "OMNIFOLIO_"
LISTS = ("egress_ips", "price_sources")
"""Settings with several values, which are separated by commas in the environment."""
CONFIG_NAME = "omnifolio.toml"
_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~\-]+)*")


def _home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "omnifolio"


def _key_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "omnifolio"


class OAuthClient(Struct, frozen=True, forbid_unknown_fields=True):
    """What a venue gave the operator to ask people for their consent with. Never printed."""

    client_id: str
    client_secret: str = ""

    def __repr__(self) -> str:
        return "OAuthClient(***)"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting there is; each is described in docs/cli.md.

    `database`        `sqlite:///PATH` or `postgresql://user:password@host/name`.
    `key_file`        root key of the vault; outside the database's folder.
    `root_key`        the text of a key file instead of the file, for containers that mount none; prefer the file.
    `key_store`       database of the users' wrapping keys; "" puts it beside the key file.
    `base_urls`       venue or price source id → base URL used in the place of its own.
    `oauth`           venue id → client id and secret with which people are asked for their consent there.
    `sandbox_url`     base URL of a running sandbox whose venues take the place of the real ones; "" for none.
    `egress_ips`      addresses or networks from which this installation asks the venues, for their allow-lists.
    `price_sources`   ids in order of preference; () lets the installation's default decide.
    `evidence`        keep raw answers, or only their hashes.
    `workers`         sync workers in this process; 0 makes it serve only.
    `live_sockets`    private streams that this process listens to at the most; 0 turns listening off.
    `sync_interval_s` time between two syncs of an account that nobody asked for.
    `webhooks_private` lets webhooks lead to plain http, this machine and private networks; off, only to public https.
    `behind_proxy`    a TLS proxy in front terminates HTTPS and sets X-Forwarded-For.
    `public_url`      where browsers reach this server, such as `https://example.org/omnifolio`; "" for where it listens.
    """

    database: str = ""
    key_file: str = ""
    root_key: str = ""
    key_store: str = ""
    host: str = "127.0.0.1"
    port: int = 8400
    tls_cert: str = ""
    tls_key: str = ""
    behind_proxy: bool = False
    public_url: str = ""
    base_urls: dict[str, str] = {}
    oauth: dict[str, OAuthClient] = {}
    sandbox_url: str = ""
    egress_ips: tuple[str, ...] = ()
    price_sources: tuple[str, ...] = ()
    fiat: str = "USD"
    evidence: Literal["keep", "hash"] = "keep"
    workers: int = 8
    live_sockets: int = 500
    sync_interval_s: int = 86_400
    webhooks_private: bool = False
    trade_permission: Literal["warn", "refuse"] = "warn"
    rate_limit_per_minute: int = 600
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __repr__(self) -> str:
        return "Settings(***)"  # a database URL holds a password

    @property
    def database_url(self) -> str:
        """The database, with the default in the user's data folder filled in."""
        return self.database or f"sqlite:///{_home() / 'omnifolio.db'}"

    @property
    def key_path(self) -> Path:
        """The file that holds the vault's root key."""
        return Path(self.key_file) if self.key_file else _key_home() / "root.key"

    @property
    def key_store_path(self) -> Path:
        """The database file of the users' wrapping keys."""
        return Path(self.key_store) if self.key_store else self.key_path.with_suffix(".store")

    def reached_at(self, *, host: str = "", port: int = 0) -> str:
        """Where browsers reach this server, without a closing slash: `public_url`, else where it listens or would listen.

        `host` and `port` are those that it was given in the end, where that is known.
        """
        if self.public_url:
            return self.public_url
        name = host or self.host
        shown = "127.0.0.1" if name in ("0.0.0.0", "::") else f"[{name}]" if ":" in name else name  # noqa: S104 - compared only
        return f"{'https' if self.tls_cert else 'http'}://{shown}:{port or self.port}"


def variables(names: Collection[str]) -> Mapping[str, str]:
    """Those of the named environment variables that are set."""
    return {name: os.environ[name] for name in names if name in os.environ}


def load(
    *,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """The settings of this process. Raises: InvalidSettings naming the setting and what would be right."""
    env = os.environ if environment is None else environment
    found: dict[str, object] = {}
    path = file or (Path(env[PREFIX + "CONFIG"]) if PREFIX + "CONFIG" in env else Path(CONFIG_NAME))
    if path.is_file():
        try:
            found.update(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidSettings(f"{path.name}: not a TOML file ({error})") from error
    elif file or PREFIX + "CONFIG" in env:
        raise InvalidSettings(f"the configuration file {path} does not exist")
    base_urls = dict(found.get("base_urls") or {})  # type: ignore[call-overload]
    clients = {venue: dict(client) for venue, client in dict(found.get("oauth") or {}).items()}  # type: ignore[call-overload]
    known = {field.name for field in msgspec.structs.fields(Settings)}
    for name, value in env.items():
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        key = name.removeprefix(PREFIX).lower()
        if key.startswith("base_url__"):
            base_urls[key.removeprefix("base_url__").replace("__", "-")] = value
        elif key.startswith("oauth__"):
            venue, _, field = key.removeprefix("oauth__").rpartition("__")
            clients.setdefault(venue, {})[field] = value
        elif key in known:
            found[key] = [part.strip() for part in value.split(",") if part.strip()] if key in LISTS else value
    found["base_urls"] = base_urls
    found["oauth"] = clients
    found.update({key: value for key, value in (overrides or {}).items() if value is not None})
    try:
        settings = msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"settings: {error}") from error
    for address in settings.egress_ips:
        _check_address(address)
    _check_public_url(settings.public_url)
    return settings


def _check_public_url(text: str) -> None:
    """Raises: InvalidSettings for what no browser could be sent to."""
    if text and not _PUBLIC_URL.fullmatch(text):
        raise InvalidSettings(
            f"public_url: {text[:60]!r} is not of the form https://host or https://host/path (no query, no closing slash)"
        )


def _check_address(text: str) -> None:
    """Raises: InvalidSettings for what is no address that a venue could be told."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise InvalidSettings(f"egress_ips: {text[:60]} is no IP address and no network such as 203.0.113.0/28") from None
    if not network.prefixlen or network.is_loopback or network.is_link_local or network.is_multicast:
        raise InvalidSettings(f"egress_ips: {text[:60]} is not an address under which venues see this installation")
