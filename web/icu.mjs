// Turns locales/<language>.json (ICU messages) into what src/shared/messages.ts reads: a text, or a list of its parts.
//
// "{n, plural, one {# account} other {# accounts}}" → [["n", "plural", {one: [["#"], " account"], other: …}]]
// Keys that begin with "@" speak to translators and stay behind. locales/en-XA.json need not exist: it is made from English, longer
// and with accents, so that a test sees which text does not come from here and where a longer language would not fit.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, TYPE } from "@formatjs/icu-messageformat-parser";

const PSEUDO = "en-XA.json";
const ACCENTS = { a: "á", e: "é", i: "í", o: "ó", u: "ú", y: "ý", c: "ç", n: "ñ", A: "Á", E: "É", I: "Í", O: "Ó", U: "Ú", C: "Ç" };

export const icu = {
  name: "icu",
  setup(build) {
    build.onResolve({ filter: /\/locales\/[A-Za-z-]+\.json$/ }, (found) => ({ path: join(found.resolveDir, found.path) }));
    build.onLoad({ filter: /\/locales\/[A-Za-z-]+\.json$/ }, async ({ path }) => {
      const pseudo = path.endsWith(PSEUDO);
      const file = pseudo ? join(dirname(path), "en.json") : path;
      const texts = Object.entries(JSON.parse(await readFile(file, "utf8"))).filter(([key]) => !key.startsWith("@"));
      const compact = Object.fromEntries(texts.map(([key, text]) => [key, compiled(text, { key, file, pseudo })]));
      return { contents: JSON.stringify(compact), loader: "json", watchFiles: [file] };
    });
  },
};

function compiled(text, where) {
  try {
    const parts = parse(text, { ignoreTag: true }).map((node) => part(node, where));
    const marked = where.pseudo ? ["⟦", ...parts, "⟧"] : parts;
    return marked.every((item) => typeof item === "string") ? marked.join("") : marked;
  } catch (error) {
    throw new Error(`${where.file}: ${where.key}: ${error.message}`);
  }
}

function part(node, where) {
  switch (node.type) {
    case TYPE.literal:
      return where.pseudo ? stretched(node.value) : node.value;
    case TYPE.argument:
      return [node.value];
    case TYPE.pound:
      return ["#"];
    case TYPE.number:
      return [node.value, "number"];
    case TYPE.select:
      return [node.value, "select", branches(node, where)];
    case TYPE.plural:
      return [node.value, node.pluralType === "ordinal" ? "ordinal" : "plural", branches(node, where)];
    default:
      throw new Error("only arguments, number, select and plural are understood");
  }
}

const branches = (node, where) =>
  Object.fromEntries(Object.entries(node.options).map(([name, option]) => [name, option.value.map((item) => part(item, where))]));

/** A third longer, as German and Italian often are. */
const stretched = (text) => text.replace(/[A-Za-z]/g, (letter) => ACCENTS[letter] ?? letter).replace(/(\S{3,})/g, (word) => word + "~".repeat(Math.ceil(word.length / 3)));
