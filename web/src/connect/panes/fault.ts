// A fault as a pane: what happened in plain words, one way out that comes first, and what support needs to know.

import { html, nothing, type TemplateResult } from "lit";
import { copy } from "../../shared/forms.js";
import { icon } from "../../shared/icons.js";
import type { Provider } from "../api.js";
import { type Fault, type Way, wayOf } from "../faults.js";
import type { Flow, Key } from "../flow.js";
import { english, heading, main, other, withName } from "./frame.js";

const MINUTE_S = 60;

export function faultPane(flow: Flow, found: Fault, venue: Provider | null): TemplateResult {
  const { say } = flow.text;
  const label = venue?.display_name ?? say("fault.venue");
  const way = wayOf(found);
  const details = [`code: ${found.code}`, found.requestId && `request: ${found.requestId}`, venue && `venue: ${venue.name}`].filter(Boolean).join("\n");
  const fix: Key = `fault.${found.kind}.fix`;
  return html`
    ${icon("warn", "warn large")} ${heading(withName(say(`fault.${found.kind}.title`, { venue: label }), label))}
    <p>${withName(say(`fault.${found.kind}.text`, { venue: label }), label)}</p>
    ${found.told && found.kind !== "invalid_key" ? html`<p class="small quiet" lang=${english(flow) ?? nothing}>${found.told}</p>` : nothing}
    ${found.switches.length > 0 ? html`<ul class="schematic plain" lang=${english(flow) ?? nothing}>${found.switches.map((text) => html`<li>${icon("next", "")}<span>${text}</span></li>`)}</ul>` : nothing}
    ${flow.facts.egress_ips.length > 0 && found.kind === "ip_not_allowed" ? html`<ul class="plain">${flow.facts.egress_ips.map((ip) => html`<li class="row"><code translate="no">${ip}</code>${copy(ip, { copy: say("copy"), copied: say("copied") })}</li>`)}</ul>` : nothing}
    ${found.wait > 0 ? html`<p role="timer">${found.wait < MINUTE_S ? say("fault.wait", { count: found.wait }) : say("fault.wait.minutes", { count: Math.ceil(found.wait / MINUTE_S) })}</p>` : nothing}
    ${main(flow, say(fix), () => act(flow, found, venue, way), found.wait > 0)}
    ${second(flow, found, way)}
    <details>
      <summary>${say("fault.details")}</summary>
      <pre class="small mono" translate="no">${details}</pre>
      ${copy(details, { copy: say("fault.copy"), copied: say("copied") })}
    </details>
  `;
}

function act(flow: Flow, found: Fault, venue: Provider | null, way: Way): void {
  if (found.wait > 0) return;
  if (way === "again") void flow.run(() => flow.linking.again(), venue);
  else if (way === "edit") flow.back();
  else if (way === "search") void flow.linking.discard().then(() => flow.go({ at: "search" }));
  else if (way === "existing" && found.existing !== null) use(flow, found.existing);
  else void flow.close();
}

/** The account that there is already takes the place of the one that was wanted. */
function use(flow: Flow, account: string): void {
  flow.made.push({ account });
  void flow.run(() => flow.finish());
}

function second(flow: Flow, found: Fault, way: Way): TemplateResult | typeof nothing {
  const { say } = flow.text;
  if (found.kind === "nothing_found") return other(say("fault.keep"), () => void flow.run(() => flow.linking.keep()));
  if (way === "again") return other(say("fault.edit"), () => flow.back());
  if (way === "leave" || flow.facts.mode === "reconnect") return nothing;
  return other(say("fault.other"), () => void flow.linking.discard().then(() => flow.go({ at: "search" })));
}
