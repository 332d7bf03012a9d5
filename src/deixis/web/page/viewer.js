// One canvas: draws what it is given in the look that all canvases share, and turns gestures and keys into that look.

const NEAREST = 1;
const FARTHEST = 40;
const LABEL = "600 12px system-ui, sans-serif";

export const LOOK = { zoom: 1, x: 0.5, y: 0.5, level: 0.5, width: 1, invert: false, opacity: 0.85, heat: true, boxes: true };

export class Viewer {
  // scene() → { grey, heat, threshold, marks: [{ colour, label, boxes, heat, threshold, active }], probe }
  constructor(canvas, look, tell) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.look = look;
    this.tell = tell;
    this.scene = null;
    this.pointers = new Map();
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.listen();
  }

  // Where the image lies: scale from native to CSS pixels, and the canvas point of its corner.
  get frame() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    const { width, height } = this.scene.grey;
    const scale = Math.min(wide / width, high / height) * this.look.zoom;
    return { scale, left: wide / 2 - this.look.x * width * scale, top: high / 2 - this.look.y * height * scale, wide, high };
  }

  draw(scene = this.scene) {
    this.scene = scene;
    const { canvas, context, look } = this;
    const dense = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(canvas.clientWidth * dense), Math.round(canvas.clientHeight * dense)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, wide, high);
    if (!scene?.grey || !wide || !high) return;
    const { scale, left, top } = this.frame;
    const { grey, heat } = scene;
    grey.show(look.level, look.width, look.invert);
    context.setTransform(scale * dense, 0, 0, scale * dense, left * dense, top * dense);
    context.imageSmoothingQuality = "high";
    context.drawImage(grey.canvas, 0, 0, grey.columns * grey.step, grey.rows * grey.step);
    if (heat && look.heat) {
      context.globalAlpha = look.opacity;
      context.drawImage(heat.picture(scene.threshold), 0, 0, heat.columns * heat.step, heat.rows * heat.step);
      context.globalAlpha = 1;
    }
    if (heat) this.veil(heat.seen, grey);
    if (look.boxes) {
      for (const mark of scene.marks) this.mark(mark, scale);
      for (const mark of scene.marks) this.name(mark);
    }
    if (scene.probe) this.cross(scene.probe, scale);
  }

  // What the model did not look at.
  veil([x0, y0, x1, y1], { width, height }) {
    const { context } = this;
    if (x0 === 0 && y0 === 0 && x1 === width && y1 === height) return;
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(x0, y0, x1 - x0, y1 - y0);
    context.fillStyle = "rgb(0 0 0 / 0.55)";
    context.fill("evenodd");
  }

  mark({ colour, boxes, heat, threshold, active }, scale) {
    const { context } = this;
    context.globalAlpha = active ? 1 : 0.75;
    context.lineJoin = "round";
    const line = heat.line(threshold);
    for (const [style, thick] of [["rgb(0 0 0 / 0.6)", 3], [colour, 1.25]]) {
      context.strokeStyle = style;
      context.lineWidth = thick / scale;
      context.stroke(line);
      context.lineWidth = (thick + 0.75) / scale;
      for (const box of boxes) context.strokeRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    }
    context.globalAlpha = 1;
  }

  // The phrase's number and the score at every box, over all lines.
  name({ colour, label, boxes }) {
    const { context } = this;
    context.save();
    const { a: dense, e, f } = context.getTransform();
    const unit = window.devicePixelRatio || 1;
    context.setTransform(unit, 0, 0, unit, 0, 0);
    context.font = LABEL;
    context.textBaseline = "middle";
    for (const box of boxes) {
      const text = `${label}  ${box.score.toFixed(2)}`;
      const wide = context.measureText(text).width + 10;
      const [x, y] = [(box.x0 * dense + e) / unit, (box.y0 * dense + f) / unit];
      const above = y >= 19 ? y - 18 : y;
      context.fillStyle = colour;
      context.fillRect(x - 1, above, wide, 18);
      context.fillStyle = "#10151c";
      context.fillText(text, x + 4, above + 9.5);
    }
    context.restore();
  }

  cross({ x, y }, scale) {
    const { context } = this;
    const arm = 9 / scale;
    for (const [style, thick] of [["rgb(0 0 0 / 0.7)", 3], ["#ffffff", 1]]) {
      context.strokeStyle = style;
      context.lineWidth = thick / scale;
      context.beginPath();
      context.moveTo(x - arm, y);
      context.lineTo(x + arm, y);
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
      context.stroke();
    }
  }

  // The native pixel under a point of the window, or null beside the image.
  under({ clientX, clientY }) {
    if (!this.scene?.grey) return null;
    const { left, top } = this.canvas.getBoundingClientRect();
    const frame = this.frame;
    const [x, y] = [(clientX - left - frame.left) / frame.scale, (clientY - top - frame.top) / frame.scale];
    const { width, height } = this.scene.grey;
    return x >= 0 && y >= 0 && x < width && y < height ? { x, y } : null;
  }

  // Zooms around a point of the window, or around the middle.
  zoom(factor, point) {
    if (!this.scene?.grey) return;
    const { look } = this;
    const zoom = Math.min(FARTHEST, Math.max(NEAREST, look.zoom * factor));
    const held = point && this.under(point);
    if (held) {
      const { width, height } = this.scene.grey;
      const share = 1 - look.zoom / zoom;
      look.x += (held.x / width - look.x) * share;
      look.y += (held.y / height - look.y) * share;
    }
    look.zoom = zoom;
    this.settle();
  }

  pan(byX, byY) {
    if (!this.scene?.grey) return;
    const { scale } = this.frame;
    this.look.x -= byX / (this.scene.grey.width * scale);
    this.look.y -= byY / (this.scene.grey.height * scale);
    this.settle();
  }

  settle() {
    const { look } = this;
    const room = 0.5 - 0.5 / look.zoom;
    look.x = Math.min(0.5 + room, Math.max(0.5 - room, look.x));
    look.y = Math.min(0.5 + room, Math.max(0.5 - room, look.y));
    this.tell.changed();
  }

  windowed(byX, byY) {
    const { look } = this;
    look.width = Math.min(2, Math.max(0.01, look.width * Math.exp(byX / 250)));
    look.level = Math.min(1, Math.max(0, look.level - byY / 500));
    this.tell.changed();
  }

  listen() {
    const { canvas, pointers } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
    }
    canvas.addEventListener("pointerleave", () => this.tell.hover(null));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", () => this.tell.key("0"));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.pressed(event));
  }

  moved(event) {
    const { pointers } = this;
    const before = pointers.get(event.pointerId);
    if (!before) {
      this.tell.hover(this.under(event));
      return;
    }
    const [byX, byY] = [event.clientX - before.clientX, event.clientY - before.clientY];
    const other = [...pointers.values()].find((one) => one.pointerId !== event.pointerId);
    pointers.set(event.pointerId, event);
    if (other) {
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      this.zoom(apart(event) / Math.max(1, apart(before)), event);
      this.pan(byX / 2, byY / 2);
      return;
    }
    const another = event.shiftKey || (event.buttons & 1) === 0;
    if ((this.tell.tool() === "pan") !== another) this.pan(byX, byY);
    else this.windowed(byX, byY);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = arrows[event.key];
    if (way && event.shiftKey) this.pan(-40 * way[0], -40 * way[1]);
    else if (way) this.tell.probe(way);
    else if (!this.tell.key(event.key)) return;
    event.preventDefault();
  }
}
