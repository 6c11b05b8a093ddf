// Bundles every page: src/<page>/main.ts → <page>-<hash>.js and .css, and manifest.json, which tells the server their names.
//
// src/loader/main.ts alone keeps its name (connect.js), because the pages of others name it.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { icu } from "./icu.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "omnifolio", "faces", "pages", "static");
const LOADER = "loader";

const options = {
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  absWorkingDir: here,
  outdir: out,
  plugins: [icu],
};

const pages = readdirSync(join(here, "src"))
  .filter((name) => name !== LOADER && existsSync(join(here, "src", name, "main.ts")))
  .sort();

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const built = await build({
  ...options,
  entryPoints: Object.fromEntries(pages.map((name) => [name, join("src", name, "main.ts")])),
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  assetNames: "[name]-[hash]",
  splitting: true,
});

if (existsSync(join(here, "src", LOADER, "main.ts"))) {
  await build({ ...options, format: "iife", entryPoints: { connect: join("src", LOADER, "main.ts") } });
}

const manifest = {};
for (const [path, output] of Object.entries(built.metafile.outputs)) {
  if (!output.entryPoint?.endsWith("/main.ts")) continue;
  const page = basename(dirname(output.entryPoint));
  manifest[page] = { script: basename(path), style: output.cssBundle ? basename(output.cssBundle) : null };
}
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
