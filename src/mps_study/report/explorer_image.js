// The dialog of one image. The address holds its name (#val_0017), so that an image can be linked to.
const dialog = byId("image");
let opened = null; // position of the image in the dialog
let openedImage = null; // its data, once it is there
const panels = models.map((model, place) => {
  const canvas = element("canvas", { role: "img", width: 1, height: 1 });
  const caption = element("figcaption");
  const panel = element("figure", { class: "panel", style: `--architecture: ${model.colour}` }, canvas, caption);
  byId("panels").append(panel);
  return { canvas, caption, panel, place };
});
byId("panels").classList.toggle("few", models.length <= 4);
for (const id of ["model-a", "model-b"])
  byId(id).append(...models.map((model, place) => element("option", { value: place }, `${model.name} (${model.architecture})`)));

const positionOf = new Map(study.images.name.map((name, position) => [name, position]));
const addressOf = (position) => `#${encodeURIComponent(study.images.name[position])}`;

function followAddress() {
  let name = "";
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch {} // a broken address opens nothing
  const position = positionOf.get(name);
  if (position === undefined) {
    if (dialog.open) dialog.close();
  } else openImage(position);
}

async function openImage(position) {
  opened = position;
  openedImage = null;
  const name = study.images.name[position];
  byId("image-name").textContent = name;
  const place = shown.indexOf(position);
  const among = place < 0 ? "not among the images that the filter shows" : `${place + 1} of ${shown.length} shown`;
  byId("image-facts").textContent = [
    labelled(position) ? `label: ${labelName(position)}` : "no label",
    among,
    `mean Dice of ${filter.chosen.length === models.length ? "all" : "the chosen"} models ${decimal(meanDice(position, filter.chosen), 2)}`,
  ].join(" · ");
  linkTo("previous", shown[place - 1]);
  linkTo("next", place < 0 ? shown[0] : shown[place + 1]);
  const apart = nextMostApart(position);
  linkTo("apart", apart);
  byId("apart-of").textContent = apart === undefined ? "none after this one" : `${study.images.name[apart]}, Dice ${decimal(meanDice(apart, filter.chosen), 2)}`;
  describePanels(position);
  say("Loading …");
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  try {
    const image = await loadImage(position);
    if (opened !== position) return;
    openedImage = image;
    say("");
    choosePair(image);
    draw();
    const after = shown[place + 1];
    if (place >= 0 && after !== undefined) loadImage(after).catch(() => {}); // said when it is opened
  } catch (error) {
    if (opened === position) say(error.message);
  }
}

function say(text) {
  byId("said").textContent = text;
  dialog.classList.toggle("empty", text !== "");
}

function linkTo(id, position) {
  const link = byId(id);
  if (position === undefined) link.removeAttribute("href");
  else link.href = addressOf(position);
}

// The shown image whose chosen models agree next less badly; the most disagreeing one for an image that has no Dice.
function nextMostApart(position) {
  const { chosen } = filter;
  const order = sorted(shown.filter((image) => meanDice(image, chosen) !== null), "apart", chosen);
  const place = order.indexOf(position);
  return order[place + 1];
}

function describePanels(position) {
  for (const { canvas, caption, place } of panels) {
    const [status, correct, target] = ["status", "correct", "target"].map((name) => fact(name, position, place));
    const [area, confidence] = ["area", "confidence"].map((name) => fact(name, position, place));
    const sign = correct === null ? "" : correct ? "✓ " : "✗ ";
    const set = area !== null ? `area ${percent(area)}, conf. ${decimal(confidence, 2)}` : `no MPS (${status ?? "not searched"})`;
    const small = status && status !== "found" && area !== null ? `${set}, status ${status}` : set;
    caption.replaceChildren(
      element("strong", {}, models[place].name),
      element("span", {}, `${sign}${className(target)}`),
      element("span", {}, small));
    const verdict = correct === null ? "" : correct ? ", right" : ", wrong";
    canvas.setAttribute("aria-label", `${study.images.name[position]} as ${models[place].name} (${models[place].architecture}) needs it: class ${className(target)}${verdict}; ${small}`);
  }
}

