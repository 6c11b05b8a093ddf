// From what was entered to the first balances: the account is made, checked by the venue, and watched until there is something to see.
//
// What was entered is kept in memory only until the venue has accepted it, so that "check again" needs no second typing.

import type { Account, Check, Provider, Step } from "./api.js";
import { Refused } from "./api.js";
import { fault, ofAccount } from "./faults.js";
import type { Flow } from "./flow.js";

type Entered = Record<string, string>;

const PAUSE_MS = 700;

export class Linking {
  readonly #flow: Flow;
  #held: { venue: Provider; credentials: Entered } | null = null;
  #draft: string | null = null;
  #round = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Lets go of what was entered, and of whatever is still being watched. */
  forget(): void {
    this.#held = null;
    this.#round++;
  }

  /** Takes an account back that was never confirmed. */
  async discard(): Promise<void> {
    this.forget();
    const draft = this.#draft;
    this.#draft = null;
    if (draft !== null && this.#flow.facts.mode !== "reconnect") await this.#flow.api.delete(`/v1/accounts/${draft}`).catch(() => undefined);
  }

  /** Who will be asked about public fields, before anybody is. */
  async steps(venue: Provider, entered: Entered): Promise<Step[]> {
    const fields = Object.fromEntries(Object.entries(entered).filter(([name]) => !venue.misc[name]?.secret));
    const { steps } = await this.#flow.api.post<{ steps: Step[] }>("/connect/steps", { provider: venue.name, credentials: fields });
    return steps;
  }

  async connect(venue: Provider, credentials: Entered): Promise<void> {
    this.#held = { venue, credentials };
    this.#flow.host.event("submit", { provider: venue.name });
    this.#flow.count("entered", venue);
    const account = await this.#filed(venue, credentials);
    await this.#watch(account, venue);
  }

  /** Several addresses of one venue: each is an account of its own, and one that fails leaves the others. */
  async connectAll(venue: Provider, all: Entered[]): Promise<void> {
    const [first] = all;
    if (all.length === 1 && first !== undefined) return this.connect(venue, first);
    this.#flow.count("entered", venue);
    const accounts: Account[] = [];
    let last: unknown;
    for (const credentials of all) {
      const wallet = credentials.wallet ?? "";
      try {
        const account = await this.#flow.api.post<Account>("/v1/accounts", this.#body(venue, credentials));
        accounts.push(account);
        this.#flow.made.push({ account: account.id, wallet, network: credentials.network ?? venue.name, message: "" });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        last = error;
        this.#flow.made.push({ account: null, wallet, network: credentials.network ?? venue.name, message: error.message });
      }
    }
    if (accounts.length === 0) {
      this.#flow.made.length = 0;
      throw last;
    }
    await this.#followed(accounts);
  }

  /** The same again: with what was entered, else the server looks anew with what it has. */
  async again(): Promise<void> {
    const held = this.#held;
    if (held !== null) return this.connect(held.venue, held.credentials);
    if (this.#draft === null) return this.#flow.back();
    const account = await this.#flow.api.post<Account>(`/v1/accounts/${this.#draft}/sync`);
    await this.#watch(account, account.provider);
  }

  #body(venue: Provider, credentials: Entered): Record<string, unknown> {
    return { provider: venue.name, credentials, ...(this.#flow.facts.sync_nfts ? {} : { sync_nfts: false }) };
  }

  async #filed(venue: Provider, credentials: Entered): Promise<Account> {
    const known = this.#flow.facts.account?.id ?? this.#draft;
    const account =
      known === null
        ? await this.#flow.api.post<Account>("/v1/accounts", this.#body(venue, credentials))
        : await this.#flow.api.put<Account>(`/v1/accounts/${known}`, { credentials });
    this.#draft = account.id;
    return account;
  }

  /** Shows the checks while the venue is asked, and goes on when the first balances are there. */
  async #watch(account: Account, venue: Provider): Promise<void> {
    const round = ++this.#round;
    this.#flow.go({ at: "checking", venue, checks: [] });
    let seen: Account | null = account;
    let version = account.v;
    for (;;) {
      const { checks } = await this.#flow.api.get<{ checks: Check[] }>(`/connect/checks/${account.id}`);
      if (round !== this.#round) return;
      this.#flow.pane = { at: "checking", venue, checks };
      this.#flow.show();
      if (seen !== null) {
        const failed = seen.status === "syncing" ? null : ofAccount(seen, Date.now());
        if (failed !== null) return this.#flow.refuse(failed, venue);
        if (seen.status === "ok" || seen.status_details?.balances === "ok") return this.#accepted(seen, venue);
      }
      seen = await this.#flow.api.poll(account.id, version);
      if (round !== this.#round) return;
      version = seen?.v ?? version;
    }
  }

  async #accepted(account: Account, venue: Provider): Promise<void> {
    const empty = account.balances.length === 0 && venue.auth_type === "wallet" && account.status === "ok" && venue.sources.length > 0;
    if (empty && this.#flow.pane.at === "checking") return this.#flow.refuse(fault("nothing_found"), venue);
    await this.keep(account);
  }

  /** Takes a watched account as it is. */
  async keep(account?: Account): Promise<void> {
    const id = account?.id ?? this.#draft;
    if (id === null) return;
    const held = this.#held;
    this.#held = null;
    this.#draft = null;
    const found = account ?? (await this.#flow.api.get<Account>(`/v1/accounts/${id}`));
    const wallet = held?.credentials.wallet;
    this.#flow.made.push({ account: id, ...(wallet !== undefined && { wallet, network: held?.credentials.network ?? found.provider.name, message: "" }) });
    this.#flow.count("checked", found.provider);
    await this.#followed([found]);
  }

  /** Shows what was found and how far the history is, for as long as the pane is open. */
  async #followed(accounts: Account[]): Promise<void> {
    const round = ++this.#round;
    this.#flow.go({ at: "values", accounts });
    this.#flow.busy = false;
    void this.#follow(accounts, round).catch(() => undefined);
  }

  async #follow(accounts: Account[], round: number): Promise<void> {
    const latest = [...accounts];
    while (round === this.#round && latest.some((account) => account.status === "syncing")) {
      for (const [at, account] of latest.entries()) {
        if (account.status !== "syncing") continue;
        const found = await this.#flow.api.poll(account.id, account.v);
        if (round !== this.#round || this.#flow.pane.at !== "values") return;
        if (found !== null) latest[at] = found;
      }
      this.#flow.pane = { at: "values", accounts: [...latest] };
      this.#flow.show();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
