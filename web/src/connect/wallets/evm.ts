// Wallets of EVM chains, as they announce themselves (EIP-6963); a text is signed by `personal_sign` (EIP-191, as EIP-4361 wants).

import { type BrowserWallet, pictured } from "./contract.js";

interface Provider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}
interface Announcement {
  info: { uuid: string; name: string; icon: string };
  provider: Provider;
}

const VENUE = "ethereum";

/** Tells of every wallet that is there, and of those that come later. */
export function listenForEvm(found: (wallet: BrowserWallet) => void): void {
  const seen = new Set<string>();
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (event as CustomEvent<Announcement>).detail;
    if (seen.has(info.uuid)) return;
    seen.add(info.uuid);
    found(walletOf(info.name, info.icon, provider));
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
}

function walletOf(name: string, icon: string, provider: Provider): BrowserWallet {
  return {
    name,
    icon: pictured(icon),
    venue: VENUE,
    async address() {
      const accounts = (await provider.request({ method: "eth_requestAccounts" })) as string[];
      if (accounts[0] === undefined) throw new Error("no account");
      return accounts[0];
    },
    async sign(address, message) {
      const bytes = new TextEncoder().encode(message);
      const hex = `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
      return (await provider.request({ method: "personal_sign", params: [hex, address] })) as string;
    },
  };
}
