// Wallets of Solana, as the Wallet Standard has them register; a text is signed by `solana:signMessage`.

import { type BrowserWallet, pictured } from "./contract.js";

interface Account {
  address: string;
}
interface Features {
  "standard:connect"?: { connect(): Promise<{ accounts: readonly Account[] }> };
  "solana:signMessage"?: { signMessage(input: { account: Account; message: Uint8Array }): Promise<readonly { signature: Uint8Array }[]> };
}
interface Wallet {
  name: string;
  icon: string;
  chains: readonly string[];
  features: Features;
}

const VENUE = "solana";
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Tells of every wallet that is there, and of those that come later. */
export function listenForSolana(found: (wallet: BrowserWallet) => void): void {
  const api = Object.freeze({
    register: (...wallets: Wallet[]) => {
      for (const wallet of wallets) if (wallet.chains.some((chain) => chain.startsWith("solana:"))) found(walletOf(wallet));
      return () => undefined;
    },
  });
  window.addEventListener("wallet-standard:register-wallet", (event) => (event as CustomEvent<(given: typeof api) => void>).detail(api));
  window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: api }));
}

function walletOf(wallet: Wallet): BrowserWallet {
  let accounts: readonly Account[] = [];
  return {
    name: wallet.name,
    icon: pictured(wallet.icon),
    venue: VENUE,
    async address() {
      accounts = (await wallet.features["standard:connect"]?.connect())?.accounts ?? [];
      if (accounts[0] === undefined) throw new Error("no account");
      return accounts[0].address;
    },
    async sign(address, message) {
      const account = accounts.find((one) => one.address === address);
      const sign = wallet.features["solana:signMessage"];
      if (account === undefined || sign === undefined) throw new Error("this wallet signs no texts");
      const [signed] = await sign.signMessage({ account, message: new TextEncoder().encode(message) });
      return base58(signed?.signature ?? new Uint8Array());
    },
  };
}

function base58(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = (ALPHABET[Number(number % 58n)] ?? "") + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}
