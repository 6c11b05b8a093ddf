"""The XRP Ledger by address: what an account holds, locks and owes, and history by what each transaction changed."""
