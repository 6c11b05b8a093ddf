// The form of a venue's key: steps that number what is done there, what to tick and what to leave off, and the fields to paste into.

import { html, nothing, type TemplateResult } from "lit";
import { copy, entered, line, lines, secret, wipe } from "../../shared/forms.js";
import { icon } from "../../shared/icons.js";
import type { Provider } from "../api.js";
import type { Flow } from "../flow.js";
import { isPrivate } from "../private.js";
import { heading, main, note, told, withName } from "./frame.js";

/** Names that files of keys use for our fields. */
const IN_FILES: Record<string, string[]> = {
  key: ["key", "apikey", "name", "accesskey", "id"],
  secret: ["secret", "apisecret", "secretkey", "privatekey"],
  passphrase: ["passphrase", "password"],
};

export function key(flow: Flow, venue: Provider): TemplateResult {
  const { say } = flow.text;
  const label = venue.display_name;
  const ips = venue.egress_ips;
  const isKey = venue.auth_type === "token";
  const how = told(flow, venue.instructions);
  const again = flow.facts.mode === "reconnect";
  return html`
    ${heading(withName(say(isKey ? "key.title" : "key.title.other", { venue: label }), label))}
    ${again ? note("plain", "link", say("key.keeps")) : nothing}
    ${isKey ? html`<ol class="steps stack">
      <li>${withName(say("key.step.open", { venue: label }), label)}<p class="told" lang=${how.lang ?? nothing}>${how.text}</p></li>
      <li>${say("key.step.tick")}${schematic(flow)}</li>
      ${ips.length > 0 ? html`<li>${say("key.step.ips")}<ul class="plain">${ips.map((ip) => html`<li class="row"><code translate="no">${ip}</code>${copy(ip, { copy: say("copy"), copied: say("copied") })}</li>`)}</ul></li>` : nothing}
      <li>${say("key.step.paste")}</li>
    </ol>` : how.text ? html`<p lang=${how.lang ?? nothing}>${how.text}</p>` : nothing}
    <form class="stack" autocomplete="off" novalidate @submit=${(event: Event) => sent(event, flow, venue)} @paste=${(event: ClipboardEvent) => pasted(event, venue)}>
      ${venue.credentials.map((field) => input(flow, venue, field))}
      <p class="wrong" role="alert" hidden></p>
      ${main(flow, say(isKey ? "key.connect" : "connect"))}
    </form>
    <p class="small quiet mark">${icon("lock", "")}<span>${say(isKey ? "key.sealed" : "address.readonly")}</span></p>
  `;
}

/** A drawing of the venue's switches as they must stand. */
function schematic(flow: Flow): TemplateResult {
  const { say } = flow.text;
  const switched = (text: string, on: boolean): TemplateResult => html`
    <li><span class="switch ${on ? "on" : ""}" aria-hidden="true"></span><span>${text}</span><strong class=${on ? "yes" : "no"}>${say(on ? "key.on" : "key.off")}</strong></li>
  `;
  return html`<ul class="plain schematic">
    ${switched(say("key.read"), true)} ${switched(say("key.trade"), false)} ${switched(say("key.withdraw"), false)}
  </ul>`;
}

function input(flow: Flow, venue: Provider, field: string): TemplateResult {
  const { say } = flow.text;
  const known = venue.misc[field];
  if (known === undefined) return html``;
  const label = told(flow, known.label);
  const hint = known.hint?.en === venue.instructions.en ? undefined : told(flow, known.hint).text || undefined;
  const given = { name: field, label: label.text, lang: label.lang, hint, required: known.required };
  if (!known.secret) return line(given);
  return known.hint?.en?.includes("-----BEGIN") ? lines(given, { rows: 4, masked: true }) : secret(given, { show: say("show"), hide: say("hide") });
}

/** A pasted file of keys (JSON) fills every field that it names. */
function pasted(event: ClipboardEvent, venue: Provider): void {
  const text = event.clipboardData?.getData("text/plain").trim() ?? "";
  if (!text.startsWith("{")) return;
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return;
  }
  event.preventDefault();
  const plain = new Map(Object.entries(found).map(([title, value]) => [title.toLowerCase().replace(/[^a-z]/g, ""), value]));
  const form = event.currentTarget as HTMLFormElement;
  for (const field of venue.credentials) {
    const value = (IN_FILES[field] ?? [field]).map((title) => plain.get(title)).find((one) => typeof one === "string");
    const input = form.elements.namedItem(field);
    if (typeof value === "string" && (input instanceof HTMLInputElement || input instanceof HTMLTextAreaElement)) input.value = value;
  }
}

function sent(event: Event, flow: Flow, venue: Provider): void {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const given = entered(form);
  const bad = venue.credentials.find((field) => problem(venue, field, given[field]) !== null);
  if (bad !== undefined) return complain(flow, form, venue, bad, given[bad]);
  wipe(form);
  void flow.run(() => flow.linking.connect(venue, given), venue);
}

/** What is wrong with a value: it is missing, of another form, or a chain's own secret, which no venue's key is. */
function problem(venue: Provider, field: string, value: string | undefined): "missing" | "form" | "private" | null {
  const known = venue.misc[field];
  if (known === undefined) return null;
  if (value === undefined) return known.required ? "missing" : null;
  if (!known.secret && isPrivate(value)) return "private";
  if (known.secret && /^(\p{Ll}{3,12}\s+){11,23}\p{Ll}{3,12}$/u.test(value)) return "private";
  return known.pattern !== undefined && !new RegExp(`^(?:${known.pattern})$`, "s").test(value) ? "form" : null;
}

function complain(flow: Flow, form: HTMLFormElement, venue: Provider, field: string, value: string | undefined): void {
  const { say } = flow.text;
  const what = problem(venue, field, value) ?? "form";
  for (const input of form.querySelectorAll("[aria-invalid=true]")) input.setAttribute("aria-invalid", "false");
  const input = form.elements.namedItem(field) as HTMLInputElement;
  if (what === "private") input.value = "";
  input.setAttribute("aria-invalid", "true");
  const said = form.querySelector<HTMLElement>("[role=alert]");
  if (said) {
    said.hidden = false;
    said.textContent = say(`field.${what}`, { field: told(flow, venue.misc[field]?.label).text });
  }
  input.focus();
}

