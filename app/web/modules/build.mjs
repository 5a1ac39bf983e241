// Bundles the worker into one file, with its licences beside it: `make modules`.
// The same sources and packages give the same bytes on every machine.

import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static", "modules");

const result = await build({
  absWorkingDir: here,
  entryPoints: ["worker.js"],
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "none",
  outfile: join(out, "worker.js"),
  metafile: true,
  logLevel: "warning",
});
copyFileSync(join(here, "premises.js"), join(out, "premises.js"));
writeFileSync(join(out, "LICENSES.txt"), licences(Object.keys(result.metafile.inputs)));
for (const name of ["worker.js", "premises.js"]) {
  const digest = createHash("sha256").update(readFileSync(join(out, name))).digest("hex");
  console.log(`${digest}  ${name}`);
}

/** Name, version and licence text of every package of which something is in the bundle. */
function licences(inputs) {
  const packages = new Set(
    inputs.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []),
  );
  return [...packages]
    .sort()
    .map((name) => {
      const folder = join(here, "node_modules", name);
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
    })
    .join(`\n${"-".repeat(78)}\n\n`);
}
