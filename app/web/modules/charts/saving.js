// A chart as a file that stands by itself: its title above it and its legend below.

const AIR = 16; // CSS pixels around it
const LINE = 24;
const SHARP = 2; // pixels of a PNG for each of the page's

/** Where everything of a saved picture stands: {width, height, top, title, legend: [{…, x, y}]}. */
export function sheetOf({ title, legend, look, width, height }) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `13px ${look.font}`;
  let [x, y] = [AIR, AIR + LINE + height + LINE];
  const placed = legend.map((each) => {
    const wide = 22 + pen.measureText(each.words).width + 18;
    if (x > AIR && x + wide > AIR + width) [x, y] = [AIR, y + LINE];
    const spot = { ...each, x, y };
    x += wide;
    return spot;
  });
  return {
    width: width + 2 * AIR,
    height: y + (legend.length ? AIR : AIR - LINE),
    top: AIR + LINE,
    left: AIR,
    title: { words: title, x: AIR, y: AIR + 12 },
    legend: placed,
  };
}

/** A PNG at twice the page's size, as a Blob. */
export function pngOf(chart, parts) {
  const { look } = parts;
  const sheet = sheetOf(parts);
  const canvas = document.createElement("canvas");
  canvas.width = sheet.width * SHARP;
  canvas.height = sheet.height * SHARP;
  const pen = canvas.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = look.ground;
  pen.fillRect(0, 0, sheet.width, sheet.height);
  pen.drawImage(chart.renderToCanvas({ pixelRatio: SHARP }), sheet.left, sheet.top, parts.width, parts.height);
  pen.fillStyle = look.ink;
  pen.font = `bold 15px ${look.font}`;
  pen.fillText(sheet.title.words, sheet.title.x, sheet.title.y, parts.width);
  pen.font = `13px ${look.font}`;
  for (const { words, colour, shape, tile, x, y } of sheet.legend) {
    pen.save();
    pen.translate(x, y - 11);
    pen.fillStyle = colour;
    if (tile) pen.drawImage(tile, 0, 0, 14, 14);
    else pen.fill(new Path2D(shape));
    pen.restore();
    pen.fillText(words, x + 22, y);
  }
  return new Promise((kept) => {
    canvas.toBlob(kept, "image/png");
  });
}
