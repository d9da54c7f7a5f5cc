// Frames, media time and SMPTE labels of one scene. A frame is an integer.

export class Timeline {
  constructor({ rate, frames, first, drop, times_s }) {
    [this.num, this.den] = rate;
    this.frames = frames;
    this.first = first;
    this.drop = drop;
    this.times = times_s;
    this.base = Math.max(1, Math.round(this.num / this.den));
  }

  get fps() { return this.num / this.den; }

  clamp(frame) { return Math.min(this.frames - 1, Math.max(0, frame)); }

  // Seconds at the middle of a frame: as far as can be from both its neighbours.
  middle(frame) {
    if (!this.times.length) return ((frame + 0.5) * this.den) / this.num;
    const start = this.times[frame];
    return (start + (this.times[frame + 1] ?? start + this.den / this.num)) / 2;
  }

  // The frame on the screen at this media time; a quarter of a frame is forgiven to
  // containers that round their time stamps.
  at(seconds) {
    if (!this.times.length) return this.clamp(Math.floor((seconds * this.num) / this.den + 0.25));
    let low = 0;
    let high = this.times.length - 1;
    while (low < high) {
      const half = Math.ceil((low + high) / 2);
      if (this.times[half] <= seconds + 0.002) low = half; else high = half - 1;
    }
    return low;
  }

  // SMPTE ST 12-1 label; drop-frame skips labels in nine of ten minutes, never frames.
  label(frame) {
    let count = frame + this.first;
    if (this.drop) {
      const dropped = 2 * Math.round(this.num / this.den / (30_000 / 1_001));
      const minute = this.base * 60 - dropped;
      const tens = Math.floor(count / (minute * 10 + dropped));
      const rest = count % (minute * 10 + dropped);
      count += dropped * 9 * tens;
      if (rest >= this.base * 60) count += dropped * (1 + Math.floor((rest - this.base * 60) / minute));
    }
    const two = (n) => String(n).padStart(2, "0");
    const seconds = Math.floor(count / this.base);
    const frames = String(count % this.base).padStart(Math.max(2, String(this.base - 1).length), "0");
    return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${this.drop ? ";" : ":"}${frames}`;
  }
}
