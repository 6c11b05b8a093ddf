// The last requests to the API of the process that serves this page.

import { html, type TemplateResult } from "lit";
import { ago, refused } from "./parts.js";
import { View } from "./view.js";
import type { Noted } from "./wire.js";

const SHOWN = 200;

export class Requests extends View {
  readonly title = "Requests";
  #noted: Noted[] = [];

  async load(): Promise<void> {
    this.#noted = (await this.server.ask<{ requests: Noted[] }>("GET", "requests")).requests;
  }

  body(): TemplateResult {
    return html`${refused(this.refusal)}
      <section class="card stack" aria-labelledby="requests">
        <div class="row between">
          <h2 id="requests">Last requests to the API</h2>
          <button class="button" type="button" @click=${() => this.act(() => this.load())}>Look again</button>
        </div>
        <p class="quiet">Since this server started, at most 1,000; nothing that a request carried is kept.</p>
        <div class="wide" tabindex="0" role="group" aria-label="Table of requests">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Asked</th>
                <th scope="col" class="number">Status</th>
                <th scope="col" class="number">Time</th>
                <th scope="col">Client</th>
                <th scope="col">Request id</th>
              </tr>
            </thead>
            <tbody>
              ${this.#noted.slice(0, SHOWN).map(
                (one) =>
                  html`<tr>
                    <td>${ago(one.at)}</td>
                    <td><code>${one.method} ${one.route}</code></td>
                    <td class="number ${one.status >= 400 ? "bad" : ""}">${one.status}</td>
                    <td class="number">${one.took_ms} ms</td>
                    <td>${one.team === null ? html`<span class="quiet">nobody</span>` : html`<code>${one.team}</code>`}</td>
                    <td><code>${one.request_id}</code></td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </section>`;
  }
}
