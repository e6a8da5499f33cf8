// How sets are drawn on a photo: kept pixels in colour inside a white line, the rest dimmed, as in the report's figures.
const ONLY_A = "#56B4E9"; // Okabe and Ito's sky blue and orange: told apart under every common colour blindness
const ONLY_B = "#E69F00";
const BOTH = "#FFFFFF";
const FURTHER = ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7"]; // lines of further sets, in turn
const SMALL = 0.08; // a set narrower than this share of the picture gets a ring, so that it is found
const SQUARES_BELOW = 64; // a photo of so few pixels is drawn as squares

const layer = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

// The canvas with as many pixels as the screen shows of it, in the frame's aspect; null while it is not laid out.
function prepared(canvas, image) {
  const [top, left, bottom, right] = image.frame;
  canvas.style.aspectRatio = `${right - left} / ${bottom - top}`;
  const width = Math.round(canvas.clientWidth * Math.min(devicePixelRatio || 1, 2));
  if (!width) return null;
  canvas.width = width;
  canvas.height = Math.max(1, Math.round((width * (bottom - top)) / (right - left)));
  return canvas.getContext("2d");
}

// Where a model's view lies on the canvas: x, y, width, height.
function placeOf(view, image, canvas) {
  const [top, left, bottom, right] = image.frame;
  const across = canvas.width / (right - left);
  const down = canvas.height / (bottom - top);
  return [(view[1] - left) * across, (view[0] - top) * down, (view[3] - view[1]) * across, (view[2] - view[0]) * down];
}

function paintPhoto(context, image) {
  const { width, height } = context.canvas;
  context.imageSmoothingEnabled = !image.photo || image.photo.naturalWidth >= SQUARES_BELOW;
  context.imageSmoothingQuality = "high";
  if (image.photo) context.drawImage(image.photo, 0, 0, width, height);
  else {
    context.fillStyle = "#808080";
    context.fillRect(0, 0, width, height);
  }
}

function paintDimmed(context, image, darkness = 0.58) {
  const { width, height } = context.canvas;
  paintPhoto(context, image);
  context.globalCompositeOperation = "saturation";
  context.fillStyle = "#808080";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  context.fillStyle = `rgba(12, 12, 12, ${darkness})`;
  context.fillRect(0, 0, width, height);
}

// What lies outside the model's view is darker still.
function paintUnseen(context, view, image) {
  const { width, height } = context.canvas;
  const place = placeOf(view, image, context.canvas);
  context.save();
  const outside = new Path2D();
  outside.rect(0, 0, width, height);
  outside.rect(...place);
  context.clip(outside, "evenodd");
  context.fillStyle = "rgba(0, 0, 0, 0.6)";
  context.fillRect(0, 0, width, height);
  context.restore();
}

// A canvas of the picture's size, opaque in `colour` where the set is.
function setLayer(seen, image, canvas, colour) {
  const [height, width] = seen.mask;
  const small = layer(width, height);
  const pixels = new ImageData(width, height);
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const word = new Uint32Array(new Uint8Array([r, g, b, 255]).buffer)[0];
  const words = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < words.length; i++) if (seen.bits[i]) words[i] = word;
  small.getContext("2d").putImageData(pixels, 0, 0);
  const large = layer(canvas.width, canvas.height);
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, ...placeOf(seen.view, image, canvas));
  return large;
}

function combined(one, other, operation) {
  const made = layer(one.width, one.height);
  const context = made.getContext("2d");
  context.drawImage(one, 0, 0);
  context.globalCompositeOperation = operation;
  context.drawImage(other, 0, 0);
  return made;
}

// The border of the set as a path on the canvas: runs of pixel edges with a kept pixel on one side only.
function borderOf(seen, image, canvas) {
  const [height, width] = seen.mask;
  const [x0, y0, wide, high] = placeOf(seen.view, image, canvas);
  const padded = new Uint8Array((height + 2) * (width + 2));
  for (let row = 0; row < height; row++)
    padded.set(seen.bits.subarray(row * width, (row + 1) * width), (row + 1) * (width + 2) + 1);
  const at = (row, column) => padded[(row + 1) * (width + 2) + column + 1];
  const path = new Path2D();
  const runs = (lines, length, edge, draw) => {
    for (let line = 0; line <= lines; line++)
      for (let start = 0; start < length; start++) {
        if (!edge(line, start)) continue;
        let end = start;
        while (end < length && edge(line, end)) end++;
        draw(line, start, end);
        start = end;
      }
  };
  const x = (column) => x0 + (column / width) * wide;
  const y = (row) => y0 + (row / height) * high;
  runs(height, width, (row, column) => at(row - 1, column) !== at(row, column), (row, start, end) => {
    path.moveTo(x(start), y(row));
    path.lineTo(x(end), y(row));
  });
  runs(width, height, (column, row) => at(row, column - 1) !== at(row, column), (column, start, end) => {
    path.moveTo(x(column), y(start));
    path.lineTo(x(column), y(end));
  });
  const ring = ringOf(seen, x, y);
  if (ring) path.addPath(ring);
  return path;
}

function ringOf(seen, x, y) {
  const [height, width] = seen.mask;
  let [top, left, bottom, right] = [height, width, -1, -1];
  for (let row = 0; row < height; row++) {
    const line = seen.bits.subarray(row * width, (row + 1) * width);
    const first = line.indexOf(1);
    if (first < 0) continue;
    top = Math.min(top, row);
    bottom = row;
    left = Math.min(left, first);
    right = Math.max(right, line.lastIndexOf(1));
  }
  const side = Math.max(right - left, bottom - top) + 1;
  if (bottom < 0 || side >= SMALL * width) return null;
  const ring = new Path2D();
  const radius = x(side / 2 + (SMALL / 2) * width) - x(0);
  ring.arc(x((left + right + 1) / 2), y((top + bottom + 1) / 2), radius, 0, 2 * Math.PI);
  return ring;
}

