// The venues of this session: which may be chosen, and what is found by what a person types.

import type { Facts } from "./facts.js";
import type { Api, Match, Provider } from "./api.js";

export const CATEGORIES = ["exchanges", "wallets", "blockchains"] as const;
export type Category = (typeof CATEGORIES)[number];
const SHOWN_MAX = 30;

export class Venues {
  readonly #facts: Facts;
  readonly #api: Api;
  #all: Provider[] = [];

  constructor(facts: Facts, api: Api) {
    this.#facts = facts;
    this.#api = api;
  }

  async load(): Promise<void> {
    if (this.#all.length > 0) return;
    const all = await this.#api.get<Provider[]>("/v1/providers");
    this.#all = all.filter((venue) => venue.status !== "unavailable" && this.#allowed(venue));
  }

  #allowed(venue: Provider): boolean {
    const { categories, providers, disabled_providers: disabled } = this.#facts;
    const names = [venue.name, ...(venue.alternate_names ?? [])];
    if (names.some((name) => disabled.includes(name))) return false;
    if (providers !== null) return names.some((name) => providers.includes(name));
    return categories === null || categories.includes(venue.category);
  }

  get categories(): Category[] {
    return CATEGORIES.filter((category) => this.#all.some((venue) => venue.category === category));
  }

  named(name: string): Provider | undefined {
    return this.#all.find((venue) => venue.name === name || venue.alternate_names?.includes(name));
  }

  /** The best known ones of a category, or of all. */
  known(category: Category | null): Provider[] {
    return this.#all.filter((venue) => category === null || venue.category === category).slice(0, SHOWN_MAX);
  }

  /** Whose name or other name begins with the text, then whose contains it. */
  byName(text: string, category: Category | null): Provider[] {
    const plain = text.toLowerCase().replace(/[\s.]+/g, "");
    const rank = (venue: Provider): number => {
      const names = [venue.display_name, venue.name, ...(venue.alternate_names ?? [])].map((name) => name.toLowerCase().replace(/[\s.]+/g, ""));
      if (names.some((name) => name === plain)) return 0;
      if (names.some((name) => name.startsWith(plain))) return 1;
      return names.some((name) => name.includes(plain)) ? 2 : 3;
    };
    return this.#all
      .filter((venue) => category === null || venue.category === category)
      .map((venue) => [rank(venue), venue] as const)
      .filter(([place]) => place < 3)
      .sort(([one], [other]) => one - other)
      .map(([, venue]) => venue)
      .slice(0, SHOWN_MAX);
  }

  /** What the server makes of the text: tickers, addresses, extended keys and names of wallets. */
  async find(text: string): Promise<{ matches: Match[]; refused: { code: string; message: string } | null }> {
    const found = await this.#api.post<{ matches: Match[]; refused: { code: string; message: string } | null }>("/connect/find", { text });
    return { ...found, matches: found.matches.filter((match) => this.named(match.provider) !== undefined) };
  }
}
