// One picture on a clock of frames; see player.js for the two of a review.
export class Screen {
  constructor(section, line, moved) {
    this.line = line;
    this.moved = moved;
    this.section = section;
    this.video = section.querySelector("video");
    this.range = section.querySelector("#seek");
    this.frame = Number(this.range.value);
    section.querySelector("[data-transport]").hidden = false;
    section.addEventListener("click", ({ target }) => {
      const wish = target.closest("[data-do]")?.dataset.do;
      if (wish === "back") this.seek(this.frame - 1);
      if (wish === "forward") this.seek(this.frame + 1);
      if (wish === "toggle") this.toggle();
    });
    this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
    if (this.video) this.listen();
    this.seek(this.frame);
  }

  listen() {
    const { video } = this;
    video.controls = false;
    video.addEventListener("click", () => this.toggle());
    video.addEventListener("seeked", () => this.settle());
    video.addEventListener("loadedmetadata", () => this.settle());
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => this.show());
    const shown = (now, { mediaTime }) => {
      if (!video.paused) { this.frame = this.line.at(mediaTime); this.show(); }
      video.requestVideoFrameCallback(shown);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
  }

  toggle() {
    if (!this.video) return;
    if (this.video.paused) this.video.play().catch(() => {});
    else { this.video.pause(); this.settle(); }
  }

  seek(frame) {
    this.video?.pause();
    this.frame = this.line.clamp(Math.round(frame) || 0);
    this.settle();
    this.show();
  }

  settle() {
    const { video } = this;
    if (!video || !video.paused || video.seeking || video.readyState === 0) return;
    const wanted = this.line.middle(this.frame);
    if (Math.abs(video.currentTime - wanted) > 1e-4) video.currentTime = wanted;
  }

  show() {
    const label = this.line.label(this.frame);
    const moving = Boolean(this.video && !this.video.paused);
    this.range.value = this.frame;
    this.range.setAttribute("aria-valuetext", label);
    this.section.querySelector("#timecode").value = label;
    this.section.querySelector("#frame-number").value = this.frame;
    this.section.classList.toggle("moving", moving);
    this.section.querySelector("[data-do=toggle]").setAttribute("aria-label", moving ? "Pause" : "Play");
    this.moved(this.frame);
  }
}