// The pair stays while one goes from image to image, if both models have a set; else the one that overlaps least.
let pairOfImage = null;
function choosePair(image) {
  const has = (model) => Boolean(image.sightings[model]?.mask);
  const [a, b] = ["model-a", "model-b"].map((id) => Number(byId(id).value));
  byId("overlay").hidden = models.length < 2;
  if (pairOfImage && a !== b && has(a) && has(b)) return;
  let least = null;
  for (const one of everyModel)
    for (const other of everyModel.slice(one + 1)) {
      const dice = image.pairs.dice[pairPlace[one][other]];
      if (dice !== null && (least === null || dice < least.dice)) least = { one, other, dice };
    }
  pairOfImage = least;
  byId("model-a").value = least?.one ?? 0;
  byId("model-b").value = least?.other ?? Math.min(1, models.length - 1);
}

function draw() {
  if (!openedImage || !dialog.open) return;
  const heat = byId("heat").checked;
  const anyHeat = openedImage.sightings.some((seen) => seen?.heights);
  byId("heat").disabled = !anyHeat;
  byId("heat-key").hidden = !(heat && anyHeat);
  byId("no-heat").hidden = anyHeat;
  byId("further-key").hidden = heat || !openedImage.sightings.some((seen) => seen?.others.length);
  for (const { canvas, place, panel } of panels) {
    const seen = openedImage.sightings[place];
    drawSighting(canvas, openedImage, seen, heat);
    panel.title = heat && seen?.scale ? seen.scale : "";
  }
  drawPair();
}

function drawPair() {
  if (models.length < 2) return;
  const [a, b] = ["model-a", "model-b"].map((id) => Number(byId(id).value));
  const names = [models[a].name, models[b].name];
  const numbers = a === b ? "Choose two different models." : pairNumbers(openedImage.pairs, pairPlace[a][b]);
  byId("pair-numbers").textContent = numbers;
  byId("only-a").textContent = `${names[0]} alone`;
  byId("only-b").textContent = `${names[1]} alone`;
  const canvas = byId("overlay-canvas");
  canvas.setAttribute("aria-label", `The sets of ${names[0]} and ${names[1]} on ${openedImage.image}. ${numbers}`);
  drawOverlay(canvas, openedImage, openedImage.sightings[a], openedImage.sightings[b]);
}

function pairNumbers(pairs, pair) {
  const status = pairs.status[pair];
  if (status !== "ok" && status !== "one empty") return `Not compared: ${status}.`;
  const distance = status === "one empty" ? "∞ (one set lies outside the field that both saw)" : `${decimal(pairs.hausdorff[pair], 1)} px of the source image`;
  return `Dice ${decimal(pairs.dice[pair], 3)} (1 = same pixels), Hausdorff distance ${distance}.`;
}

addEventListener("hashchange", followAddress);
dialog.addEventListener("close", () => {
  const last = opened;
  opened = openedImage = null;
  history.replaceState(null, "", location.pathname + location.search);
  if (shown.includes(last)) {
    makeCurrent(last);
    tiles[last].firstChild.focus();
  }
});
dialog.addEventListener("keydown", (event) => {
  const keys = { ArrowLeft: "previous", ArrowRight: "next", d: "apart", D: "apart" };
  const chooses = event.target.matches("select, input");
  if (!keys[event.key] || chooses || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (byId(keys[event.key]).href) location.hash = byId(keys[event.key]).hash;
});
byId("close").addEventListener("click", () => dialog.close());
for (const id of ["sets", "heat"]) byId(id).addEventListener("change", draw);
for (const id of ["model-a", "model-b"]) byId(id).addEventListener("change", () => {
  pairOfImage = {}; // chosen by hand
  drawPair();
});
let waiting = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(draw);
});
followAddress();
