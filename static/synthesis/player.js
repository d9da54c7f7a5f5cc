// Original and dub on one clock. A frame is an integer; both videos stand on the middle
// of it, and requestVideoFrameCallback says which one is really on the screen.

import { Timeline } from "./timeline.js";

class Player {
  constructor(section) {
    this.section = section;
    this.line = new Timeline(JSON.parse(document.getElementById("player-clock").textContent));
    this.videos = Object.fromEntries([...section.querySelectorAll("video")].map((video) => [video.dataset.video, video]));
    this.range = section.querySelector("#seek");
    this.frame = 0;
    this.speed = 0; // 0 stands still; below 0 plays backwards
    this.regrouping = false;
    this.section.querySelector("[data-transport]").hidden = false;
    for (const video of Object.values(this.videos)) this.prepare(video);
    this.listen();
    const asked = Number(new URLSearchParams(location.search).get("frame"));
    this.seek(Number.isInteger(asked) ? asked : 0);
  }

  // The video that is looked at leads, the other follows it.
  get lead() { return this.section.dataset.view === "original" ? this.videos.original : this.videos.dub; }
  get follower() { return this.lead === this.videos.dub ? this.videos.original : this.videos.dub; }

  prepare(video) {
    video.controls = false;
    video.tabIndex = -1;
    video.addEventListener("click", () => this.toggle());
    video.addEventListener("seeked", () => { if (this.regrouping) this.regrouped(); else this.settle(video); });
    video.addEventListener("loadedmetadata", () => this.settle(video));
    video.addEventListener("ended", () => { if (video === this.lead) this.stop(); });
    video.addEventListener("waiting", () => { if (video === this.lead && this.speed > 0) this.follower.pause(); });
    video.addEventListener("playing", () => { if (video === this.lead && this.speed > 0) this.follower.play().catch(() => {}); });
    video.addEventListener("error", () => this.lost());
    const shown = (now, { mediaTime }) => {
      if (video === this.lead) this.shown(this.line.at(mediaTime));
      video.requestVideoFrameCallback(shown);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    else video.addEventListener("timeupdate", () => { if (video === this.lead) this.shown(this.line.at(video.currentTime)); });
  }

  listen() {
    this.section.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.do) this[button.dataset.do]();
      if (button?.dataset.sound) this.sound(button);
    });
    this.section.addEventListener("keydown", (event) => this.key(event));
    this.section.addEventListener("change", (event) => { if (event.target.name === "view") this.view(event.target.value); });
    this.range.addEventListener("input", () => { this.stop(); this.seek(Number(this.range.value)); });
    document.addEventListener("click", (event) => this.jump(event));
    document.addEventListener("focusin", (event) => { if (event.target.id === "comment-text") this.stop(); });
    document.addEventListener("input", (event) => {
      if (event.target.id === "comment-frame" && event.target.value !== "") this.seek(Number(event.target.value));
    });
    document.addEventListener("htmx:afterSwap", () => this.show());
  }

  // The bytes no longer come: consent may have been withdrawn meanwhile.
  lost() {
    this.stop();
    if (this.section.querySelector("[role=alert]")) return;
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.textContent = "The picture cannot be loaded any more. Load the page again: it says whether the file was closed.";
    this.section.prepend(notice);
  }

  // A frame of the lead has reached the screen.
  shown(frame) {
    if (this.speed > 0) {
      this.frame = frame;
      this.show();
      this.drawNear();
    } else {
      this.section.dataset.shown = frame;
    }
  }

  // The follower is led back by a touch of speed. If it has fallen far behind, both
  // wait for it: better a hitch than two pictures that do not belong together.
  drawNear() {
    const behind = this.lead.currentTime - this.follower.currentTime;
    if (this.regrouping) return;
    if (Math.abs(behind) < 4 / this.line.fps) {
      this.follower.playbackRate = this.speed * (1 + Math.max(-0.2, Math.min(0.2, behind * 2)));
      return;
    }
    this.regrouping = true;
    for (const video of Object.values(this.videos)) video.pause();
    this.follower.playbackRate = this.speed;
    this.follower.currentTime = this.lead.currentTime;
  }

  regrouped() {
    this.regrouping = false;
    if (this.speed > 0) for (const video of Object.values(this.videos)) video.play().catch(() => {});
  }

  seek(frame) {
    this.frame = this.line.clamp(Math.round(frame) || 0);
    for (const video of Object.values(this.videos)) this.settle(video);
    this.show();
  }

  // While a seek runs no other is begun: the newest wish is met when it has ended.
  settle(video) {
    if (this.speed > 0 || video.seeking || video.readyState === 0) return;
    const wanted = this.line.middle(this.frame);
    if (Math.abs(video.currentTime - wanted) > 1e-4) video.currentTime = wanted;
  }

  toggle() { if (this.speed) this.stop(); else this.play(1); }
  back() { this.step(-1); }
  forward() { this.step(1); }
  step(frames) { this.stop(); this.seek(this.frame + frames); }

  play(speed) {
    if (speed > 0 && this.frame >= this.line.frames - 1) this.seek(0);
    this.speed = speed;
    this.regrouping = false;
    this.show();
    if (speed < 0) { this.backwards(); return; }
    for (const video of Object.values(this.videos)) {
      video.playbackRate = speed;
      video.play().catch(() => { if (video === this.lead) this.stop(); });
    }
  }

  // No browser plays video backwards: seek as fast as frames arrive, by the wall clock.
  backwards() {
    for (const video of Object.values(this.videos)) video.pause();
    const [from, began, speed] = [this.frame, performance.now(), this.speed];
    const tick = (now) => {
      if (this.speed !== speed) return;
      this.seek(from + Math.min(0, Math.ceil(((now - began) / 1000) * this.line.fps * speed)));
      if (this.frame === 0) this.stop(); else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  stop() {
    if (!this.speed) return;
    this.speed = 0;
    this.regrouping = false;
    for (const video of Object.values(this.videos)) video.pause();
    this.seek(this.frame);
  }

  view(which) {
    this.section.dataset.view = which;
    this.section.querySelector(`input[value=${which}]`).checked = true;
    for (const video of Object.values(this.videos)) if (this.speed > 0) video.playbackRate = this.speed;
  }

  sound(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    this.videos[button.dataset.sound].muted = !on;
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.section.requestFullscreen().catch(() => {});
  }

  jump(event) {
    const link = event.target.closest("a[data-frame]");
    if (!link) return;
    event.preventDefault();
    this.stop();
    this.seek(Number(link.dataset.frame));
    this.section.focus({ preventScroll: true });
    this.section.scrollIntoView({ block: "nearest" });
  }

  // Single keys, only while something in the player has focus (WCAG 2.1.4).
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target.type === "radio" && (event.key === " " || event.key.startsWith("Arrow"))) return;
    if (event.key === " " && target.closest("button, summary")) return;
    const frames = event.shiftKey ? 10 : 1;
    const action = {
      j: () => this.play(this.speed < 0 ? Math.max(-4, this.speed * 2) : -1),
      k: () => this.stop(),
      l: () => this.play(this.speed > 0 ? Math.min(4, this.speed * 2) : 1),
      " ": () => this.toggle(),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      arrowleft: () => this.step(-frames),
      arrowright: () => this.step(frames),
      home: () => { this.stop(); this.seek(0); },
      end: () => { this.stop(); this.seek(this.line.frames - 1); },
      1: () => this.view("both"),
      2: () => this.view("dub"),
      3: () => this.view("original"),
    }[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }

  show() {
    const label = this.line.label(this.frame);
    this.range.value = this.frame;
    this.range.setAttribute("aria-valuetext", label);
    this.section.querySelector("#timecode").value = label;
    this.section.querySelector("#frame-number").value = this.frame;
    const speed = this.section.querySelector("#speed");
    speed.hidden = this.speed === 0 || this.speed === 1;
    speed.textContent = `${this.speed}×`;
    this.section.classList.toggle("moving", this.speed !== 0);
    this.section.querySelector(".play").setAttribute("aria-label", this.speed ? "Pause" : "Play");
    const field = document.getElementById("comment-frame");
    if (field && document.activeElement !== field) field.value = this.frame;
    const beside = document.getElementById("comment-timecode");
    if (beside) beside.textContent = label;
  }
}

const section = document.querySelector("section.player");
if (section) section.player = new Player(section);
