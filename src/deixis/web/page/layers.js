// What lies on the canvas: the grey image under its window, and heat in its colours with the line at the threshold.

import { RAMP } from "./setup.js";

const SCREEN = 255;
// As in the pictures of `deixis ground`: how much the hottest colour hides, and where it begins to hide any.
const OPAQUE = 0.84;
const CLEAR_BELOW = 0.12;
const CLEAR_ABOVE = 0.75;
// Heat under the threshold is context, not answer.
const UNDER = 0.35;

function blank(columns, rows) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  return canvas;
}

export class Grey {
  constructor({ rows, columns, step, numbers }, shape) {
    this.rows = rows;
    this.columns = columns;
    this.step = step;
    this.numbers = numbers;
    [this.height, this.width] = shape;
    this.canvas = blank(columns, rows);
    this.context = this.canvas.getContext("2d");
    this.data = this.context.createImageData(columns, rows);
    this.words = new Uint32Array(this.data.data.buffer);
    this.shades = new Uint32Array(65536);
    this.shown = "";
  }

  show(level, width, invert) {
    const wanted = `${level} ${width} ${invert}`;
    if (wanted === this.shown) return;
    this.shown = wanted;
    const low = level - width / 2;
    for (let number = 0; number < 65536; number += 1) {
      const share = Math.min(1, Math.max(0, (number / 65535 - low) / width));
      const shade = Math.round(SCREEN * (invert ? 1 - share : share));
      this.shades[number] = (0xff000000 | (shade << 16) | (shade << 8) | shade) >>> 0;
    }
    const { words, shades, numbers } = this;
    for (let index = 0; index < numbers.length; index += 1) words[index] = shades[numbers[index]];
    this.context.putImageData(this.data, 0, 0);
  }

  at(x, y) {
    const [column, row] = [Math.floor(x / this.step), Math.floor(y / this.step)];
    return this.numbers[Math.min(row, this.rows - 1) * this.columns + Math.min(column, this.columns - 1)] / 65535;
  }
}

export class Heat {
  constructor({ rows, columns, step, numbers, cut, seen }) {
    Object.assign(this, { rows, columns, step, numbers, cut, seen });
    this.canvas = null;
    this.shown = null;
    this.lines = new Map();
  }

  picture(threshold) {
    if (this.canvas === null) {
      this.canvas = blank(this.columns, this.rows);
      this.context = this.canvas.getContext("2d");
      this.data = this.context.createImageData(this.columns, this.rows);
    }
    if (this.shown !== threshold) {
      this.shown = threshold;
      this.paint(threshold);
    }
    return this.canvas;
  }

  paint(threshold) {
    const words = new Uint32Array(this.data.data.buffer);
    const colours = new Uint32Array(256);
    for (let heat = 0; heat < 256; heat += 1) {
      const rising = Math.min(1, Math.max(0, (heat / 255 - CLEAR_BELOW) / (CLEAR_ABOVE - CLEAR_BELOW)));
      const hidden = OPAQUE * rising * rising * (3 - 2 * rising) * (heat / 255 > threshold ? 1 : UNDER);
      const [red, green, blue] = RAMP.subarray(3 * heat, 3 * heat + 3);
      colours[heat] = ((Math.round(255 * hidden) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
    for (let index = 0; index < words.length; index += 1) words[index] = colours[this.numbers[index]];
    this.context.putImageData(this.data, 0, 0);
  }

  // The line where heat crosses the threshold, in native pixels: marching squares over the centres of the numbers.
  line(threshold) {
    if (!this.lines.has(threshold)) {
      this.lines.clear();
      this.lines.set(threshold, this.traced(threshold * 255));
    }
    return this.lines.get(threshold);
  }

  traced(level) {
    const path = new Path2D();
    const { numbers, columns, rows, step } = this;
    const outside = (row, column) => row < 0 || column < 0 || row >= rows || column >= columns;
    const value = (row, column) => (outside(row, column) ? -1 : numbers[row * columns + column]);
    const between = (from, to) => (level - from) / (to - from);
    for (let row = -1; row < rows; row += 1) {
      for (let column = -1; column < columns; column += 1) {
        const inner = row >= 0 && column >= 0 && row < rows - 1 && column < columns - 1;
        const at = row * columns + column;
        const a = inner ? numbers[at] : value(row, column);
        const b = inner ? numbers[at + 1] : value(row, column + 1);
        const c = inner ? numbers[at + columns + 1] : value(row + 1, column + 1);
        const d = inner ? numbers[at + columns] : value(row + 1, column);
        const kind = (a > level) | ((b > level) << 1) | ((c > level) << 2) | ((d > level) << 3);
        if (kind === 0 || kind === 15) continue;
        const [x, y] = [(column + 0.5) * step, (row + 0.5) * step];
        const top = () => [x + between(a, b) * step, y];
        const right = () => [x + step, y + between(b, c) * step];
        const bottom = () => [x + between(d, c) * step, y + step];
        const left = () => [x, y + between(a, d) * step];
        const sides = { 1: [left, top], 2: [top, right], 3: [left, right], 4: [right, bottom], 6: [top, bottom], 7: [left, bottom] };
        const pairs = kind === 5 ? [[left, top], [right, bottom]] : kind === 10 ? [[top, right], [left, bottom]] : [sides[kind] ?? sides[15 - kind]];
        for (const [from, to] of pairs) {
          path.moveTo(...from());
          path.lineTo(...to());
        }
      }
    }
    return path;
  }

  at(x, y) {
    const [x0, y0, x1, y1] = this.seen;
    if (x < x0 || y < y0 || x >= x1 || y >= y1) return null;
    const [column, row] = [Math.floor(x / this.step), Math.floor(y / this.step)];
    return this.numbers[Math.min(row, this.rows - 1) * this.columns + Math.min(column, this.columns - 1)] / 255;
  }
}
