// The kinds that stand on two axes, fetched together: they share most of what draws them.

export * as bars from "./bars.js";
export * as intervals from "./intervals.js";
export * as lines from "./lines.js";
export * as timeline from "./timeline.js";
