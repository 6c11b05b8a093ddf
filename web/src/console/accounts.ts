// The first page: what is owned in all, each account with its freshness, permission and coverage, and what needs doing.

import { html, nothing, type TemplateResult } from "lit";
import { day, money, quantity } from "../shared/amounts.js";
import { icon } from "../shared/icons.js";
import { LANGUAGE, ago, chip, note, refused, sentence } from "./parts.js";
import { View } from "./view.js";
import type { Account, Portfolio } from "./wire.js";

const ASSETS_SHOWN = 12;
const EVERY_MS = 5_000;

interface Task {
  tone: "bad" | "warn";
  account: Account;
  text: string;
  action: string;
}

const named = (account: Account): string => account.name ?? account.provider.display_name;

/** What the owner should do about an account, the worst first. */
function tasks(account: Account): Task[] {
  const found: Task[] = [];
  const add = (tone: Task["tone"], text: string, action: string) => found.push({ tone, account, text, action });
  if (account.permission?.state === "can_withdraw") {
    add("bad", "This key can withdraw money.", `Turn off ${account.permission.switches.join(" and ")} at ${account.provider.display_name}.`);
  } else if (account.permission?.state === "can_trade") {
    add("warn", "This key can trade.", `Turn off ${account.permission.switches.join(" and ")} at ${account.provider.display_name}.`);
  }
  if (account.status === "error" && account.error) add("bad", account.error.message, account.error.action);
  if (account.status === "retry" && account.error) add("warn", account.error.message, "Nothing to do: it is tried again by itself.");
  if (account.status !== "error") for (const warning of account.warnings) add("warn", warning.text, "Sync this account before then.");
  return found;
}

export class Accounts extends View {
  readonly title = "Accounts";
  #accounts: Account[] = [];
  #portfolio: Portfolio | null = null;
  #all = false;

