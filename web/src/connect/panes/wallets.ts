// Wallets in this browser: one says its address and may prove that it is its owner's, by signing a text that costs and moves nothing.

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../../shared/icons.js";
import { Refused } from "../api.js";
import { fault } from "../faults.js";
import type { Flow } from "../flow.js";
import type { BrowserWallet } from "../wallets/contract.js";
import { listenForEvm } from "../wallets/evm.js";
import { listenForSolana } from "../wallets/solana.js";
import { heading, name, note, other } from "./frame.js";

/** The wallets that have announced themselves so far. */
export class Wallets {
  readonly found: BrowserWallet[] = [];
  #listens = false;

  listen(flow: Flow): void {
    if (this.#listens) return;
    this.#listens = true;
    const add = (wallet: BrowserWallet): void => {
      this.found.push(wallet);
      queueMicrotask(() => flow.show());
    };
    listenForEvm(add);
    listenForSolana(add);
  }
}

export function wallets(flow: Flow, known: Wallets): TemplateResult {
  const { say } = flow.text;
  known.listen(flow);
  return html`
    ${heading(say("wallets.title"))}
    <p>${say("wallets.text")}</p>
    <div aria-live="polite" class="stack">
      ${known.found.length === 0 ? note("plain", "open", say("wallets.none")) : nothing}
      <ul class="plain stack tight">
        ${known.found.map((wallet) => html`
          <li>
            <button class="button tile" type="button" aria-disabled=${flow.busy ? "true" : "false"} @click=${() => void flow.run(() => open(flow, wallet))}>
              ${wallet.icon ? html`<img src=${wallet.icon} alt="" width="32" height="32" />` : icon("wallet", "")}${name(wallet.name)}
            </button>
          </li>
        `)}
      </ul>
    </div>
    ${other(say("wallets.paste"), () => flow.go({ at: "search" }))}
    <p class="small quiet mark">${icon("lock", "")}<span>${say("address.readonly")}</span></p>
  `;
}

async function open(flow: Flow, wallet: BrowserWallet): Promise<void> {
  const venue = flow.venues.named(wallet.venue);
  if (venue === undefined) return flow.refuse(fault("unsupported_chain", { code: "unsupported_chain" }), null);
  let address: string;
  try {
    address = await wallet.address();
  } catch {
    flow.said = flow.text.say("wallets.refused", { wallet: wallet.name });
    return;
  }
  flow.said = (await isProved(flow, wallet, address)) ? flow.text.say("wallets.proved") : "";
  const steps = await flow.linking.steps(venue, { wallet: address });
  flow.count("chosen", venue);
  flow.go({ at: "address", venue, value: address, asked: { steps, entered: [{ wallet: address }] } });
}

/** The proof is optional: an address is connected without it where the server takes none, or the person signs nothing. */
async function isProved(flow: Flow, wallet: BrowserWallet, address: string): Promise<boolean> {
  let message: string;
  try {
    ({ message } = await flow.api.post<{ message: string }>("/connect/proof/begin", { provider: wallet.venue, address }));
  } catch (error) {
    if (error instanceof Refused && (error.status === 404 || error.status === 405)) return false;
    throw error;
  }
  const signature = await wallet.sign(address, message).catch(() => null);
  if (signature === null) return false;
  const { proved } = await flow.api.post<{ proved: boolean }>("/connect/proof/finish", { address, message, signature });
  return proved;
}
