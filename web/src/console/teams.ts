// For integrators: each team's keys, where Connect may return to, and which pages may frame it.

import { html, nothing, type TemplateResult } from "lit";
import { copy, entered, line, lines } from "../shared/forms.js";
import { ago, chip, note, refused } from "./parts.js";
import { View } from "./view.js";
import type { Team } from "./wire.js";

const WORDS = { copy: "Copy", copied: " copied" };
const OVERLAP_DAYS = 7;

interface Fresh {
  client_id: string;
  secret: string;
}

const listed = (text: string | undefined): string[] =>
  (text ?? "")
    .split(/\s+/)
    .map((part) => part.trim())
    .filter(Boolean);

export class Teams extends View {
  readonly title = "Keys";
  #teams: Team[] = [];
  #fresh: Fresh | null = null;
  #changing = "";

  async load(): Promise<void> {
    this.#teams = await this.server.ask<Team[]>("GET", "teams");
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = entered(form);
    const body = { name: found["new-name"] ?? "", origins: listed(found["new-origins"]), redirect_uris: listed(found["new-uris"]) };
    const done = await this.act(async () => {
      this.#fresh = await this.server.ask<Fresh>("POST", "teams", body);
      await this.load();
    });
    if (done) form.reset();
  }

  async #change(team: Team, event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const found = entered(event.currentTarget as HTMLFormElement);
    await this.act(async () => {
      await this.server.ask("PATCH", `teams/${team.client_id}`, {
        name: found.name ?? "",
        origins: listed(found.origins),
        redirect_uris: listed(found.uris),
      });
      this.#changing = "";
      await this.load();
    });
  }

  async #rotate(team: Team): Promise<void> {
    await this.act(async () => {
      this.#fresh = await this.server.ask<Fresh>("POST", `teams/${team.client_id}/secrets`, { overlap_days: OVERLAP_DAYS });
      await this.load();
    });
  }

  async #end(text: string, path: string): Promise<void> {
    if (!window.confirm(text)) return;
    await this.act(async () => {
      await this.server.ask("DELETE", path);
      await this.load();
    });
  }

  body(): TemplateResult {
    return html`
      ${refused(this.refusal)}
      ${this.#fresh === null
        ? nothing
        : note(
            "good",
            html`<p>The secret of client <code>${this.#fresh.client_id}</code>, shown this once:</p>
              <p class="row"><code>${this.#fresh.secret}</code>${copy(this.#fresh.secret, WORDS)}</p>`,
          )}
      ${this.#teams.map((team) => this.#card(team))}
      <section class="card stack" aria-labelledby="new-team">
        <h2 id="new-team">New team</h2>
        <p class="quiet">A team is an app that uses this installation for its own users.</p>
        <form class="stack" @submit=${(event: SubmitEvent) => this.#create(event)}>
          ${line({ name: "new-name", label: "Name", required: true })}
          ${lines({ name: "new-origins", label: "Pages that may show Connect", hint: "Exact origins, one on each line: https://app.example" }, { rows: 2 })}
          ${lines({ name: "new-uris", label: "Where Connect may return to", hint: "Exact addresses, one on each line; an app's own scheme is fine." }, { rows: 2 })}
          <p><button class="button main" type="submit">Create team</button></p>
        </form>
      </section>
    `;
  }

  #card(team: Team): TemplateResult {
    const id = `team-${team.client_id}`;
    return html`<section class="card stack" aria-labelledby=${id}>
      <div class="row between">
        <h2 id=${id}><bdi>${team.name}</bdi></h2>
        ${team.is_active ? (team.is_owner ? chip("plain", "Your own") : nothing) : chip("bad", "Deactivated")}
      </div>
      <dl class="facts">
        <dt>Client id</dt>
        <dd class="row"><code>${team.client_id}</code>${copy(team.client_id, WORDS)}</dd>
        <dt>Pages</dt>
        <dd>${several(team.origins)}</dd>
        <dt>Returns</dt>
        <dd>${several(team.redirect_uris)}</dd>
      </dl>
      <ul class="plain stack tight">
        ${team.secrets.filter(isLive).map(
          (secret) =>
            html`<li class="row between">
              <span>Secret ending in <code>${secret.hint}</code>, made ${ago(secret.created_at)}, used ${ago(secret.last_used_at)}${secret.expires_at === null
                  ? nothing
                  : html`, ends ${ago(secret.expires_at)}`}</span>
              <button
                class="button bare"
                type="button"
                aria-label="Revoke the secret ending in ${secret.hint}"
                @click=${() =>
                  this.#end(`Whoever uses the secret ending in ${secret.hint} is refused from now on. Go on?`, `teams/${team.client_id}/secrets/${secret.id}`)}
              >
                Revoke
              </button>
            </li>`,
        )}
      </ul>
      ${team.is_active ? this.#actions(team) : nothing}
      ${this.#changing === team.client_id ? this.#form(team) : nothing}
    </section>`;
  }

  #actions(team: Team): TemplateResult {
    return html`<p class="row">
      <button
        class="button"
        type="button"
        aria-expanded=${this.#changing === team.client_id ? "true" : "false"}
        @click=${() => {
          this.#changing = this.#changing === team.client_id ? "" : team.client_id;
          this.changed();
        }}
      >
        Change
      </button>
      <button class="button" type="button" @click=${() => this.#rotate(team)}>New secret (the old one works ${OVERLAP_DAYS} days more)</button>
      ${team.is_owner
        ? nothing
        : html`<button
            class="button bare"
            type="button"
            @click=${() => this.#end(`Every secret and token of ${team.name} is refused from now on; nothing is deleted. Go on?`, `teams/${team.client_id}`)}
          >
            Deactivate
          </button>`}
    </p>`;
  }

  #form(team: Team): TemplateResult {
    return html`<form class="stack" @submit=${(event: SubmitEvent) => this.#change(team, event)}>
      ${line({ name: "name", label: "Name", required: true }, { value: team.name })}
      ${lines({ name: "origins", label: "Pages that may show Connect" }, { rows: 3, value: team.origins.join("\n") })}
      ${lines({ name: "uris", label: "Where Connect may return to" }, { rows: 3, value: team.redirect_uris.join("\n") })}
      <p><button class="button main" type="submit">Save</button></p>
    </form>`;
  }
}

const isLive = (secret: Team["secrets"][number]): boolean => secret.expires_at === null || secret.expires_at > Date.now();

const several = (items: string[]): TemplateResult =>
  items.length === 0 ? html`<span class="quiet">none</span>` : html`<ul class="plain">${items.map((item) => html`<li><code>${item}</code></li>`)}</ul>`;
