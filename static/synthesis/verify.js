// The verify page: a word before a file that is too large, how far the sending is, and
// the answer read out when it comes. Without this script the form is a plain one, and
// the page that waits for the answer loads itself anew.

import { size, span } from "./amounts.js";

const RATE_WINDOW_MS = 8_000;

class Sending {
  constructor(form) {
    this.form = form;
    this.words = form.dataset;
    this.input = form.querySelector("input[type=file]");
    this.box = form.querySelector("[data-progress]");
    this.failure = form.querySelector("[data-failure]");
    this.button = form.querySelector("[type=submit]");
    this.spoken = form.querySelector("[data-spoken]");
    form.addEventListener("submit", (event) => this.submitted(event));
    form.querySelector("[data-cancel]").addEventListener("click", () => this.xhr?.abort());
    this.input.addEventListener("change", () => this.chosen());
    // Back by the browser's own button: the form as it was.
    addEventListener("pageshow", () => this.rest());
    // A file may be pasted, or dropped beside the box, which would else leave the page.
    document.addEventListener("paste", (event) => this.take(event, event.clipboardData));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!event.defaultPrevented) this.take(event, event.dataTransfer);
    });
  }

  take(event, from) {
    if (this.xhr || from?.files.length !== 1) return;
    event.preventDefault();
    this.input.files = from.files;
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  chosen() {
    const [file] = this.input.files;
    if (!file || !this.fits(file)) return;
    this.say(`${this.words.sayChosen} ${file.name}, ${size(file.size)}`);
    this.button.focus();
  }

  fits(file) {
    const fits = file.size <= Number(this.words.maxBytes);
    this.failure.hidden = fits;
    if (!fits) this.failure.textContent = `${file.name}, ${size(file.size)}. ${this.words.sayLarge}`;
    return fits;
  }

  submitted(event) {
    const [file] = this.input.files;
    if (!file) return;
    event.preventDefault();
    if (!this.xhr && this.fits(file)) this.send(file);
  }

  send(file) {
    const xhr = (this.xhr = new XMLHttpRequest());
    const began = performance.now();
    const marks = [[began, 0]];
    xhr.open("POST", this.form.action);
    xhr.setRequestHeader("Accept", "application/json");
    xhr.upload.onprogress = ({ loaded, total }) => {
      const now = performance.now();
      marks.push([now, loaded]);
      while (now - marks[0][0] > RATE_WINDOW_MS) marks.shift();
      const rate = ((loaded - marks[0][1]) * 1000) / (now - marks[0][0]);
      this.show(Math.min(loaded, file.size), file.size, total > loaded && rate > 0 ? (total - loaded) / rate : null);
    };
    xhr.onload = () => this.answered(xhr);
    xhr.onerror = () => this.failed(this.words.sayLost);
    xhr.onabort = () => { this.rest(); this.button.focus(); };
    this.failure.hidden = true;
    this.box.hidden = false;
    this.button.disabled = true;
    this.say(this.words.saySending);
    this.show(0, file.size, null);
    xhr.send(new FormData(this.form));
    this.input.disabled = true;
  }

  answered(xhr) {
    let answer = {};
    try { answer = JSON.parse(xhr.responseText); } catch { /* no words of ours */ }
    if (xhr.status !== 202) return this.failed(answer.sentence ?? this.words.sayLost);
    this.say(this.words.saySent);
    location.assign(answer.address);
  }

  show(bytes, total, left) {
    const words = [this.words.sayPart.replace("{part}", size(bytes)).replace("{whole}", size(total))];
    if (left !== null) words.push(this.words.sayLeft.replace("{time}", span(left)));
    this.box.querySelector("[data-detail]").textContent = words.join(" · ");
    this.box.querySelector("progress").value = bytes / (total || 1);
  }

  failed(sentence) {
    this.rest();
    this.failure.textContent = sentence;
    this.failure.hidden = false;
  }

  rest() {
    this.xhr = null;
    this.box.hidden = true;
    this.button.disabled = false;
    this.input.disabled = false;
  }

  say(words) {
    this.spoken.textContent = words;
  }
}

const form = document.querySelector("form[data-verify]");
if (form) new Sending(form);

// While the file is looked into: each new step is said once, and the answer is what one
// came for, so it is read first.
function heard() {
  const spoken = document.querySelector("[data-spoken]");
  const looking = document.querySelector("[data-looking]");
  if (looking && spoken && spoken.textContent !== looking.dataset.say) {
    spoken.textContent = looking.dataset.say;
  }
  const ended = document.querySelector("[data-ended]");
  if (!ended) return;
  if (spoken && !form) spoken.textContent = "";
  ended.focus();
}

heard();
document.addEventListener("htmx:afterSwap", heard);

// Who goes away does not want the answer; who only loads the page anew asks at once.
addEventListener("pagehide", () => {
  const looking = document.querySelector("[data-looking]");
  if (looking) navigator.sendBeacon(looking.dataset.looking, new FormData(looking.querySelector("form")));
});
