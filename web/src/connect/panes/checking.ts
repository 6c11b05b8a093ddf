// The live list of checks, and then what was found: first balances at once, history as it comes.

import { html, nothing, type TemplateResult } from "lit";
import { day, money, quantity } from "../../shared/amounts.js";
import { icon } from "../../shared/icons.js";
import type { Account, Check, Provider } from "../api.js";
import type { Flow, Key } from "../flow.js";
import { english, heading, main, name, note, other, withName } from "./frame.js";

const SIGNS = { waiting: "wait", ok: "good", failed: "bad", unknown: "warn" } as const;
const SHOWN_MAX = 6;

export function checking(flow: Flow, venue: Provider, checks: Check[]): TemplateResult {
  const { say } = flow.text;
  const label = venue.display_name;
  return html`
    ${heading(withName(say("checking.title", { venue: label }), label))}
    <ul class="plain stack checks" aria-live="polite" aria-busy=${checks.some((check) => check.state === "waiting") || checks.length === 0 ? "true" : "false"}>
      ${checks.length === 0 ? html`<li class="mark">${icon("wait")}<span>${say("checking.asking")}</span></li>` : nothing}
      ${checks.map((check) => row(flow, check))}
    </ul>
    <p class="small quiet">${say("checking.time")}</p>
    ${other(say("cancel"), () => void flow.linking.discard().then(() => flow.go({ at: "search" })))}
  `;
}

function row(flow: Flow, check: Check): TemplateResult {
  const { say } = flow.text;
  const key = `check.${check.name}`;
  return html`
    <li class="mark">
      ${icon(SIGNS[check.state])}
      <span class="stack tight">
        <span>${flow.text.has(key) ? say(key) : check.name} <span class="small quiet">${say(`check.is.${check.state}`)}</span></span>
        ${check.text && (check.state === "failed" || check.state === "unknown") ? html`<span class="small quiet" lang=${english(flow) ?? nothing}>${check.text}</span>` : nothing}
      </span>
    </li>
  `;
}

export function values(flow: Flow, accounts: Account[]): TemplateResult {
  const { say } = flow.text;
  const failed = flow.made.filter((made) => made.account === null);
  const running = accounts.some((account) => account.status === "syncing");
  const more = flow.facts.mode !== "reconnect" && (flow.facts.multi_wallet || !flow.host.listens);
  return html`
    ${heading(say(flow.facts.mode === "reconnect" ? "values.again" : "values.title", { count: accounts.length }))}
    ${accounts.map((account) => found(flow, account))}
    ${failed.map((made) => note("bad", "bad", html`<span class="mono" translate="no">${made.wallet ?? ""}</span><span lang=${english(flow) ?? nothing}>${made.message ?? ""}</span>`))}
    <p class="mark small" role="status">${icon(running ? "wait" : "good")}<span>${say(running ? "values.reading" : "values.read")}</span></p>
    ${main(flow, say("finish"), () => void flow.run(() => flow.finish()))}
    ${more ? other(say("values.more"), () => flow.go({ at: "search" })) : nothing}
  `;
}

function found(flow: Flow, account: Account): TemplateResult {
  const { say, language } = flow.text;
  const worth = (value: string | null): number => Number(value ?? 0);
  const top = [...account.balances].sort((one, two) => worth(two.fiat_value) - worth(one.fiat_value)).slice(0, SHOWN_MAX);
  const since = account.coverage.complete_from;
  return html`
    <section class="card stack tight" aria-label=${account.provider.display_name}>
      <div class="row between">
        <h2>${name(account.name ?? account.provider.display_name)}</h2>
        ${account.fiat_value === null ? nothing : html`<strong class="total">${money(account.fiat_value, account.fiat_ticker, language)}</strong>`}
      </div>
      ${account.complete || account.balances.length === 0 ? nothing : html`<p class="small quiet">${say("values.partial")}</p>`}
      ${proof(flow, account)}
      ${top.length === 0 ? html`<p class="quiet">${say("values.empty")}</p>` : html`
        <ul class="plain balances">
          ${top.map((held) => html`<li class="row between"><span translate="no"><strong>${held.ticker}</strong> <span class="quiet">${quantity(held.amount, language)}</span></span><span>${held.fiat_value === null ? html`<span class="quiet small">${say("values.unpriced")}</span>` : money(held.fiat_value, held.fiat_ticker, language)}</span></li>`)}
        </ul>`}
      ${account.balances.length > SHOWN_MAX ? html`<p class="small quiet">${say("values.others", { count: account.balances.length - SHOWN_MAX })}</p>` : nothing}
      ${since === null ? nothing : html`<p class="small quiet">${say("values.since", { day: day(since, language) })}</p>`}
    </section>
  `;
}

/** What the key was proved to be. */
function proof(flow: Flow, account: Account): TemplateResult | typeof nothing {
  const state = account.permission?.state;
  if (state === undefined || account.provider.auth_type === "wallet") return nothing;
  const key: Key = state === "read_only" ? "values.readonly" : state === "unknown" ? "values.untold" : "values.more.rights";
  return html`<p class="mark small">${icon(state === "read_only" ? "good" : "warn")}<span>${flow.text.say(key)}</span></p>`;
}
