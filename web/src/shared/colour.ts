// A host's accent colour, moved as far towards black or white as it takes to be read (WCAG 2.2: 4.5 to 1).

type Colour = readonly [number, number, number];

const READABLE = 4.5;
const STEPS = 20;
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
const PAPER: Colour = [244, 246, 249];
const NIGHT: Colour = [33, 38, 48];

export interface Accent {
  light: string;
  dark: string;
}

/** The accent for light and for dark surfaces, on which `onAccent` is readable too; null for what is no #rrggbb. */
export function accentOf(hex: string | null): Accent | null {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex ?? "");
  if (!found) return null;
  const colour = [1, 2, 3].map((at) => Number.parseInt(found[at] ?? "0", 16)) as unknown as Colour;
  return { light: moved(colour, BLACK, PAPER), dark: moved(colour, WHITE, NIGHT) };
}

function moved(colour: Colour, towards: Colour, surface: Colour): string {
  for (let step = 0; step < STEPS; step++) {
    const mixed = colour.map((part, at) => Math.round(part + ((towards[at] ?? 0) - part) * (step / STEPS))) as unknown as Colour;
    if (contrast(mixed, surface) >= READABLE) return text(mixed);
  }
  return text(towards);
}

function contrast(one: Colour, other: Colour): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Colour;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const text = (colour: Colour): string => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

/** Gives the page a host's accent and theme. */
export function dress(root: HTMLElement, theme: string, accent: Accent | null): void {
  root.dataset.theme = theme;
  if (accent) root.style.setProperty("--accent", `light-dark(${accent.light}, ${accent.dark})`);
}
