"""The wallet of the made-up chain: the account at m/84h/2h/0h of BIP-39's public phrase of "abandon" and "about"."""

XPUB = "tpubDD6tzfiuXtx7NhZhePvkuR4N7CPhhG1gUBd4SpDn75VTY6B1U5oBbh4ZWUkg8XkKTqLriV7HGYMpRv4txbnnEiZjKrZay7oYFyfPwjLjJVi"
WALLET = f"wpkh({XPUB}/<0;1>/*)"