  async load(): Promise<void> {
    [this.#accounts, this.#portfolio] = await Promise.all([
      this.server.api<Account[]>("GET", "accounts"),
      this.server.api<Portfolio>("GET", "portfolio"),
    ]);
    if (this.#accounts.some((account) => account.status === "syncing")) {
      setTimeout(() => void this.load().then(this.changed, () => undefined), EVERY_MS);
    }
  }

  async #sync(account: Account): Promise<void> {
    await this.act(async () => {
      await this.server.api("POST", `accounts/${account.id}/sync`);
      await this.load();
    });
  }

  body(): TemplateResult {
    if (this.#portfolio === null) return html`${refused(this.refusal)}`;
    if (this.#accounts.length === 0) return html`${refused(this.refusal)}${this.#empty()}`;
    const todo = this.#accounts.flatMap(tasks).sort((a, b) => Number(b.tone === "bad") - Number(a.tone === "bad"));
    return html`
      ${refused(this.refusal)} ${this.#total(this.#portfolio)}
      ${todo.length === 0
        ? nothing
        : html`<section class="card stack" aria-labelledby="todo">
            <h2 id="todo">What needs doing</h2>
            <ul class="plain stack">
              ${todo.map(
                (task) =>
                  html`<li>
                    ${note(task.tone, html`<p><strong><bdi>${named(task.account)}</bdi></strong>: ${sentence(task.text)}</p><p>${sentence(task.action)}</p>`)}
                  </li>`,
              )}
            </ul>
          </section>`}
      ${this.#table()} ${this.#assets(this.#portfolio)}
    `;
  }

  /** Opens Connect beside this page. The window is opened at once, as browsers want it, and then led there. */
  async #connect(account: Account | null): Promise<void> {
    const opened = window.open("about:blank", "_blank");
    if (opened) opened.opener = null;
    const went = await this.act(async () => {
      const { url } = await this.server.ask<{ url: string }>("POST", "link", { account: account?.id ?? null });
      if (opened) opened.location.replace(new URL(url, location.href));
      else location.assign(url);
    });
    if (!went) opened?.close();
  }

  #empty(): TemplateResult {
    return html`<section class="card stack">
      <h2>No account yet</h2>
      <p>Link an exchange, a wallet, an address or a file. Whatever it is, Omnifolio only reads it.</p>
      <p><button class="button main" type="button" @click=${() => this.#connect(null)}>Connect an account</button></p>
    </section>`;
  }

  #total(portfolio: Portfolio): TemplateResult {
    const lacking = [...portfolio.missing, ...portfolio.stale];
    return html`<section class="card stack" aria-labelledby="total">
      <h2 id="total">Everything together</h2>
      <p class="sum">${portfolio.fiat_value === null ? "unknown" : money(portfolio.fiat_value, portfolio.fiat_ticker, LANGUAGE)}</p>
      ${portfolio.complete && !portfolio.is_partial
        ? html`<p>${chip("good", "Complete: every account was read and every asset has a price")}</p>`
        : html`<details>
            <summary>This is not all: ${[
              portfolio.unread.length ? `${portfolio.unread.length} ${portfolio.unread.length === 1 ? "account was" : "accounts were"} not read whole` : "",
              lacking.length ? `${lacking.length} ${lacking.length === 1 ? "asset has" : "assets have"} no fresh price` : "",
            ]
              .filter(Boolean)
              .join(", ")}</summary>
            <ul class="stack tight">
              ${portfolio.unread.map((one) => html`<li><bdi>${one.name ?? one.provider}</bdi>: ${sentence(one.reason)}</li>`)}
              ${lacking.map((one) => html`<li><bdi>${one.ticker}</bdi>: ${sentence(one.reason)}</li>`)}
            </ul>
          </details>`}
    </section>`;
  }

  #table(): TemplateResult {
    return html`<section class="card stack" aria-labelledby="accounts">
      <div class="row between">
        <h2 id="accounts">Accounts</h2>
        <button class="button main" type="button" @click=${() => this.#connect(null)}>Connect another</button>
      </div>
      <div class="wide" tabindex="0" role="group" aria-label="Table of accounts">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col" class="number">Value</th>
              <th scope="col">State</th>
              <th scope="col">Key</th>
              <th scope="col">History</th>
              <th scope="col"><span class="hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            ${this.#accounts.map((account) => this.#row(account))}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  #row(account: Account): TemplateResult {
    const isKnown = account.fiat_value !== null && account.synced_at !== null;
    const priced = isKnown ? money(account.fiat_value as string, account.fiat_ticker, LANGUAGE) : html`<span class="quiet">unknown</span>`;
    return html`<tr>
      <th scope="row">
        <bdi>${named(account)}</bdi>
        ${account.name === null ? nothing : html`<span class="quiet small block">${account.provider.display_name}</span>`}
      </th>
      <td class="number">${priced}${account.complete ? nothing : html`<span class="quiet small block">without ${account.missing.length} unpriced</span>`}</td>
      <td>${state(account)}<span class="quiet small block">read ${ago(account.synced_at)}</span></td>
      <td>${permission(account)}</td>
      <td>${history(account)}</td>
      <td>
        ${account.status === "error"
          ? html`<button class="button bare" type="button" aria-label="Reconnect ${named(account)}" @click=${() => this.#connect(account)}>Reconnect</button>`
          : nothing}
        <button
          class="button bare"
          type="button"
          aria-label="Sync ${named(account)} now"
          aria-disabled=${account.status === "syncing" || this.busy ? "true" : "false"}
          @click=${() => (account.status === "syncing" ? undefined : this.#sync(account))}
        >
          Sync
        </button>
      </td>
    </tr>`;
  }

  #assets(portfolio: Portfolio): TemplateResult {
    const shown = this.#all ? portfolio.assets : portfolio.assets.slice(0, ASSETS_SHOWN);
    return html`<section class="card stack" aria-labelledby="assets">
      <h2 id="assets">Assets</h2>
      <div class="wide" tabindex="0" role="group" aria-label="Table of assets">
        <table>
          <thead>
            <tr><th scope="col">Asset</th><th scope="col" class="number">Amount</th><th scope="col" class="number">Value</th></tr>
          </thead>
          <tbody>
            ${shown.map(
              (asset) =>
                html`<tr>
                  <th scope="row"><bdi>${asset.ticker}</bdi><span class="quiet small block"><bdi>${asset.name}</bdi></span></th>
                  <td class="number">${quantity(asset.amount, LANGUAGE)}</td>
                  <td class="number">${asset.fiat_value === null ? html`<span class="quiet">no price</span>` : money(asset.fiat_value, asset.fiat_ticker, LANGUAGE)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${shown.length < portfolio.assets.length
        ? html`<p>
            <button
              class="button"
              type="button"
              @click=${() => {
                this.#all = true;
                this.changed();
              }}
            >
              Show all ${portfolio.assets.length}
            </button>
          </p>`
        : nothing}
    </section>`;
  }
}

function state(account: Account): TemplateResult {
  if (account.status === "syncing") return html`<span class="state plain">${icon("wait", "wait")}Being read</span>`;
  if (account.status === "error") return chip("bad", "Needs you");
  if (account.status === "retry") return chip("warn", "Tried again soon");
  return chip("good", "Up to date");
}

function permission(account: Account): TemplateResult {
  const known = account.permission;
  if (known === null) return html`<span class="quiet">${account.key_hint ? "not checked yet" : "no key"}</span>`;
  if (known.state === "read_only") return chip("good", "Can only read");
  if (known.state === "can_trade") return chip("warn", "Can trade");
  if (known.state === "can_withdraw") return chip("bad", "Can withdraw");
  return chip("plain", "Not told by the venue");
}

function history(account: Account): TemplateResult {
  const from = account.coverage.complete_from;
  const gaps = account.gaps.map((gap) => gap.text);
  const since = from === null ? "not read yet" : from <= 0 ? "complete from its beginning" : `complete since ${day(from, LANGUAGE)}`;
  return html`<span>${since}</span>
    ${gaps.length === 0
      ? nothing
      : html`<details class="small">
          <summary>${gaps.length} ${gaps.length === 1 ? "gap" : "gaps"}</summary>
          <ul class="stack tight">
            ${gaps.map((text) => html`<li>${sentence(text)}</li>`)}
          </ul>
        </details>`}`;
}
