// The few signs that pages draw; each stands beside a word or has one for screen readers, so none carries meaning alone.

import { svg, html, type TemplateResult } from "lit";

const drawn = {
  good: svg`<path d="M4 12.5l5 5L20 6.5"/>`,
  bad: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  warn: svg`<path d="M12 3.5L22 20.5H2zM12 10v4.5M12 17.6v.1"/>`,
  wait: svg`<path d="M12 3a9 9 0 1 0 9 9"/>`,
  open: svg`<circle cx="12" cy="12" r="8.5"/>`,
  back: svg`<path d="M20 12H5M11 5.5L4.5 12l6.5 6.5"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  lock: svg`<path d="M5.5 11h13v9.5h-13zM8 11V8a4 4 0 0 1 8 0v3"/>`,
  next: svg`<path d="M9 5.5l6.5 6.5L9 18.5"/>`,
  file: svg`<path d="M6 3h8l4.5 4.5V21H6zM14 3v5h4.5"/>`,
  wallet: svg`<path d="M3.5 7v11.5h17V8.5H5A1.5 1.5 0 0 1 5 5h13M16.5 13.5v.1"/>`,
  eye: svg`<path d="M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12z"/><circle cx="12" cy="12" r="2.8"/>`,
  link: svg`<path d="M9.5 14.5l5-5M8 11l-2.6 2.6a3.7 3.7 0 0 0 5.2 5.2L13 16.3M16 13l2.6-2.6a3.7 3.7 0 0 0-5.2-5.2L11 7.7"/>`,
};

export type Sign = keyof typeof drawn;

/** A sign; decoration to screen readers. `tone` colours it. */
export const icon = (sign: Sign, tone: string = sign): TemplateResult =>
  html`<svg class="icon ${tone}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${drawn[sign]}</svg>`;
