// One image's data: asked for by a script element, since a page opened from disk may not fetch; kept for a while.
const kept = new Map(); // position -> promise of the unpacked image, the last used at the end
const MOST_KEPT = 24;
const again = () => `draw the report again: ${study.again}`;
const arrivals = new Map(); // position -> what to do with the data
const fileName = (position) => String(position).padStart(4, "0");

function receiveImage(position, facts) {
  arrivals.get(position)?.(facts);
}

function loadImage(position) {
  const before = kept.get(position);
  const image = before ?? requestImage(position).then(unpacked);
  kept.delete(position);
  kept.set(position, image);
  image.catch(() => kept.delete(position));
  for (const old of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(old);
  return image;
}

function requestImage(position) {
  const path = `explorer/images/${fileName(position)}.js`;
  const name = study.images.name[position];
  return new Promise((resolve, reject) => {
    arrivals.set(position, (facts) => {
      if (facts.image === name && facts.run === study.run) resolve(facts);
      else reject(new Error(`${path} is of another run than explorer.html; ${again()}`));
    });
    const script = element("script", { src: path });
    script.onload = () => {
      script.remove();
      reject(new Error(`${path} is not whole; ${again()}`)); // unless it has arrived: a promise is settled once
    };
    script.onerror = () => {
      script.remove();
      reject(new Error(`${path} is missing. Keep the folder “explorer” beside explorer.html, or ${again()}`));
    };
    document.head.append(script);
  }).finally(() => arrivals.delete(position));
}

// The facts with `bits` (one byte a pixel, 1 = kept), the same of `others`, its further sets, and `heights` (one byte a
// cell) for each sighting that has them.
async function unpacked(facts) {
  const bytes = await inflate(facts.packed);
  let place = 0;
  const take = (count) => bytes.subarray(place, (place += count));
  const takeSet = ([height, width]) => {
    const packed = take(Math.ceil((height * width) / 8));
    const bits = new Uint8Array(height * width);
    for (let i = 0; i < bits.length; i++) bits[i] = (packed[i >> 3] >> (7 - (i & 7))) & 1;
    return bits;
  };
  const sightings = facts.sightings.map((seen) => seen && { ...seen, others: [] });
  for (const seen of sightings)
    if (seen?.mask) {
      seen.bits = takeSet(seen.mask);
      for (let i = 0; i < seen.further; i++) seen.others.push({ ...seen, bits: takeSet(seen.mask) });
    }
  for (const seen of sightings) if (seen?.heat) seen.heights = take(seen.heat[0] * seen.heat[1]);
  const photo = facts.photo ? await decodedPhoto(facts.photo) : null;
  return { ...facts, sightings, photo };
}

async function inflate(base64) {
  if (!("DecompressionStream" in window))
    throw new Error("This browser cannot unpack the sets (no DecompressionStream). Any browser of 2023 or later can.");
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function decodedPhoto(source) {
  const photo = new Image();
  photo.src = source;
  await photo.decode();
  return photo;
}
