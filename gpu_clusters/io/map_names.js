"use strict";

/**
 * Where names stand on a map: beside their circles, the first ones first, on no circle and no other name.
 * circles: all [x, y, radius] of the map; widths: of the names of the first circles; frame: [left, top, right, bottom];
 * taken: more boxes to keep free. The first `far` names may stand apart from their circles, with a line to them that crosses no
 * name; those of the first `insist` may be longer, and cross circles if there is no other way. What has no room is left out.
 */
function placeNames(circles, widths, frame, { taken = [], far = 40, insist = 10 } = {}) {
  const HALF = 8, NEXT = 6;  // half the height of a line; a name so near needs no line
  const directions = [0, 180, 90, 270, 45, 315, 135, 225, ...Array.from({ length: 8 }, (_, i) => 22 + 45 * i)]
    .map((angle) => [Math.cos((angle * Math.PI) / 180), -Math.sin((angle * Math.PI) / 180)]);
  const distances = [0, 9, 20, 34, 50, 70, 95, 125], short = 5;
  const symbols = circles.map(([x, y, r]) => [x - r, y - r, x + r, y + r]), names = [...taken];
  const meets = (boxes, [l, t, r, b], but = -1) => boxes.some((box, i) => i !== but && box[0] < r && box[2] > l && box[1] < b && box[3] > t);
  const along = ([x, y, endX, endY]) => {
    const parts = Math.max(2, Math.ceil(Math.hypot(endX - x, endY - y) / 3));
    return Array.from({ length: parts + 1 }, (_, i) => [x + ((endX - x) * i) / parts, y + ((endY - y) * i) / parts])
      .map(([px, py]) => [px - 0.7, py - 0.7, px + 0.7, py + 0.7]);
  };
  /** From the edge of a circle to the nearest point of a name; null where they are next to each other. */
  const lineTo = ([x, y, radius], [l, t, r, b]) => {
    const endX = Math.max(l, Math.min(r, x)), endY = Math.max(t, Math.min(b, y)), gap = Math.hypot(endX - x, endY - y);
    return gap < radius + NEXT ? null : [x + ((endX - x) * radius) / gap, y + ((endY - y) * radius) / gap, endX, endY];
  };
  const placed = [];
  widths.forEach((width, number) => {
    const [x, y, radius] = circles[number];
    if (x < frame[0] || y < frame[1] || x > frame[2] || y > frame[3]) return;
    let crossing = null;
    for (const distance of distances.slice(0, number < insist ? distances.length : number < far ? short : 1)) {
      for (const [right, down] of directions) {
        const away = radius + 3 + distance;
        const left = x + away * right - (right > 0.3 ? 0 : right < -0.3 ? width : width / 2);
        const middle = y + away * down + (down > 0.3 ? HALF : down < -0.3 ? -HALF : 0);
        const box = [left - 2, middle - HALF, left + width + 2, middle + HALF];
        if (box[0] < frame[0] || box[1] < frame[1] || box[2] > frame[2] || box[3] > frame[3]) continue;
        if (meets(symbols, box) || meets(names, box)) continue;
        const line = lineTo(circles[number], [left, middle - HALF + 2, left + width, middle + HALF - 2]);
        const steps = line ? along(line) : [];
        if (steps.some((step) => meets(names, step))) continue;
        const one = { number, left, middle, line, box, steps };
        if (!steps.some((step) => meets(symbols, step, number))) { placed.push(one); names.push(box, ...steps); return; }
        if (number < insist) crossing ??= one;
      }
    }
    if (crossing) { placed.push(crossing); names.push(crossing.box, ...crossing.steps); }
  });
  return placed;
}

/** Draws names where `placeNames` puts them, and returns its places. */
function drawNames(context, circles, names, frame, colors, options) {
  const most = 34, short = (letters) => (letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join(""));
  const texts = names.map((name) => short([...name]));  // not within a letter, as slices of a text may be
  context.font = '12px "Noto Sans", system-ui, sans-serif';
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const placed = placeNames(circles, texts.map((text) => context.measureText(text).width), frame, options);
  context.lineWidth = 1;
  context.strokeStyle = colors.line;
  for (const { line } of placed) {
    if (!line) continue;
    context.beginPath();
    context.moveTo(line[0], line[1]);
    context.lineTo(line[2], line[3]);
    context.stroke();
  }
  context.lineWidth = 3.5;
  context.strokeStyle = colors.halo;
  context.fillStyle = colors.ink;
  for (const { number, left, middle } of placed) {
    context.strokeText(texts[number], left, middle);
    context.fillText(texts[number], left, middle);
  }
  return placed;
}
