// Asks the parts of charts that need no browser: JSON in by standard input, JSON out.
// Used by test_chart_modules.py; the modules that it imports need no package.

import { parted } from "../../../app/web/modules/charts/antimeridian.js";
import { placed } from "../../../app/web/modules/charts/layout.js";
import { marksBetween } from "../../../app/web/modules/charts/moments.js";

let written = "";
for await (const piece of process.stdin) written += piece;
const parts = { marksBetween, parted, placed };
const answers = JSON.parse(written).map(([part, ...given]) => parts[part](...given));
process.stdout.write(JSON.stringify(answers));
