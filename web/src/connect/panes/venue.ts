// The honest card of a venue: what arrives, how far back, what does not, who is asked, and how well this was proved.

import { html, nothing, type TemplateResult } from "lit";
import { listed } from "../../shared/amounts.js";
import { icon } from "../../shared/icons.js";
import type { Provider } from "../api.js";
import type { Flow, Key } from "../flow.js";
import { english, heading, main, note, withName } from "./frame.js";
import { methodOf } from "./search.js";

const PROOFS = new Set(["live", "executed", "recorded", "sampled"]);

export function venue(flow: Flow, chosen: Provider): TemplateResult {
  const { say, language } = flow.text;
  const label = chosen.display_name;
  const { features, data } = chosen;
  const limited = data.filter((item) => item.look_back_days !== null);
  const arrives: [Key, boolean][] = [
    ["venue.balances", features.account],
    ["venue.history", features.transactions],
    ["venue.positions", features.positions],
  ];
  return html`
    ${heading(withName(say("venue.title", { venue: label }), label))}
    <p class="row"><span class="chip">${say(methodOf(chosen))}</span>${chosen.is_beta ? html`<span class="chip">${say("venue.beta")}</span>` : nothing}</p>
    <section class="stack tight">
      <h2>${say("venue.arrives")}</h2>
      <ul class="plain stack tight">
        ${arrives.map(([key, has]) => html`<li class="mark">${icon(has ? "good" : "bad", has ? "good" : "quiet")}<span>${say(key)}${has ? nothing : html` <span class="quiet">${say("venue.not")}</span>`}</span></li>`)}
      </ul>
    </section>
    ${limited.length > 0 ? depth(flow, limited) : features.transactions ? html`<p class="small quiet">${say("venue.whole")}</p>` : nothing}
    ${keyCheck(flow, chosen)}
    ${PROOFS.has(chosen.proof) ? note("plain", chosen.is_beta ? "warn" : "good", say(`proof.${chosen.proof}` as Key, { day: chosen.live?.date ?? "" })) : nothing}
    <details>
      <summary>${say("venue.more")}</summary>
      <dl class="stack tight small">
        ${chosen.connect_notice ? html`<dt>${say("venue.proof")}</dt><dd lang=${english(flow) ?? nothing}>${chosen.connect_notice}</dd>` : nothing}
        ${chosen.sources.length > 0 ? html`<dt>${say("venue.asked")}</dt><dd class="mono" translate="no">${listed(chosen.sources, language)}</dd>` : nothing}
        ${data.length > 0 ? html`<dt>${say("venue.kinds")}</dt><dd lang="en">${listed(data.map((item) => item.kind.replaceAll("-", " ")), "en")}</dd>` : nothing}
      </dl>
    </details>
    ${main(flow, say("continue"), () => flow.enter(chosen))}
  `;
}

/** Whether the venue itself will say that the key can only read. */
function keyCheck(flow: Flow, chosen: Provider): TemplateResult | typeof nothing {
  const { say } = flow.text;
  const label = chosen.display_name;
  if (chosen.key_check === null) return nothing;
  if (chosen.key_check === "rights") return note("plain", "good", html`<p>${withName(say("venue.checked", { venue: label }), label)}</p>`);
  return note("warn", "warn", html`<p>${withName(say("venue.unchecked", { venue: label }), label)}</p>`);
}

function depth(flow: Flow, limited: Provider["data"]): TemplateResult {
  const { say } = flow.text;
  return html`
    <details>
      <summary>${say("venue.limited", { count: limited.length })}</summary>
      <ul class="stack tight small">
        ${limited.map((item) => html`<li><span lang="en">${item.kind.replaceAll("-", " ")}</span>: ${say("venue.days", { days: item.look_back_days ?? 0 })}</li>`)}
      </ul>
      <p class="small quiet">${say("venue.limited.text")}</p>
    </details>
  `;
}

