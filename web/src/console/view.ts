// A view of the console: what it shows, what it knows, and how it says that something changed.

import type { TemplateResult } from "lit";
import { asRefusal } from "./parts.js";
import type { Refusal, Server } from "./server.js";

export abstract class View {
  refusal: Refusal | null = null;
  busy = false;

  constructor(
    readonly server: Server,
    readonly changed: () => void,
    /** Called when the server says that nobody is signed in any more. */
    readonly left: () => void,
  ) {}

  abstract readonly title: string;
  abstract load(): Promise<void>;
  abstract body(): TemplateResult;

  /** Does something and shows what came of it, a refusal too. */
  async act(work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.refusal = null;
    this.changed();
    try {
      await work();
      return true;
    } catch (thrown) {
      this.refusal = asRefusal(thrown);
      if (this.refusal.code === "not_signed_in") this.left();
      return false;
    } finally {
      this.busy = false;
      this.changed();
    }
  }
}
