// The story of the page: which pane is shown, what leads to the next one, and how it ends.

import type { Messages } from "../shared/messages.js";
import { type Account, Api, type Check, type Preview, type Provider, type Step } from "./api.js";
import { type Fault, fault, ofRequest, typeOf } from "./faults.js";
import type { Facts } from "./facts.js";
import { Host, type Made } from "./host.js";
import { Linking } from "./linking.js";
import type en from "./locales/en.json";
import { Venues } from "./venues.js";

/** What a browser's timer can count. */
const DELAY_MAX_MS = 2 ** 31 - 1;

export type Key = Exclude<keyof typeof en, `@${string}`>;
export type Text = Messages<Key>;

export type Pane =
  | { at: "loading" | "consent" | "search" | "file" | "wallets" }
  | { at: "venue" | "key"; venue: Provider }
  | { at: "address"; venue: Provider; value: string; asked?: { steps: Step[]; entered: Record<string, string>[] } }
  | { at: "preview"; file: File; found: Preview }
  | { at: "checking"; venue: Provider; checks: Check[] }
  | { at: "values"; accounts: Account[] }
  | { at: "fault"; fault: Fault; venue: Provider | null }
  | { at: "ended"; how: "done" | "closed" | "refused"; fault?: Fault };

export class Flow {
  readonly host: Host;
  readonly api: Api;
  readonly venues: Venues;
  readonly linking: Linking;
  readonly made: Made[] = [];
  pane: Pane = { at: "loading" };
  /** What screen readers are told beside the pane itself. */
  said = "";
  busy = false;
  #past: Pane[] = [];
  #show: () => void;

  constructor(
    readonly facts: Facts,
    readonly text: Text,
    show: () => void,
  ) {
    this.#show = show;
    this.host = new Host(facts);
    this.api = new Api(facts.prefix, facts.session);
    this.venues = new Venues(facts, this.api);
    this.linking = new Linking(this);
  }

  /** Whose app asks. */
  get client(): string {
    return this.facts.client.name || this.text.say("client");
  }

  start(): void {
    if (this.facts.mode === "error" || this.facts.error !== null) {
      const { type, message } = this.facts.error ?? { type: "PAGE_NOT_FOUND", message: "" };
      this.host.terminal(type, message);
      const expired = type === "SESSION_EXPIRED" || type === "INVALID_TOKEN";
      return this.go({ at: "ended", how: "refused", fault: fault(expired ? "expired" : "setup", { code: type, told: message }) });
    }
    const left = (this.facts.expires_at ?? 0) - Date.now();
    setTimeout(() => this.expire(), Math.min(Math.max(0, left), DELAY_MAX_MS));
    this.host.event("open");
    this.count("opened");
    this.go({ at: "consent" });
  }

  go(pane: Pane): void {
    if (this.pane.at === "ended") return;
    const passing = new Set(["loading", "checking", "fault"]);
    if (!passing.has(this.pane.at) && this.pane.at !== pane.at) this.#past.push(this.pane);
    this.pane = pane;
    this.busy = false;
    this.said = "";
    this.host.event("view", { name: pane.at });
    this.#show();
  }

  /** Draws the pane again after something in it has changed. */
  show(): void {
    this.#show();
  }

  get canGoBack(): boolean {
    return this.#past.length > 0 && !["values", "checking", "ended"].includes(this.pane.at);
  }

  back(): void {
    const pane = this.#past.pop();
    if (!pane) return;
    this.linking.forget();
    this.pane = pane;
    this.busy = false;
    this.#show();
  }

