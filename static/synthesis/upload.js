// Files in chunks: progress, retry, resume, cancel. A form with data-begin sends its
// file this way and then submits itself with the upload's id; without this script the
// same form sends the file whole.

import { size, span } from "./amounts.js";

const RETRIES = 8;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
const RATE_WINDOW_MS = 8_000;

class Refused extends Error {}
class Cancelled extends Error {}

const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

// One request; progress is told the bytes of the body that have left. XMLHttpRequest,
// since fetch does not say how far a body has got.
function request(method, url, { body = null, headers = {}, signal, progress } = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.timeout = 120_000;
    xhr.setRequestHeader("X-CSRFToken", csrf());
    xhr.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (progress) xhr.upload.onprogress = (event) => progress(event.loaded);
    xhr.onload = () => resolve(xhr);
    xhr.onerror = xhr.ontimeout = () => reject(new Error("no answer"));
    xhr.onabort = () => reject(new Cancelled());
    signal?.addEventListener("abort", () => xhr.abort(), { once: true });
    xhr.send(body);
  });
}

const answer = (xhr) => { try { return JSON.parse(xhr.responseText); } catch { return {}; } };

// A refusal is final; anything else (a lost line, a restarting server) is tried again.
function check(xhr) {
  if (xhr.status >= 200 && xhr.status < 300) return answer(xhr);
  if (xhr.status >= 500 || xhr.status === 429) throw new Error(`status ${xhr.status}`);
  if (xhr.responseURL.includes("/login") || xhr.status === 403) {
    throw new Refused(answer(xhr).sentence ?? "You are signed out, or may not upload here. Sign in again; the upload goes on where it stopped.");
  }
  throw new Refused(answer(xhr).sentence ?? "The server did not take the file. Load the page again.");
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(new Cancelled()); }, { once: true });
  });
}

class Sending {
  constructor(file, beginUrl, show) {
    this.file = file;
    this.beginUrl = beginUrl;
    this.show = show;
    this.stop = new AbortController();
    this.marks = []; // [time in ms, bytes]: the rate is taken over the last seconds
    this.memory = `upload:${beginUrl}:${file.name}:${file.size}:${file.lastModified}`;
  }

  // Resolves with the upload's id once every byte has arrived.
  run() {
    this.running = this.sent();
    return this.running;
  }

  async sent() {
    const upload = (await this.resumed()) ?? (await this.begun());
    this.url = upload.url;
    if (this.stop.signal.aborted) throw new Cancelled();
    localStorage.setItem(this.memory, JSON.stringify({ id: upload.id, url: upload.url, chunk_bytes: upload.chunk_bytes }));
    let offset = upload.offset_bytes;
    while (offset < this.file.size) offset = await this.chunk(offset, upload.chunk_bytes);
    localStorage.removeItem(this.memory);
    return upload.id;
  }

  // Never broken off: what the server began must be known here to be given up there.
  async begun() {
    const body = JSON.stringify({ name: this.file.name, size_bytes: this.file.size });
    const headers = { "Content-Type": "application/json" };
    return this.tried(async () => check(await request("POST", this.beginUrl, { body, headers })));
  }

  // The same file, begun on this page before: ask the server how far it got.
  async resumed() {
    let before = null;
    try { before = JSON.parse(localStorage.getItem(this.memory)); } catch { /* unreadable: begin anew */ }
    if (!before) return null;
    this.url = before.url;
    const xhr = await this.tried(() => request("GET", before.url, { signal: this.stop.signal }));
    if (xhr.status !== 200) return null;
    const { offset_bytes, size_bytes } = answer(xhr);
    return size_bytes === this.file.size ? { ...before, offset_bytes } : null;
  }

  async chunk(offset, chunkBytes) {
    const body = this.file.slice(offset, offset + chunkBytes);
    let at = offset;
    return this.tried(async (attempt) => {
      if (attempt) {
        // Part of the story may have been lost on the way: ask where the server stands.
        at = check(await request("GET", this.url, { signal: this.stop.signal })).offset_bytes;
        if (at !== offset) return at;
      }
      const headers = { "Upload-Offset": offset, "Content-Type": "application/octet-stream" };
      const progress = (sent) => this.report(offset + Math.min(sent, body.size));
      const xhr = await request("PATCH", this.url, { body, headers, progress, signal: this.stop.signal });
      return xhr.status === 409 ? answer(xhr).offset_bytes : check(xhr).offset_bytes;
    });
  }

