// Where somebody's assets are: by name, other name or ticker; an address, extended key or name of a wallet jumps ahead.

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { icon } from "../../shared/icons.js";
import type { Match, Provider } from "../api.js";
import type { Flow, Key } from "../flow.js";
import { isPrivate } from "../private.js";
import type { Category } from "../venues.js";
import { heading, name, note, other } from "./frame.js";

const PAUSE_MS = 250;
const VALUES = new Set(["address", "xpub", "ens"]);

/** What is being looked for; it lives as long as the page, so that going back shows it again. */
export class Search {
  text = "";
  category: Category | null = null;
  found: Match[] = [];
  refused: "" | "private" | "told" = "";
  told = "";
  asking = false;
  #timer = 0;

  type(flow: Flow, input: HTMLInputElement): void {
    clearTimeout(this.#timer);
    this.text = input.value;
    this.found = [];
    this.refused = "";
    this.asking = false;
    if (isPrivate(input.value)) return this.#refuse(flow, input, "private");
    if (this.text.trim().length > 1) {
      this.asking = true;
      this.#timer = window.setTimeout(() => void this.#ask(flow, input), PAUSE_MS);
    }
    flow.show();
  }

  async #ask(flow: Flow, input: HTMLInputElement): Promise<void> {
    const text = this.text.trim();
    const answer = await flow.venues.find(text).catch(() => null);
    if (text !== this.text.trim()) return;
    this.asking = false;
    if (answer?.refused) {
      this.told = answer.refused.message;
      const secret = answer.refused.code === "private_key_refused";
      return secret ? this.#refuse(flow, input, "private") : this.#told(flow);
    }
    this.found = answer?.matches ?? [];
    const [only] = this.found;
    if (this.found.length === 1 && only !== undefined && VALUES.has(only.kind)) {
      flow.count("searched");
      const venue = flow.venues.named(only.provider);
      if (venue !== undefined) return flow.choose(venue, only.value);
    }
    flow.show();
  }

  #told(flow: Flow): void {
    this.refused = "told";
    flow.show();
  }

  /** A secret is taken out of the page at once; that it was there is said. */
  #refuse(flow: Flow, input: HTMLInputElement, how: "private"): void {
    input.value = "";
    this.text = "";
    this.refused = how;
    flow.show();
  }
}

export function search(flow: Flow, state: Search): TemplateResult {
  const { say } = flow.text;
  const text = state.text.trim();
  const byValue = state.found.filter((match) => VALUES.has(match.kind));
  const named = text === "" ? flow.venues.known(state.category) : flow.venues.byName(text, state.category);
  const more = state.found
    .filter((match) => !VALUES.has(match.kind))
    .flatMap((match) => flow.venues.named(match.provider) ?? [])
    .filter((venue) => !named.includes(venue) && (state.category === null || venue.category === state.category));
  const venues = byValue.length > 0 ? [] : [...named, ...more];
  const count = venues.length + byValue.length;
  return html`
    ${heading(say("search.title"))}
    <form role="search" @submit=${(event: Event) => event.preventDefault()}>
      <label class="hidden" for="search">${say("search.label")}</label>
      <div class="box">
        <input
          id="search"
          type="search"
          .value=${live(state.text)}
          placeholder=${say("search.placeholder")}
          autocomplete="off"
          autocapitalize="off"
          autocorrect="off"
          spellcheck="false"
          aria-describedby="search-said"
          @input=${(event: Event) => state.type(flow, event.target as HTMLInputElement)}
        />
      </div>
    </form>
    ${flow.venues.categories.length > 1 ? chips(flow, state) : nothing}
    ${state.refused === "private" ? note("bad", "warn", html`<strong>${say("search.private")}</strong><span>${say("search.private.text")}</span>`) : nothing}
    ${state.refused === "told" ? note("warn", "warn", html`<span lang="en">${state.told}</span>`) : nothing}
    <p class="hidden" role="status" id="search-said">${state.asking ? say("search.asking") : text === "" ? "" : say("search.count", { count })}</p>
    ${byValue.length > 0 ? html`<h2>${say("search.lives")}</h2>` : nothing}
    <ul class="plain tiles ${flow.facts.providers_per_line === 1 ? "single" : ""}" aria-label=${say("search.results")}>
      ${byValue.map((match) => tile(flow, match.display_name, say("method.address"), () => pick(flow, match.provider, match.value)))}
      ${venues.map((venue) => tile(flow, venue.display_name, say(methodOf(venue)), () => pick(flow, venue.name, "")))}
    </ul>
    ${count === 0 && !state.asking ? nothingFound(flow, text) : nothing}
    <div class="ways">
      <button class="button" type="button" @click=${() => flow.go({ at: "wallets" })}>${icon("wallet", "")}<span>${say("search.wallet")}</span></button>
      <button class="button" type="button" @click=${() => flow.go({ at: "file" })}>${icon("file", "")}<span>${say("search.file")}</span></button>
    </div>
  `;
}

function pick(flow: Flow, provider: string, value: string): void {
  const venue = flow.venues.named(provider);
  if (venue === undefined) return;
  flow.count("searched");
  flow.choose(venue, value);
}

export function methodOf(venue: Provider): Key {
  if (venue.oauth) return "method.oauth";
  if (venue.auth_type === "wallet") return venue.credentials.includes("wallet") ? "method.address" : "method.manual";
  return venue.auth_type === "password" ? "method.password" : "method.key";
}

const tile = (flow: Flow, label: string, method: string, act: () => void): TemplateResult => html`
  <li>
    <button class="button tile" type="button" aria-disabled=${flow.busy ? "true" : "false"} @click=${act}>
      <span class="letter" aria-hidden="true" translate="no">${[...label][0] ?? ""}</span>
      <span class="stack tight grow">${name(label)}<span class="small quiet">${method}</span></span>
    </button>
  </li>
`;

function chips(flow: Flow, state: Search): TemplateResult {
  const { say } = flow.text;
  const chip = (category: Category | null, key: Key): TemplateResult => html`
    <button
      class="button pill"
      type="button"
      aria-pressed=${state.category === category ? "true" : "false"}
      @click=${() => {
        state.category = category;
        flow.show();
      }}
    >
      ${say(key)}
    </button>
  `;
  return html`
    <div class="row" role="group" aria-label=${say("search.kinds")}>
      ${chip(null, "kind.all")} ${flow.venues.categories.map((category) => chip(category, `kind.${category}`))}
    </div>
  `;
}

function nothingFound(flow: Flow, text: string): TemplateResult {
  const { say } = flow.text;
  if (text === "") return note("plain", "open", say("search.none"));
  const long = text.length > 24 && !/\s/.test(text);
  return note(
    "plain",
    "open",
    html`<strong>${say(long ? "search.unsupported" : "search.empty")}</strong><span>${say(long ? "search.unsupported.text" : "search.empty.text")}</span>
      <span>${other(say("search.use.file"), () => flow.go({ at: "file" }))}</span>`,
  );
}
