// Bundles the worker into one file and the charts into a few, with their licences beside them:
// `make modules`.
// The same sources and packages give the same bytes on every machine.

import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { writeOutlines } from "./charts/outlines.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static", "modules");

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};
const worker = await build({ ...common, entryPoints: ["worker.js"], outfile: join(out, "worker.js") });
for (const name of readdirSync(out)) if (/^charts.*\.js$/.test(name)) rmSync(join(out, name));
// A page fetches the kinds of charts that it shows; a part's name changes with its content.
const charts = await build({
  ...common,
  entryPoints: [{ in: "charts/index.js", out: "charts" }],
  outdir: out,
  splitting: true,
  chunkNames: "charts-[name]-[hash]",
  plugins: [{ name: "without-markup", setup: withoutMarkup }],
});
writeOutlines(here, out);
copyFileSync(join(here, "premises.js"), join(out, "premises.js"));
const inputs = [worker, charts].flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(join(out, "LICENSES.txt"), licences([...inputs, "node_modules/world-atlas/countries-50m.json"]));
for (const name of readdirSync(out).sort()) {
  const content = readFileSync(join(out, name));
  console.log(`${createHash("sha256").update(content).digest("hex")}  ${name}  ${gzipSync(content).length}`);
}

/** Where the library empties an element by markup, which Trusted Types refuse, its children are removed. */
function withoutMarkup({ onLoad }) {
  onLoad({ filter: /node_modules\/zrender\/lib\/(canvas|svg)\/Painter\.js$/ }, ({ path }) => {
    const emptied = /([\w.]+)\.innerHTML = (?:''|null);/g;
    const source = readFileSync(path, "utf8");
    const contents = source.replaceAll(emptied, "$1.replaceChildren();");
    if (contents === source || contents.includes("innerHTML")) throw new Error(`${path} sets markup otherwise.`);
    return { contents };
  });
}

/** Name, version, licence text and notice of every package of which something is served. */
function licences(inputs) {
  const packages = new Set(
    inputs.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []),
  );
  return [...packages]
    .sort()
    .map((name) => {
      const folder = join(here, "node_modules", name);
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
      const texts = ["licen[cs]e", "notice"].flatMap((kind) => {
        const file = readdirSync(folder).find((each) => new RegExp(`^${kind}(\\.(txt|md))?$`, "i").test(each));
        return file ? [readFileSync(join(folder, file), "utf8").trim()] : [];
      });
      return `${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
    })
    .join(`\n${"-".repeat(78)}\n\n`);
}
