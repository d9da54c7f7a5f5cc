// A lane of the supervisor's stage: one axis of the lip code over the frames in view,
// with points to drag, and everything a pointer does also done by keys.

const SVG = "http://www.w3.org/2000/svg";
const HIGH = 144; // px of a lane
const NEAR = 14; // px within which a point is meant

function drawn(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class Lane {
  constructor(element, editor) {
    this.editor = editor;
    this.name = element.dataset.lane;
    this.svg = element.querySelector("svg");
    this.removing = element.querySelector("[data-remove]");
    this.chosen = null;
    this.view = [-2, 3];
    this.back = drawn("g", {}, this.svg);
    this.paths = Object.fromEntries(["proposed", "result"].map((name) => [name, drawn("path", { class: name }, this.svg)]));
    this.head = drawn("path", { class: "playhead" }, this.svg);
    this.dots = drawn("g", {}, this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("dblclick", (event) => this.twice(event));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("focusin", ({ target }) => this.choose(this.pointOf(target)));
    element.querySelector("[data-add]").addEventListener("click", () => this.addHere());
    this.removing.addEventListener("click", () => this.remove(this.chosen));
  }

  get points() { return this.editor.points; }
  get window() { return this.editor.window; }
  get wide() { return this.svg.clientWidth || 600; }
  x(frame) { return ((frame - this.window.first + 0.5) / this.window.count) * this.wide; }
  y(value) { const [low, high] = this.view; return HIGH - ((value - low) / (high - low)) * HIGH; }
  frameAt(x) { return Math.floor((x / this.wide) * this.window.count) + this.window.first; }
  valueAt(y) { const [low, high] = this.view; return low + ((HIGH - y) / HIGH) * (high - low); }

  // The values seen: the usual ones, and as far as the curves go.
  spread(curves) {
    const values = [...curves.flat(), ...this.points.lanes[this.name].map((point) => point.value)];
    const [low, high] = this.points.limits;
    return [
      Math.max(low, Math.min(-2, Math.floor(Math.min(...values, 0)))),
      Math.min(high, Math.max(3, Math.ceil(Math.max(...values, 0)))),
    ];
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  nearest(x, y) {
    const far = (point) => Math.hypot(this.x(point.frame) - x, this.y(point.value) - y);
    const best = [...this.points.lanes[this.name]].sort((a, b) => far(a) - far(b))[0];
    return best && far(best) <= NEAR ? best : null;
  }

  pointOf(dot) { return this.points.lanes[this.name].find((point) => String(point.frame) === dot.dataset?.frame) ?? null; }

  down(event) {
    if (event.button !== 0) return;
    const [x, y] = this.place(event);
    const point = this.nearest(x, y);
    this.choose(point);
    const follow = (to) => {
      const [px, py] = this.place(to);
      if (point) { this.points.move(this.name, point, this.frameAt(px), this.valueAt(py)); this.editor.show(); }
      else this.editor.screen.seek(Math.min(this.points.end - 1, Math.max(this.points.first, this.frameAt(px))));
    };
    if (!point) follow(event);
    else { event.preventDefault(); this.focus(point); }
    this.svg.setPointerCapture(event.pointerId);
    this.svg.addEventListener("pointermove", follow);
    const end = () => {
      this.svg.removeEventListener("pointermove", follow);
      if (point) { this.editor.screen.seek(point.frame); this.focus(point); }
    };
    this.svg.addEventListener("lostpointercapture", end, { once: true });
  }

  twice(event) {
    const [x, y] = this.place(event);
    const point = this.nearest(x, y);
    if (point) this.remove(point);
    else if (this.frameAt(x) >= this.points.first && this.frameAt(x) < this.points.end) this.add(this.frameAt(x), this.valueAt(y));
  }

  key(event) {
    const point = this.pointOf(event.target);
    if (!point || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 0.5 : 0.1;
    const by = { ArrowUp: [0, step], ArrowDown: [0, -step], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (by) {
      event.preventDefault();
      this.points.move(this.name, point, point.frame + by[0], point.value + by[1]);
      this.editor.screen.seek(point.frame);
      this.editor.show();
      this.focus(point);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.remove(point);
    }
  }

  // At the frame on the screen, on the curve as it would be drawn.
  addHere() {
    const { first, end } = this.points;
    const frame = Math.min(end - 1, Math.max(first, this.editor.screen.frame));
    this.add(frame, this.editor.result(this.name)?.[frame - first] ?? 0);
  }

  add(frame, value) {
    const point = this.points.add(this.name, frame, value);
    this.editor.screen.seek(frame);
    this.editor.show();
    this.focus(point);
    this.editor.say(`Point added at ${this.editor.line.label(frame)}.`);
  }

  remove(point) {
    if (!point) return;
    this.points.remove(this.name, point);
    this.choose(null);
    this.editor.show();
    this.editor.say(`Point at ${this.editor.line.label(point.frame)} removed.`);
  }

  choose(point) {
    this.chosen = point;
    this.removing.disabled = !point;
    for (const dot of this.dots.children) dot.classList.toggle("chosen", point !== null && dot.dataset.frame === String(point.frame));
  }

  focus(point) { this.dots.querySelector(`[data-frame="${point.frame}"]`)?.focus({ preventScroll: true }); }

  path(values) {
    const { first } = this.points;
    const inside = values.map((value, k) => [first + k, value])
      .filter(([frame]) => frame >= this.window.first - 1 && frame <= this.window.first + this.window.count);
    return inside.map(([frame, value], k) => `${k ? "L" : "M"}${this.x(frame).toFixed(1)} ${this.y(value).toFixed(1)}`).join("");
  }

  show() {
    const { wide } = this;
    const proposed = this.editor.proposed?.[this.name];
    const result = this.editor.result(this.name);
    this.view = this.spread([proposed ?? [], result ?? []]);
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${HIGH}`);
    this.showBack(wide);
    this.paths.proposed.setAttribute("d", proposed ? this.path(proposed) : "");
    this.paths.result.setAttribute("d", result ? this.path(result) : "");
    this.showHead();
    this.showDots();
  }

  showBack(wide) {
    this.back.replaceChildren();
    for (const { first, end, kind } of this.editor.spans) {
      const [left, right] = [this.x(first - 0.5), this.x(end - 0.5)];
      drawn("rect", { class: kind, x: left, width: Math.max(0, right - left), y: 0, height: HIGH }, this.back);
    }
    for (const value of [-2, 0, 2]) drawn("path", { class: value ? "rule" : "rule rest", d: `M0 ${this.y(value)}H${wide}` }, this.back);
  }

  showHead() { this.head.setAttribute("d", `M${this.x(this.editor.screen?.frame ?? 0)} 0V${HIGH}`); }

  // Dots are kept as they are where they can be, or the one in focus would lose it.
  showDots() {
    const points = this.points.lanes[this.name].filter((point) => point.frame >= this.window.first && point.frame < this.window.first + this.window.count);
    while (this.dots.children.length > points.length) this.dots.lastChild.remove();
    points.sort((a, b) => a.frame - b.frame).forEach((point, k) => {
      const dot = this.dots.children[k] ?? this.newDot();
      dot.dataset.frame = point.frame;
      dot.setAttribute("transform", `translate(${this.x(point.frame)} ${this.y(point.value)})`);
      dot.setAttribute("aria-valuenow", point.value.toFixed(2));
      dot.setAttribute("aria-valuetext", `${point.value.toFixed(1)} at ${this.editor.line.label(point.frame)}`);
      dot.classList.toggle("chosen", point === this.chosen);
    });
  }

  newDot() {
    const [low, high] = this.points.limits;
    const label = this.name === "opening" ? "Mouth opening" : "Mouth width";
    const dot = drawn("g", { class: "dot", tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": low, "aria-valuemax": high, "aria-orientation": "vertical" }, this.dots);
    drawn("circle", { class: "reach", r: 13 }, dot);
    drawn("circle", { class: "mark", r: 5.5 }, dot);
    return dot;
  }
}