  /** Runs what a button asks for; meanwhile no other one does anything, and what is refused becomes a pane. */
  async run(act: () => Promise<void>, venue: Provider | null = null): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.#show();
    try {
      await act();
    } catch (error) {
      this.refuse(ofRequest(error, this.facts.mode === "reconnect"), venue);
    } finally {
      this.busy = false;
      this.#show();
    }
  }

  refuse(found: Fault, venue: Provider | null): void {
    if (this.pane.at === "ended") return;
    if (found.kind === "expired") return this.expire();
    const more = { message: found.told, ...(venue && { provider: venue.name }) };
    if (found.kind !== "duplicate") {
      this.host.recoverable(typeOf(found), typeOf(found) === "INVALID_CREDENTIALS" ? { ...more, error: { name: "LoginFailedError" } } : more);
    }
    this.count("refused", venue, found.code);
    this.go({ at: "fault", fault: found, venue });
    if (found.wait > 0) this.#countDown(found);
  }

  #countDown(found: Fault): void {
    const timer = setInterval(() => {
      found.wait -= 1;
      if (found.wait <= 0) clearInterval(timer);
      this.#show();
    }, 1000);
  }

  async begin(): Promise<void> {
    this.count("consented");
    await this.venues.load();
    const account = this.facts.account;
    const wanted = account?.provider ?? this.facts.provider;
    const venue = wanted === null ? undefined : this.venues.named(wanted);
    if (venue === undefined) return this.go({ at: "search" });
    if (account === null) return this.choose(venue);
    this.host.event("reconnect", { account: account.id });
    this.enter(venue);
  }

  choose(venue: Provider, value = ""): void {
    this.host.event("venue_selected", { provider: venue.name });
    this.count("chosen", venue);
    if (value !== "") return this.enter(venue, value);
    this.go({ at: "venue", venue });
  }

  enter(venue: Provider, value = ""): void {
    if (venue.auth_type === "wallet" && venue.credentials.includes("wallet")) return this.go({ at: "address", venue, value });
    this.go({ at: "key", venue });
  }

  /** Counts a step of the funnel: the step and the venue, nothing of the person. */
  count(step: string, venue: Provider | null = null, outcome = ""): void {
    this.api.note({ step, outcome, ...(venue !== null && { provider: venue.name }) });
  }

  expire(): void {
    const message = this.text.say("fault.expired.title");
    if (this.pane.at === "ended") return;
    this.linking.forget();
    this.host.terminal("SESSION_EXPIRED", message);
    this.go({ at: "ended", how: "refused", fault: fault("expired", { code: "SESSION_EXPIRED" }) });
    this.api.end();
  }

  /** The end that was wanted: the host learns which accounts there are now. */
  async finish(): Promise<void> {
    this.linking.forget();
    const accounts = this.made.flatMap(({ account }) => (account === null ? [] : [account]));
    const { redirect_to } = await this.api.post<{ redirect_to: string | null }>(
      "/connect/done",
      accounts.length === 1 ? { account: accounts[0] } : { accounts },
    );
    const [first] = accounts;
    const several = this.facts.multi_wallet && (this.made.length > 1 || this.made[0]?.wallet !== undefined);
    if (several) this.host.success({ message: this.text.say("done.title"), accounts: this.made });
    else if (first !== undefined) this.host.success(first);
    this.go({ at: "ended", how: "done" });
    if (redirect_to !== null) location.assign(redirect_to);
  }

  /** Back to the app, where it was not a frame that opened this page. */
  leave(): void {
    if (this.facts.leave_to !== null) location.assign(this.facts.leave_to);
  }

  /** The person leaves. What is connected stays connected, and the host is told so. */
  async close(): Promise<void> {
    if (this.pane.at === "ended") return;
    if (this.made.length > 0) return this.run(() => this.finish());
    const left = this.pane;
    await this.linking.discard();
    if (left.at === "fault" && left.fault.kind === "duplicate") {
      this.host.terminal("DUPLICATE_CONNECTION", left.fault.told, { existing_institution_id: left.fault.existing });
    } else {
      this.host.event("exit", { view: left.at, ...(left.at === "fault" && { code: left.fault.code }) });
      this.host.close();
    }
    this.count("closed");
    this.go({ at: "ended", how: "closed" });
    this.api.end();
    this.leave();
  }
}
