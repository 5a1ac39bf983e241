// Draws the figures of a page above their tables. A page that has one imports this; nothing else does.

import { init, use } from "echarts/core";
import { installLabelLayout } from "echarts/lib/label/installLabelLayout.js";
import { install as CanvasRenderer } from "echarts/lib/renderer/installCanvasRenderer.js";

import { common, lookOf, tileOf } from "./look.js";
import { pngOf } from "./saving.js";
import { readTables } from "./tables.js";

use([CanvasRenderer, installLabelLayout]);

const STEP = 1.5; // of one zoom
const plotted = () => import("./plotted.js");
const KINDS = {
  bars: async () => (await plotted()).bars,
  stacked: async () => (await plotted()).bars,
  lines: async () => (await plotted()).lines,
  intervals: async () => (await plotted()).intervals,
  timeline: async () => (await plotted()).timeline,
  graph: () => import("./graph.js"),
  corridors: () => import("./corridors.js"),
  sankey: () => import("./flows.js"),
};

/** A figure's picture on its board; `language` says words, numbers and days as the page does. */
export class Picture extends EventTarget {
  #board;
  #chart = null;
  #figure;
  #kind;
  #language;
  #places = new Map(); // "series:index:part" of the library -> place among the items
  #pointed = null;
  #prepared;
  #view = null; // where the person moved a map or a graph to
  plan = null; // what is drawn: option, items, legend, summary

  constructor(figure, board, language) {
    super();
    this.#figure = figure;
    this.#board = board;
    this.#language = language;
  }

  /** Fetches what the kind needs, reads the table and draws; UnreadableTableError of a wrong cell. */
  async draw() {
    const kind = KINDS[this.#figure.dataset.chart];
    if (!kind) throw new RangeError(`There is no chart of the kind “${this.#figure.dataset.chart}”.`);
    const known = await kind();
    this.#prepared = await known.ready?.();
    this.#kind = known; // not before: a change of size in between would draw what is not prepared
    this.redraw();
  }

  /** Draws the table's rows in the size and colours that hold now; nothing while it is not shown. */
  redraw() {
    const width = this.#board.clientWidth;
    if (!this.#kind || !width) return;
    this.plan = this.#planned(width);
    this.#board.style.blockSize = `${this.plan.height}px`;
    this.#chart ??= this.#begun();
    this.#chart.resize();
    this.#chart.setOption(this.plan.option, { notMerge: true });
    this.#places = new Map(
      this.plan.items.map((item, place) => [`${item.series}:${item.index}:${item.part ?? ""}`, place]),
    );
    this.dispatchEvent(new Event("drawn"));
  }

  /** Marks the item of a place (null: none); where it stands on the board, or null. */
  point(place) {
    const target = (each) => ({ seriesIndex: each.series, dataIndex: each.index, dataType: each.part });
    if (this.#pointed) this.#chart.dispatchAction({ type: "downplay", ...target(this.#pointed) });
    this.#pointed = this.plan.items[place] ?? null;
    if (!this.#pointed) return null;
    this.#chart.dispatchAction({ type: "highlight", ...target(this.#pointed) });
    const { spot } = this.#pointed;
    return spot ? this.#chart.convertToPixel(...spot) : null;
  }

  /** Moves a map or a graph: "in", "out", a name of the plan's frames, or {x, y} in CSS pixels. */
  move(act) {
    const { roam, frames, roamed } = this.plan;
    if (act in frames) this.#view = frames[act];
    else {
      const middle = { originX: this.#board.clientWidth / 2, originY: this.plan.height / 2 };
      const change = typeof act === "object" ? { dx: act.x, dy: act.y } : { zoom: act === "in" ? STEP : 1 / STEP, ...middle };
      this.#chart.dispatchAction({ ...roam, ...change });
      this.#view = roamed(this.#chart.getOption());
    }
    this.redraw();
  }

  /** The picture with its title and legend as a file: a Blob of a PNG or an SVG. */
  async saved(form, title) {
    const parts = { title, legend: this.#legendParts(), look: this.#look(), width: this.#board.clientWidth, height: this.plan.height };
    if (form === "png") return pngOf(this.#chart, parts);
    const { svgOf } = await import("./saving_svg.js");
    return svgOf(this.#planned(parts.width).option, parts);
  }

  /** A canvas that shows what a series is filled with. */
  tile(place) {
    return tileOf(this.#look(), place);
  }

  dispose() {
    this.#chart?.dispose();
    this.#chart = null;
  }

  #look() {
    return lookOf(this.#figure, this.#board.clientWidth);
  }

  #planned(width) {
    const look = lookOf(this.#figure, width);
    const plan = this.#kind.plan(readTables(this.#figure), look, {
      ...this.#language,
      kind: this.#figure.dataset.chart,
      figure: this.#figure,
      prepared: this.#prepared,
      view: this.#view,
    });
    return { ...plan, option: { ...common(look), ...plan.option } };
  }

  #begun() {
    const chart = init(this.#board, null, { renderer: "canvas" });
    const told = (name) => (event) => {
      const place = this.#places.get(`${event.seriesIndex}:${event.dataIndex}:${event.dataType ?? ""}`) ?? null;
      const { offsetX: x, offsetY: y } = event.event;
      this.dispatchEvent(new CustomEvent(name, { detail: { place, x, y } }));
    };
    chart.on("mouseover", told("over"));
    chart.on("mouseout", () => this.dispatchEvent(new Event("out")));
    chart.on("click", told("chosen"));
    const keep = () => {
      this.#view = this.plan.roamed(chart.getOption());
    };
    chart.on("georoam", keep);
    chart.on("graphroam", keep);
    return chart;
  }

  #legendParts() {
    const look = this.#look();
    return this.plan.legend.map((each) => ({ ...each, tile: each.isArea ? tileOf(look, each.place) : null }));
  }
}
