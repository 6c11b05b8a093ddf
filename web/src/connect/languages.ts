// The languages that there are; each is a file of its own, loaded when it is wanted.

import type { Catalogue } from "../shared/messages.js";
import type { Key } from "./flow.js";

type Loaded = { default: unknown };

const FILES = {
  en: () => import("./locales/en.json") as Promise<Loaded>,
  es: () => import("./locales/es.json") as Promise<Loaded>,
  fr: () => import("./locales/fr.json") as Promise<Loaded>,
  it: () => import("./locales/it.json") as Promise<Loaded>,
  de: () => import("./locales/de.json") as Promise<Loaded>,
  // Made from English by the build, longer and with accents: it shows what is not translated and what would not fit.
  // @ts-expect-error There is no such file for the compiler to see.
  "en-XA": () => import("./locales/en-XA.json") as Promise<Loaded>,
};

export type Language = keyof typeof FILES;
export const LANGUAGES = Object.keys(FILES) as Language[];

export const load = async (language: Language): Promise<Catalogue<Key>> => (await FILES[language]()).default as Catalogue<Key>;
