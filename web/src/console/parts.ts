// What the console's views are made of: times, notes, chips and forms that say what went wrong.

import { html, nothing, type TemplateResult } from "lit";
import { type Sign, icon } from "../shared/icons.js";
import { Refusal } from "./server.js";

export const LANGUAGE = "en";
const WORDS = { show: "Show", hide: "Hide" };
export { WORDS };

const STEPS: readonly [number, Intl.RelativeTimeFormatUnit][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
];

/** "3 hours ago"; the exact time is its title. */
export function ago(at: number | null): TemplateResult {
  if (at === null) return html`<span class="quiet">never</span>`;
  const passed = Date.now() - at;
  const [size, unit] = STEPS.find(([step]) => Math.abs(passed) >= step) ?? [60_000, "minute"];
  const text =
    Math.abs(passed) < 60_000
      ? "just now"
      : new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" }).format(-Math.round(passed / size), unit);
  return html`<time datetime=${new Date(at).toISOString()} title=${new Date(at).toLocaleString(LANGUAGE)}>${text}</time>`;
}

export const chip = (tone: "good" | "bad" | "warn" | "plain", text: string): TemplateResult => {
  const signs: Record<string, Sign> = { good: "good", bad: "bad", warn: "warn", plain: "open" };
  return html`<span class="state ${tone}">${icon(signs[tone] ?? "open", tone)}${text}</span>`;
};

export const note = (tone: "good" | "bad" | "warn" | "plain", body: TemplateResult | string): TemplateResult => {
  const sign = tone === "plain" ? "open" : tone;
  return html`<div class="note ${tone}" role=${tone === "bad" ? "alert" : nothing}>${icon(sign, tone)}<div class="stack tight">${body}</div></div>`;
};

export const refused = (refusal: Refusal | null): TemplateResult | typeof nothing =>
  refusal === null ? nothing : note("bad", html`<p>${sentence(refusal.message)}</p>${refusal.action ? html`<p>${refusal.action}</p>` : nothing}`);

/** A server's message as a sentence. */
export const sentence = (text: string): string => {
  const plain = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(plain) ? plain : `${plain}.`;
};

/** Whatever was thrown, as a refusal that can be shown. */
export const asRefusal = (thrown: unknown): Refusal =>
  thrown instanceof Refusal ? thrown : new Refusal(0, "internal", "Something went wrong on this page.", "Load it again.");
