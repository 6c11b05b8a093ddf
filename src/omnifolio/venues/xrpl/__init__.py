"""The XRP Ledger by address: XRP, issued currencies, collectibles, escrows and channels, and history by what each transaction changed."""
