// What synthesis/engines/dialled.py does to the network's curve, for the eye while
// one draws. The server computes what is rendered; this only foretells it.

export function nearness(first, end, frame, blend) {
  const away = Math.max(first - frame, frame - (end - 1), 0);
  return Math.max(0, 1 - away / (blend + 1));
}

// The network's curve moved later by so many frames; the ends are held.
export function moved(curve, offset) {
  const last = curve.length - 1;
  return curve.map((_, frame) => {
    const at = Math.min(last, Math.max(0, frame - offset));
    const low = Math.floor(at);
    return curve[low] + (curve[Math.min(last, low + 1)] - curve[low]) * (at - low);
  });
}

// Groups of points that are joined: at most `join` frames apart. Sorted by frame.
export function joined(points, join) {
  const groups = [];
  for (const point of [...points].sort((a, b) => a.frame - b.frame)) {
    const group = groups.at(-1);
    if (group && point.frame - group.at(-1).frame <= join) group.push(point);
    else groups.push([point]);
  }
  return groups;
}

// The monotone cubic through a group of points at one frame, held off its ends.
export function curveAt(group, frame) {
  const at = Math.min(group.at(-1).frame, Math.max(group[0].frame, frame));
  if (group.length === 1) return group[0].value;
  const rise = (k) => (group[k + 1].value - group[k].value) / (group[k + 1].frame - group[k].frame);
  const slope = (k) => {
    if (k === 0 || k === group.length - 1) return 0;
    const [before, after] = [rise(k - 1), rise(k)];
    return before * after > 0 ? (2 * before * after) / (before + after) : 0;
  };
  let k = 0;
  while (k < group.length - 2 && group[k + 1].frame <= at) k += 1;
  const [one, two] = [group[k], group[k + 1]];
  const width = two.frame - one.frame;
  const t = (at - one.frame) / width;
  return one.value + (two.value - one.value) * t * t * (3 - 2 * t)
    + width * (t * (1 - t) ** 2 * slope(k) - t * t * (1 - t) * slope(k + 1));
}

// curve: one value a frame. ranges and points count frames from the curve's first.
export function dialled(curve, { offset, intensity, ranges, points, blend, join }) {
  const whole = moved(curve, offset);
  const own = ranges.map((range) => moved(curve, range.offset));
  const groups = joined(points, join);
  return curve.map((_, frame) => {
    const weights = ranges.map((range) => nearness(range.first, range.end, frame, blend));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let value = whole[frame] * intensity * Math.max(0, 1 - total);
    weights.forEach((weight, k) => { value += weight * own[k][frame] * ranges[k].intensity; });
    value /= Math.max(1, total);
    for (const group of groups) {
      const weight = nearness(group[0].frame, group.at(-1).frame + 1, frame, blend);
      value += weight * (curveAt(group, frame) - value);
    }
    return value;
  });
}