  async tried(action) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await action(attempt);
      } catch (error) {
        if (error instanceof Refused || error instanceof Cancelled || attempt >= RETRIES) throw error;
        const ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.75 + Math.random() / 2);
        this.marks = [];
        this.show({ waiting_s: ms / 1000 });
        await wait(ms, this.stop.signal);
      }
    }
  }

  report(bytes) {
    const now = performance.now();
    this.marks.push([now, bytes]);
    while (now - this.marks[0][0] > RATE_WINDOW_MS) this.marks.shift();
    const [then, before] = this.marks[0];
    const rate = now - then > 400 ? ((bytes - before) * 1000) / (now - then) : null;
    this.show({ bytes, total: this.file.size, rate });
  }

  async cancel() {
    this.stop.abort();
    localStorage.removeItem(this.memory);
    await this.running.catch(() => {});
    if (this.url) await request("DELETE", this.url).catch(() => {});
  }
}

class UploadForm {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input[type=file]");
    this.box = form.querySelector("[data-progress]");
    this.failure = form.querySelector("[data-failure]");
    this.button = form.querySelector("[type=submit]");
    form.addEventListener("submit", (event) => this.submitted(event));
    form.querySelector("[data-cancel]").addEventListener("click", () => this.cancelled());
    addEventListener("beforeunload", (event) => { if (this.sending) event.preventDefault(); });
    // Back from a page this form led to: the file is no longer on its way.
    addEventListener("pageshow", () => this.rest());
  }

  async submitted(event) {
    const file = this.input.files[0];
    if (!file) return;
    event.preventDefault();
    if (this.sending) return;
    const most = Number(this.form.dataset.maxBytes || Infinity);
    if (file.size > most) return this.failed(`This file has ${size(file.size)}; at most ${size(most)} are taken here.`);
    this.begin(file);
    try {
      const id = await this.sending.run();
      this.sending = null;
      this.hand(id);
    } catch (error) {
      if (error instanceof Cancelled) return; // cancelled() rests once it is gone
      this.rest();
      this.failed(error instanceof Refused ? error.message : "The connection was lost for long. Press the button again: the upload goes on where it stopped.");
    }
  }

  begin(file) {
    this.sending = new Sending(file, this.form.dataset.begin, (state) => this.show(state));
    this.failure.hidden = true;
    this.box.hidden = false;
    this.button.disabled = true;
    this.input.disabled = true;
    this.show({ bytes: 0, total: file.size, rate: null });
  }

  // The bytes are there: the form goes its plain way with the id in the file's place.
  hand(id) {
    this.write("Uploaded", "checking");
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "upload", value: id });
    this.form.append(field);
    this.form.submit();
  }

  async cancelled() {
    await this.sending?.cancel();
    this.rest();
    this.button.focus();
  }

  rest() {
    this.sending = null;
    this.box.hidden = true;
    this.button.disabled = false;
    this.input.disabled = false;
    this.form.querySelector("input[name=upload]")?.remove();
  }

  failed(sentence) {
    this.failure.textContent = sentence;
    this.failure.hidden = false;
  }

  show({ bytes, total, rate, waiting_s }) {
    if (waiting_s) return this.write("No answer", `trying again in ${span(waiting_s)}`);
    const words = [`${size(bytes)} of ${size(total)}`];
    if (rate) words.push(`${size(rate)}/s`, `${span((total - bytes) / rate)} left`);
    this.write("Uploading", words.join(" · "));
    this.box.querySelector("progress").value = bytes / (total || 1);
  }

  write(stage, detail) {
    this.box.querySelector("[data-stage]").textContent = stage;
    this.box.querySelector("[data-detail]").textContent = detail;
  }
}

function wire(root) {
  for (const form of root.querySelectorAll("form[data-begin]:not([data-wired])")) {
    form.dataset.wired = "";
    new UploadForm(form);
  }
}

wire(document);
document.addEventListener("htmx:load", () => wire(document));
