// What the page that opened this one is told, in the messages that Vezgo's SDKs know. Nothing is sent without an exact origin.

import type { Facts } from "./facts.js";

export interface Made {
  account: string | null;
  wallet?: string;
  network?: string;
  message?: string;
}

export class Host {
  readonly #origin: string | null;
  readonly #window: Window | null;
  #over = false;

  constructor(facts: Facts) {
    this.#origin = facts.opener;
    const above = window.opener ?? (window.parent === window ? null : window.parent);
    this.#window = above as Window | null;
  }

  get listens(): boolean {
    return this.#origin !== null && this.#window !== null;
  }

  /** A step that ends nothing. */
  event(name: string, data: Record<string, unknown> = {}): void {
    this.#post({ event: name, data });
  }

  /** A failure that the person can still mend. */
  recoverable(type: string, more: Record<string, unknown> = {}): void {
    this.event("ERROR", { type, ...more });
  }

  /** A failure that ends the page: newer SDKs close on the first message, older ones on the second. */
  terminal(type: string, message: string, more: Record<string, unknown> = {}): void {
    this.event("ERROR", { type, message, ...more });
    this.#last({ event: "error", error: { error_type: type, message, ...more } });
  }

  success(account: string | { message: string; accounts: Made[] }): void {
    this.#last({ event: "success", account });
  }

  close(): void {
    this.#last({ event: "close" });
  }

  #last(message: Record<string, unknown>): void {
    this.#post(message);
    this.#over = true;
  }

  #post(message: Record<string, unknown>): void {
    if (this.#origin === null || this.#over) return;
    this.#window?.postMessage({ vezgo: true, ...message }, this.#origin);
  }
}
