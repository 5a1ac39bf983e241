// The same chart written as SVG; its renderer is fetched only when somebody asks for it.

import { init, use } from "echarts/core";
import { install as SVGRenderer } from "echarts/lib/renderer/installSVGRenderer.js";

import { sheetOf } from "./saving.js";

use([SVGRenderer]);

/** An SVG of what an option draws, with title and legend, as a Blob. */
export function svgOf(option, parts) {
  const { look, width, height } = parts;
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  const series = option.series.map((each) => ({ ...each, emphasis: { disabled: true } }));
  chart.setOption({ ...option, series });
  const drawn = chart.renderToSVGString({ useViewBox: true });
  chart.dispose();
  const sheet = sheetOf(parts);
  const legend = sheet.legend.map(
    ({ words, colour, shape, tile, x, y }) =>
      `<g transform="translate(${x} ${y - 11})">${
        tile
          ? `<image width="14" height="14" href="${tile.toDataURL()}"/>`
          : `<path d="${shape}" fill="${escaped(colour)}"/>`
      }<text x="22" y="11">${escaped(words)}</text></g>`,
  );
  const written = [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${sheet.width}" height="${sheet.height}" viewBox="0 0 ${sheet.width} ${sheet.height}">`,
    `<rect width="100%" height="100%" fill="${escaped(look.ground)}"/>`,
    `<g font-family="${escaped(look.font)}" font-size="13" fill="${escaped(look.ink)}">`,
    `<text x="${sheet.title.x}" y="${sheet.title.y}" font-size="15" font-weight="bold">${escaped(sheet.title.words)}</text>`,
    ...legend,
    "</g>",
    drawn.replace("<svg ", `<svg x="${sheet.left}" y="${sheet.top}" `),
    "</svg>",
  ];
  return new Blob([written.join("\n")], { type: "image/svg+xml" });
}

function escaped(words) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return words.replaceAll(/[&<>"]/g, (sign) => names[sign]);
}
