// Who can come in, and who is in.

import { html, nothing, type TemplateResult } from "lit";
import { entered, line, secret, wipe } from "../shared/forms.js";
import { WORDS, ago, chip, note, refused } from "./parts.js";
import { canPasskey, make } from "./passkeys.js";
import { View } from "./view.js";
import type { Security as Found } from "./wire.js";

export class Security extends View {
  readonly title = "Security";
  #found: Found = { methods: [], browsers: [] };
  #done = "";

  async load(): Promise<void> {
    this.#found = await this.server.ask<Found>("GET", "security");
  }

  async #after(done: string, work: () => Promise<void>): Promise<void> {
    this.#done = "";
    if (
      await this.act(async () => {
        await work();
        await this.load();
      })
    ) {
      this.#done = done;
      this.changed();
    }
  }

  async #password(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const { password = "" } = entered(form);
    wipe(form);
    await this.#after("Your new password is set.", () => this.server.ask("POST", "security/password", { password }));
  }

  async #passkey(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const { name = "" } = entered(form);
    await this.#after("Your passkey is added.", async () => {
      const answer = await make(await this.server.ask("POST", "security/passkey/question"));
      await this.server.ask("POST", "security/passkey", { name, answer });
      form.reset();
    });
  }

  async #remove(number: number, name: string): Promise<void> {
    if (!window.confirm(`${name} does not sign in any more. Go on?`)) return;
    await this.#after(`${name} is removed.`, () => this.server.ask("DELETE", `security/methods/${number}`));
  }

  async #everywhere(): Promise<void> {
    if (!window.confirm("Every browser is signed out, this one too. Go on?")) return;
    if (await this.act(() => this.server.ask("POST", "security/sign-out"))) this.left();
  }

  body(): TemplateResult {
    const hasPassword = this.#found.methods.some((method) => method.kind === "password");
    return html`${refused(this.refusal)}
      <div role="status">${this.#done ? note("good", this.#done) : nothing}</div>
      <section class="card stack" aria-labelledby="ways">
        <h2 id="ways">Ways to sign in</h2>
        <p class="quiet">A link from <code>omnifolio owner link</code> always works; these are conveniences.</p>
        <ul class="plain stack tight">
          ${this.#found.methods.map(
            (method) =>
              html`<li class="row between">
                <span><bdi>${method.name}</bdi>, since ${ago(method.created_at)}, used ${ago(method.last_used_at)}</span>
                <button class="button bare" type="button" aria-label="Remove ${method.name}" @click=${() => this.#remove(method.id, method.name)}>Remove</button>
              </li>`,
          )}
        </ul>
        <form class="stack" @submit=${(event: SubmitEvent) => this.#password(event)}>
          ${secret({ name: "password", label: hasPassword ? "Another password" : "Password", hint: "At least 12 characters; a few unrelated words are good.", required: true }, WORDS)}
          <p><button class="button" type="submit">Set password</button></p>
        </form>
        ${canPasskey()
          ? html`<form class="stack" @submit=${(event: SubmitEvent) => this.#passkey(event)}>
              ${line({ name: "name", label: "New passkey", hint: "What you will know it by: laptop, phone, security key.", required: true })}
              <p><button class="button" type="submit">Add passkey</button></p>
            </form>`
          : note("plain", "Passkeys need HTTPS, or this machine itself.")}
      </section>
      <section class="card stack" aria-labelledby="browsers">
        <h2 id="browsers">Signed in now</h2>
        <ul class="plain stack tight">
          ${this.#found.browsers.map(
            (browser) =>
              html`<li>
                <bdi>${browser.agent || "a program"}</bdi> ${browser.is_this ? chip("good", "This browser") : nothing}
                <span class="quiet small block">by ${browser.method} ${ago(browser.created_at)}, seen ${ago(browser.seen_at)}</span>
              </li>`,
          )}
        </ul>
        <p><button class="button" type="button" @click=${() => this.#everywhere()}>Sign out everywhere</button></p>
      </section>`;
  }
}
