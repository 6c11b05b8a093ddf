// Each team's webhooks, what became of their messages, and how far visits of its Connect page came.

import { html, nothing, type TemplateResult } from "lit";
import { copy, entered, line } from "../shared/forms.js";
import { ago, chip, note, refused } from "./parts.js";
import { View } from "./view.js";
import type { Delivery, Reached, Team, Webhook } from "./wire.js";

const WORDS = { copy: "Copy", copied: " copied" };
const STEPS = ["opened", "consented", "searched", "chosen", "entered", "checked", "done"];
const STEP_NAMES: Record<string, string> = { opened: "opened", consented: "agreed", searched: "searched", chosen: "chose a venue", entered: "entered", checked: "checked", done: "linked" };
const STATES = { delivered: "good", waiting: "plain", dead: "bad" } as const;

interface Told {
  team: Team;
  webhooks: Webhook[];
  types: string[];
  visits: Reached[];
}

export class Webhooks extends View {
  readonly title = "Webhooks";
  #told: Told[] = [];
  #fresh: { id: string; secret: string } | null = null;
  #log: { id: string; deliveries: Delivery[] } | null = null;
  #done = "";

  async load(): Promise<void> {
    const teams = (await this.server.ask<Team[]>("GET", "teams")).filter((team) => team.is_active);
    this.#told = await Promise.all(
      teams.map(async (team) => {
        const [found, visits] = await Promise.all([
          this.server.ask<{ webhooks: Webhook[]; types: string[] }>("GET", `teams/${team.client_id}/webhooks`),
          this.server.ask<Reached[]>("GET", `teams/${team.client_id}/visits`),
        ]);
        return { team, visits, ...found };
      }),
    );
  }

  async #then(done: string, work: () => Promise<void>): Promise<void> {
    this.#done = "";
    const went = await this.act(async () => {
      await work();
      await this.load();
    });
    if (went) {
      this.#done = done;
      this.changed();
    }
  }

  async #add(team: Team, event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const chosen = new FormData(form);
    const body = { url: entered(form)[`url-${team.client_id}`] ?? "", format: chosen.get("format"), types: chosen.getAll("type") };
    await this.#then("The webhook is added.", async () => {
      this.#fresh = await this.server.ask("POST", `teams/${team.client_id}/webhooks`, body);
      form.reset();
    });
  }

  async #open(path: string, id: string): Promise<void> {
    if (this.#log?.id === id) {
      this.#log = null;
      return this.changed();
    }
    await this.act(async () => {
      this.#log = { id, deliveries: await this.server.ask<Delivery[]>("GET", `${path}/deliveries`) };
    });
  }

  body(): TemplateResult {
    return html`${refused(this.refusal)}
      <div role="status">${this.#done ? note("good", this.#done) : nothing}</div>
      ${this.#fresh === null
        ? nothing
        : note(
            "good",
            html`<p>The signing secret of webhook <code>${this.#fresh.id}</code>; your receiver checks messages with it:</p>
              <p class="row"><code>${this.#fresh.secret}</code>${copy(this.#fresh.secret, WORDS)}</p>`,
          )}
      ${this.#told.map((told) => this.#team(told))}`;
  }

  #team(told: Told): TemplateResult {
    const id = `hooks-${told.team.client_id}`;
    return html`<section class="card stack" aria-labelledby=${id}>
      <h2 id=${id}><bdi>${told.team.name}</bdi></h2>
      ${funnel(told.visits)}
      ${told.webhooks.length === 0 ? html`<p class="quiet">No webhook yet: nobody is told when accounts are linked or read.</p>` : nothing}
      ${told.webhooks.map((webhook) => this.#webhook(told.team, webhook))}
      <details>
        <summary>Add a webhook</summary>
        <form class="stack" @submit=${(event: SubmitEvent) => this.#add(told.team, event)}>
          ${line({ name: `url-${told.team.client_id}`, label: "Address of your receiver", hint: "HTTPS, on the public internet", required: true }, { type: "url" })}
          <fieldset class="stack tight">
            <legend>Form of the messages</legend>
            <label><input type="radio" name="format" value="omnifolio" checked /> Omnifolio: every kind of event, by Standard Webhooks</label>
            <label><input type="radio" name="format" value="vezgo" /> Vezgo: its two messages, byte for byte, signed besides</label>
          </fieldset>
          <fieldset class="stack tight">
            <legend>Only these events (none ticked: all of them)</legend>
            ${told.types.map((type) => html`<label><input type="checkbox" name="type" value=${type} /> <code>${type}</code></label>`)}
          </fieldset>
          <p><button class="button main" type="submit">Add webhook</button></p>
        </form>
      </details>
    </section>`;
  }

  #webhook(team: Team, webhook: Webhook): TemplateResult {
    const path = `teams/${team.client_id}/webhooks/${webhook.id}`;
    const dead = webhook.counts.dead ?? 0;
    const button = (text: string, act: () => void) => html`<button class="button" type="button" aria-label="${text}: ${webhook.url}" @click=${act}>${text}</button>`;
    const ask = (method: string, end: string, done: string) => this.#then(done, () => this.server.ask(method, `${path}${end}`));
    return html`<div class="stack tight hook">
      <p class="row between">
        <code>${webhook.url}</code>
        ${webhook.is_active ? chip("good", "On") : chip("bad", webhook.off_reason === "gone" ? "Off: the receiver said that it is gone" : "Off")}
      </p>
      <p class="quiet small">
        ${webhook.format === "vezgo" ? "Vezgo's messages" : webhook.types.length === 0 ? "All events" : webhook.types.join(", ")}; ${webhook.counts.delivered ?? 0} delivered,
        ${webhook.counts.waiting ?? 0} waiting, ${dead} given up
      </p>
      <p class="row">
        ${button("Send a test", () => ask("POST", "/test", "A test message is on its way."))}
        ${button(this.#log?.id === webhook.id ? "Hide messages" : "Show messages", () => this.#open(path, webhook.id))}
        ${dead > 0 ? button(`Send the ${dead} again`, () => ask("POST", "/replay", "They are on their way again.")) : nothing}
        ${button("New secret", () =>
          this.#then("For a day, messages are signed with both secrets.", async () => {
            this.#fresh = await this.server.ask("POST", `${path}/secret`);
          }),
        )}
        ${button(webhook.is_active ? "Switch off" : "Switch on", () =>
          this.#then(webhook.is_active ? "It is off." : "It is on.", () => this.server.ask("PATCH", path, { is_active: !webhook.is_active })),
        )}
        ${button("Remove", () => {
          if (window.confirm("The webhook and its log are removed. Go on?")) void ask("DELETE", "", "It is removed.");
        })}
      </p>
      ${this.#log?.id === webhook.id ? log(this.#log.deliveries) : nothing}
    </div>`;
  }
}

