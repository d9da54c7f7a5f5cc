// The supervisor's stage: a picture, its clock, and a curve whose points can be dragged.
// What it knows it writes into the form's own fields; the form works without it.

import { Lane } from "./lane.js";
import { dialled } from "./dialled.js";
import { Screen } from "./screen.js";
import { Timeline } from "./timeline.js";

const SHOWN = 250; // frames seen at once

const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

// The points of one face, and the text field that is their truth.
class Points {
  constructor(field, line, { first, end, limits }) {
    Object.assign(this, { field, line, first, end, limits });
    this.names = ["opening", "width"];
    this.labels = new Map();
    for (let frame = first; frame < end; frame += 1) this.labels.set(line.label(frame), frame);
    this.take();
  }

  // From the text; false if a line of it means nothing.
  take() {
    this.lanes = { opening: [], width: [] };
    let whole = true;
    for (const row of this.field.value.split("\n").filter((text) => text.trim())) {
      const [place, ...values] = row.split(",").map((part) => part.trim());
      const frame = /^\d+$/.test(place) ? Number(place) : this.labels.get(place);
      if (!(frame >= this.first && frame < this.end)) { whole = false; continue; }
      values.forEach((text, k) => {
        const value = Number(text);
        if (text && this.names[k] && Number.isFinite(value)) this.lanes[this.names[k]].push({ frame, value });
      });
    }
    return whole;
  }

  write() {
    const frames = new Set(this.names.flatMap((name) => this.lanes[name].map((point) => point.frame)));
    const shown = (name, frame) => this.lanes[name].find((point) => point.frame === frame)?.value.toFixed(2) ?? "";
    this.field.value = [...frames].sort((a, b) => a - b)
      .map((frame) => [this.line.label(frame), ...this.names.map((name) => shown(name, frame))].join(", "))
      .join("\n");
  }

  at(name, frame) { return this.lanes[name].find((point) => point.frame === frame); }

  // Moves a point as far as it may go: inside the face's frames, beside no other's.
  move(name, point, frame, value) {
    const place = Math.min(this.end - 1, Math.max(this.first, Math.round(frame)));
    if (!this.at(name, place)) point.frame = place;
    const [low, high] = this.limits;
    point.value = Math.round(Math.min(high, Math.max(low, value)) * 100) / 100;
    this.write();
  }

  add(name, frame, value) {
    const known = this.at(name, frame);
    if (known) return known;
    const point = { frame, value: 0 };
    this.lanes[name].push(point);
    this.move(name, point, frame, value);
    return point;
  }

  remove(name, point) {
    this.lanes[name] = this.lanes[name].filter((one) => one !== point);
    this.write();
  }
}

class Editor {
  constructor(section) {
    this.section = section;
    this.facts = read("mouth-editor");
    this.line = new Timeline(this.facts.clock);
    this.form = document.getElementById("dials");
    this.field = this.form.querySelector("[name=curve]");
    this.points = new Points(this.field, this.line, this.facts);
    this.proposed = read("proposed-curve");
    const lanes = section.querySelector("[data-lanes]");
    lanes.hidden = false;
    this.lanes = [...lanes.querySelectorAll("[data-lane]")].map((element) => new Lane(element, this));
    this.screen = new Screen(section, this.line, (frame) => this.moved(frame));
    this.listen(lanes);
    this.guard();
    this.show();
  }

  // What is to be kept, as text: the place on the film's clock is not.
  get written() {
    return JSON.stringify([...new FormData(this.form)].filter(([name]) => name !== "frame"));
  }

  // Leaving the page with changes asks first.
  guard() {
    const kept = this.written;
    let sending = false;
    this.form.addEventListener("submit", () => { sending = true; });
    addEventListener("beforeunload", (event) => { if (!sending && this.written !== kept) event.preventDefault(); });
  }

  listen(lanes) {
    this.form.addEventListener("input", ({ target }) => {
      if (target === this.field && !this.points.take()) return;
      this.show();
    });
    document.addEventListener("htmx:afterSwap", () => { this.proposed = read("proposed-curve"); this.show(); });
    new ResizeObserver(() => this.show()).observe(lanes);
  }

  // A page of frames around the one on the screen, within those of the face.
  get window() {
    const { first, end } = this.facts;
    const count = Math.min(SHOWN, end - first);
    const frame = Math.min(end - 1, Math.max(first, this.screen?.frame ?? first));
    const start = first + Math.floor((frame - first) / count) * count;
    return { first: Math.max(first, Math.min(start, end - count)), count };
  }

  get spans() {
    const left = this.facts.left_alone.map((one) => ({ first: one.first_frame, end: one.end_frame, kind: "untouched" }));
    const ranges = this.facts.ranges.map((one) => ({ first: one.first_frame, end: one.end_frame, kind: one.as_filmed ? "untouched" : "ranged" }));
    return [...ranges, ...left];
  }

  result(name) {
    if (!this.proposed) return null;
    const { first, blend, join } = this.facts;
    const number = (field, usual) => { const value = Number(this.form.elements[field].value); return Number.isFinite(value) ? value : usual; };
    return dialled(this.proposed[name], {
      offset: number("offset_frames", 0),
      intensity: number("intensity", 100) / 100,
      ranges: this.facts.ranges.filter((one) => !one.as_filmed && one.first_frame < this.facts.end && one.end_frame > first)
        .map((one) => ({ first: one.first_frame - first, end: one.end_frame - first, offset: one.offset_frames, intensity: one.intensity })),
      points: this.points.lanes[name].map((point) => ({ ...point, frame: point.frame - first })),
      blend,
      join,
    });
  }

  moved(frame) {
    this.form.elements.frame.value = frame;
    const { first } = this.window;
    if (first !== this.begins) { this.begins = first; this.show(); return; }
    for (const lane of this.lanes) lane.showHead();
  }

  show() { if (this.screen) for (const lane of this.lanes) lane.show(); }

  say(sentence) { this.section.querySelector("[data-said]").textContent = sentence; }
}

const section = document.getElementById("stage");
if (section) section.editor = new Editor(section);