function paintLine(context, path, colour = "#FFFFFF", dashes = []) {
  const fine = context.canvas.width / Math.max(1, context.canvas.clientWidth);
  context.lineCap = "round";
  for (const [wide, style] of [[3, "#000000"], [1.4, colour]]) {
    context.lineWidth = wide * fine;
    context.strokeStyle = style;
    context.setLineDash(style === "#000000" ? [] : dashes.map((dash) => dash * fine));
    context.stroke(path);
  }
  context.setLineDash([]);
}

// A panel of one model: its set lit on the photo, or its responsibility over it.
function drawSighting(canvas, image, seen, heat) {
  const context = prepared(canvas, image);
  if (!context) return;
  const showsHeat = heat && seen?.heights;
  paintDimmed(context, image, showsHeat ? 0.2 : 0.58);
  const others = showsHeat ? [] : (seen?.others ?? []);
  if (seen?.mask && !showsHeat) {
    const lit = layer(canvas.width, canvas.height);
    paintPhoto(lit.getContext("2d"), image);
    const kept = [seen, ...others].map((each) => setLayer(each, image, canvas, BOTH));
    const any = kept.reduce((one, other) => combined(one, other, "source-over"));
    context.drawImage(combined(lit, any, "destination-in"), 0, 0);
  }
  if (showsHeat) paintHeat(context, seen, image);
  if (seen) paintUnseen(context, seen.view, image);
  others.forEach((each, i) => {
    const colour = FURTHER[i % FURTHER.length];
    paintLine(context, borderOf(each, image, canvas), colour);
    paintNumber(context, each, image, canvas, i + 2, colour);
  });
  if (seen?.mask) paintLine(context, borderOf(seen, image, canvas));
}

// The number of a further set, by the order in which they were found, on the middle one of its pixels.
function paintNumber(context, seen, image, canvas, number, colour) {
  const middle = Math.floor(seen.bits.reduce((sum, bit) => sum + bit, 0) / 2);
  let at = -1;
  for (let left = middle; left >= 0 && at < seen.bits.length; ) if (seen.bits[++at]) left--;
  const [height, width] = seen.mask;
  const [x0, y0, wide, high] = placeOf(seen.view, image, canvas);
  const fine = canvas.width / Math.max(1, canvas.clientWidth);
  context.font = `bold ${13 * fine}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3 * fine;
  context.strokeStyle = "#000000";
  context.fillStyle = colour;
  const place = [x0 + (((at % width) + 0.5) / width) * wide, y0 + ((Math.floor(at / width) + 0.5) / height) * high];
  context.strokeText(number, ...place);
  context.fillText(number, ...place);
}

function paintHeat(context, seen, image) {
  const [height, width] = seen.heat;
  const small = layer(width, height);
  const pixels = new ImageData(width, height);
  seen.heights.forEach((value, i) => {
    pixels.data.set([...study.heat[Math.round((value / 255) * (study.heat.length - 1))], 255], 4 * i);
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.save();
  context.globalAlpha = 0.7;
  context.imageSmoothingEnabled = width >= SQUARES_BELOW / 2;
  context.drawImage(small, ...placeOf(seen.view, image, context.canvas));
  context.restore();
}

// Two sets on one photo: A alone plain, B alone hatched, both white; the field that both models saw is framed.
function drawOverlay(canvas, image, a, b) {
  const context = prepared(canvas, image);
  if (!context) return;
  paintDimmed(context, image, 0.5);
  const layers = { a: a?.mask && setLayer(a, image, canvas, ONLY_A), b: b?.mask && setLayer(b, image, canvas, ONLY_B) };
  const paint = (made, strength) => {
    context.globalAlpha = strength;
    context.drawImage(made, 0, 0);
    context.globalAlpha = 1;
  };
  if (layers.a) paint(layers.b ? combined(layers.a, layers.b, "destination-out") : layers.a, 0.72);
  if (layers.b) {
    const alone = layers.a ? combined(layers.b, layers.a, "destination-out") : layers.b;
    paint(hatched(alone), 0.85);
  }
  if (layers.a && layers.b)
    paint(combined(setLayer(a, image, canvas, BOTH), layers.b, "destination-in"), 0.5);
  for (const seen of [a, b]) if (seen) paintUnseen(context, seen.view, image);
  if (layers.a) paintLine(context, borderOf(a, image, canvas), ONLY_A);
  if (layers.b) paintLine(context, borderOf(b, image, canvas), ONLY_B, [5, 4]);
}

function hatched(filled) {
  const step = Math.max(6, Math.round(filled.width / 60));
  const tile = layer(step, step);
  const lines = tile.getContext("2d");
  lines.globalAlpha = 0.45;
  lines.fillRect(0, 0, step, step);
  lines.globalAlpha = 1;
  lines.lineWidth = step / 3;
  for (const shift of [-step, 0, step]) {
    lines.beginPath();
    lines.moveTo(shift - 1, step + 1);
    lines.lineTo(shift + step + 1, -1);
    lines.stroke();
  }
  const pattern = layer(filled.width, filled.height);
  const context = pattern.getContext("2d");
  context.fillStyle = context.createPattern(tile, "repeat");
  context.fillRect(0, 0, filled.width, filled.height);
  return combined(filled, pattern, "destination-in");
}