const log = (deliveries: Delivery[]): TemplateResult =>
  deliveries.length === 0
    ? html`<p class="quiet">Nothing was sent yet.</p>`
    : html`<div class="wide" tabindex="0" role="group" aria-label="Table of messages">
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Event</th>
              <th scope="col">State</th>
              <th scope="col" class="number">Tries</th>
              <th scope="col">Message</th>
            </tr>
          </thead>
          <tbody>
            ${deliveries.map(
              (one) =>
                html`<tr>
                  <td>${ago(one.at)}</td>
                  <td><code>${one.type}</code></td>
                  <td>${chip(STATES[one.state], one.state === "dead" ? "given up" : one.state)}</td>
                  <td class="number">${one.tries}</td>
                  <td><code>${one.message}</code></td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;

/** "Connect in the last 30 days: 12 opened, 9 agreed, 7 linked". */
function funnel(visits: Reached[]): TemplateResult {
  const counts = new Map<string, number>();
  for (const one of visits) counts.set(one.step, (counts.get(one.step) ?? 0) + one.visits);
  const told = STEPS.filter((step) => counts.has(step)).map((step) => `${counts.get(step)} ${STEP_NAMES[step]}`);
  return html`<p>Connect in the last 30 days: ${told.length === 0 ? "nobody opened it" : told.join(", ")}.</p>`;
}
