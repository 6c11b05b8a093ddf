"""TON by address: the coin, jettons and NFTs, and history by what messages brought and took."""
