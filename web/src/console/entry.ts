// The way in: a link, the password or a passkey.

import { html, nothing, type TemplateResult } from "lit";
import { entered, secret, wipe } from "../shared/forms.js";
import { icon } from "../shared/icons.js";
import { WORDS, note, refused } from "./parts.js";
import { canPasskey, prove } from "./passkeys.js";
import { View } from "./view.js";
import type { Door } from "./wire.js";

export class Entry extends View {
  readonly title = "Sign in";
  door: Door = { signed_in: false, has_password: false, has_passkey: false };
  /** Called once somebody is in. */
  in: () => void = () => undefined;

  async load(): Promise<void> {
    this.door = await this.server.ask<Door>("GET", "door");
  }

  /** Uses a link's secret. */
  async byLink(token: string): Promise<void> {
    if (await this.act(() => this.server.ask("POST", "enter", { token }))) this.in();
  }

  async #byPassword(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const { password = "" } = entered(form);
    wipe(form);
    if (await this.act(() => this.server.ask("POST", "password", { password }))) this.in();
  }

  async #byPasskey(): Promise<void> {
    const done = await this.act(async () => {
      const answer = await prove(await this.server.ask("POST", "passkey/question"));
      await this.server.ask("POST", "passkey", { answer });
    });
    if (done) this.in();
  }

  body(): TemplateResult {
    return html`<div class="card narrow stack">
      <h1 tabindex="-1">Sign in to your console</h1>
      ${refused(this.refusal)}
      ${this.door.has_passkey && canPasskey()
        ? html`<button class="button main" type="button" @click=${() => this.#byPasskey()}>Use a passkey</button>`
        : nothing}
      ${this.door.has_password
        ? html`<form class="stack" @submit=${(event: SubmitEvent) => this.#byPassword(event)}>
            ${secret({ name: "password", label: "Password", required: true }, WORDS)}
            <button class="button main" type="submit">${this.busy ? icon("wait", "wait") : nothing}Sign in</button>
          </form>`
        : nothing}
      ${note("plain", html`<p>On the machine that runs Omnifolio, this prints a link that signs you in once:</p><p><code>omnifolio owner link</code></p>`)}
    </div>`;
  }
}
