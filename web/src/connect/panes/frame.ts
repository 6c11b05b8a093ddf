// What every pane has: the heading that takes the focus, and the way to say things in the page's language.

import { html, nothing, type TemplateResult } from "lit";
import { type Sign, icon } from "../../shared/icons.js";
import type { Flow } from "../flow.js";

/** The language of texts that the server has only in English; nothing where that is the page's. */
export const english = (flow: Flow): string | undefined => (flow.text.language.startsWith("en") && flow.text.language !== "en-XA" ? undefined : "en");

/** A text of the server in the page's language where it has that. */
export function told(flow: Flow, texts: Record<string, string> | undefined): { text: string; lang: string | undefined } {
  const own = texts?.[flow.text.language];
  const plain = texts?.en ?? "";
  return own !== undefined && own !== plain ? { text: own, lang: undefined } : { text: plain, lang: english(flow) };
}

export const heading = (text: string | TemplateResult): TemplateResult => html`<h1 tabindex="-1" id="title">${text}</h1>`;

/** A name that is the same in every language. */
export const name = (text: string): TemplateResult => html`<bdi translate="no">${text}</bdi>`;

export const note = (tone: "good" | "bad" | "warn" | "plain", sign: Sign, body: TemplateResult | string): TemplateResult =>
  html`<div class="note ${tone}">${icon(sign, tone)}<div class="stack tight">${body}</div></div>`;

/** The button that goes on; it says so while something is under way. */
export const main = (flow: Flow, text: string, act?: () => void, waits = false): TemplateResult => html`
  <button class="button main" type=${act ? "button" : "submit"} aria-disabled=${flow.busy || waits ? "true" : "false"} @click=${act ?? nothing}>
    ${flow.busy ? icon("wait", "turning") : nothing}${text}
  </button>
`;

export const other = (text: string, act: () => void): TemplateResult => html`<button class="button bare" type="button" @click=${act}>${text}</button>`;

/** The values of `texts` under a message with a name in it: `{venue}` is set apart so that it is not translated or mirrored. */
export const withName = (text: string, venue: string): TemplateResult => {
  const at = text.indexOf(venue);
  return at < 0 ? html`${text}` : html`${text.slice(0, at)}${name(venue)}${text.slice(at + venue.length)}`;
};
