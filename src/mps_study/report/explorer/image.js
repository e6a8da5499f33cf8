// The dialog of one image. The address holds its name (#val_0017), so that an image can be linked to.
const dialog = byId("image");
let opened = null; // position of the image in the dialog
let openedImage = null; // its data, once it is there
const panels = models.map((model, place) => {
  const canvas = element("canvas", { role: "img", width: 1, height: 1 });
  const caption = element("figcaption");
  const also = element("div", { class: "also", hidden: "" },
    element("canvas", { role: "img", width: 1, height: 1 }), element("p", {}));
  const panel = element("figure", { class: "panel", style: `--architecture: ${model.colour}` }, canvas, caption, also);
  byId("panels").append(panel);
  return { canvas, caption, panel, place, also };
});
byId("panels").classList.toggle("few", models.length <= 4);
for (const id of ["model-a", "model-b"])
  byId(id).append(...models.map((model, place) => element("option", { value: place }, `${model.name} (${model.architecture})`)));
for (const id of ["search-a", "search-b"]) {
  byId(id).append(...searches.map((name, place) => element("option", { value: place }, name)));
  byId(id).hidden = searches.length < 2;
}

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
    search ? searches[search] : `mean Dice of ${filter.chosen.length === models.length ? "all" : "the chosen"} models ${decimal(meanDice(position, filter.chosen), 2)}`,
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

// Of an answer that is wrong: the search, beside the one shown, whose set keeps the other one of the given class and the
// label; undefined without one.
function otherSearch(position, model) {
  if (fact("correct", position, model) !== 0) return undefined;
  const given = fact("target", position, model);
  const wanted = keptBy(position, model, search) === given ? study.images.label[position] : given;
  return everySearch.find((of) => of !== search && factBy("status", position, model, of) && keptBy(position, model, of) === wanted);
}

// "area 5%, conf. 0.61", of another class than the model's with its name; or why there is no set.
function aboutSet(position, model, of) {
  const [status, area, confidence, kept, reason] =
    ["status", "area", "confidence", "kept", "reason"].map((name) => factBy(name, position, model, of));
  const whose = kept === null ? "" : ` of ${className(kept)}`;
  if (area === null) return `no MPS${whose} (${reason ?? status ?? "not searched"})`;
  const inside = hasMarks ? factBy("inside", position, model, of) : null;
  const where = inside === null ? "" : `, ${percent(inside)} inside the marked object`;
  const set = `area ${percent(area)}, conf.${whose} ${decimal(confidence, 2)}${where}`;
  return status !== "found" ? `${set}, status ${status}` : set;
}

function describePanels(position) {
  for (const { canvas, caption, place, also } of panels) {
    const [correct, target] = ["correct", "target"].map((name) => fact(name, position, place));
    const sign = correct === null ? "" : correct ? "✓ " : "✗ ";
    const small = aboutSet(position, place, search);
    caption.replaceChildren(
      element("strong", {}, models[place].name),
      element("span", {}, `${sign}${className(target)}`),
      element("span", {}, small));
    const verdict = correct === null ? "" : correct ? ", right" : ", wrong";
    canvas.setAttribute("aria-label", `${study.images.name[position]} as ${models[place].name} (${models[place].architecture}) needs it: class ${className(target)}${verdict}; ${small}`);
    const of = otherSearch(position, place);
    also.hidden = of === undefined;
    if (of === undefined) continue;
    const kept = keptBy(position, place, of);
    const said = `${kept === study.images.label[position] ? "The label" : "The class given"}, ${className(kept)}: ${aboutSet(position, place, of)} (search ${searches[of]})`;
    also.lastChild.replaceChildren(said);
    also.firstChild.setAttribute("aria-label", `${study.images.name[position]}, ${models[place].name}. ${said}`);
  }
}

// A set in the overlay is a model's by a search. The pair stays while one goes from image to image, if both have a set;
// else, by the study's own search, it is the two models that overlap least, and by another, a model's sets by both.
let pairOfImage = null;
const chosenPair = () => ["a", "b"].map((side) => [Number(byId(`model-${side}`).value), Number(byId(`search-${side}`).value)]);
const samePlace = (a, b) => a[0] === b[0] && a[1] === b[1];
const hasSet = (image, [model, of]) => Boolean(sightingOf(image, model, of)?.mask);

function choosePair(image) {
  const [a, b] = chosenPair();
  byId("overlay").hidden = models.length < 2 && searches.length < 2;
  if (pairOfImage && !samePlace(a, b) && hasSet(image, a) && hasSet(image, b)) return;
  pairOfImage = search || models.length < 2 ? twoSearches(image) : twoModels(image);
  const pair = pairOfImage ?? [[0, 0], [Math.min(1, models.length - 1), 0]];
  for (const [i, side] of ["a", "b"].entries()) [byId(`model-${side}`).value, byId(`search-${side}`).value] = pair[i];
}

function twoModels(image) {
  let least = null;
  for (const one of everyModel)
    for (const other of everyModel.slice(one + 1)) {
      const dice = image.pairs.dice[pairPlace[one][other]];
      if (dice !== null && (least === null || dice < least.dice)) least = { pair: [[one, 0], [other, 0]], dice };
    }
  return least?.pair ?? null;
}

function twoSearches(image) {
  const other = search || 1;
  const model = everyModel.find((each) => hasSet(image, [each, 0]) && hasSet(image, [each, other]));
  return model === undefined || searches.length < 2 ? null : [[model, 0], [model, other]];
}

function draw() {
  if (!openedImage || !dialog.open) return;
  const heat = byId("heat").checked;
  const shownSightings = everyModel.map((model) => sightingOf(openedImage, model));
  const anyHeat = shownSightings.some((seen) => seen?.heights);
  byId("heat").disabled = !anyHeat;
  byId("heat-key").hidden = !(heat && anyHeat);
  byId("no-heat").hidden = anyHeat;
  byId("further-key").hidden = heat || !shownSightings.some((seen) => seen?.others.length);
  for (const { canvas, place, panel, also } of panels) {
    const seen = shownSightings[place];
    drawSighting(canvas, openedImage, seen, heat);
    panel.title = heat && seen?.scale ? seen.scale : "";
    if (!also.hidden) drawSighting(also.firstChild, openedImage, sightingOf(openedImage, place, otherSearch(opened, place)), heat);
  }
  drawPair();
}

function drawPair() {
  if (byId("overlay").hidden) return;
  const [a, b] = chosenPair();
  const names = [a, b].map(([model, of]) => (searches.length < 2 ? models[model].name : `${models[model].name}, ${searches[of]}`));
  const numbers = pairNumbers(openedImage, a, b);
  byId("pair-numbers").textContent = numbers;
  byId("only-a").textContent = `${names[0]} alone`;
  byId("only-b").textContent = `${names[1]} alone`;
  const canvas = byId("overlay-canvas");
  canvas.setAttribute("aria-label", `The sets of ${names[0]} and ${names[1]} on ${openedImage.image}. ${numbers}`);
  drawOverlay(canvas, openedImage, sightingOf(openedImage, ...a), sightingOf(openedImage, ...b));
}

function pairNumbers(image, a, b) {
  if (samePlace(a, b)) return `Choose two different ${searches.length < 2 ? "models" : "sets"}.`;
  if (a[0] === b[0]) {
    const dice = image.searchPairs[a[0]][searchPairPlace[a[1]][b[1]]];
    return dice === null ? "Not compared: missing." : `Dice ${decimal(dice, 3)} (1 = same pixels) of the model's input.`;
  }
  if (a[1] || b[1]) return `Not measured: two models are compared by the search ${searches[0]}, two searches by the same model.`;
  const pair = pairPlace[a[0]][b[0]];
  const status = image.pairs.status[pair];
  if (status !== "ok" && status !== "one empty") return `Not compared: ${status}.`;
  const distance = status === "one empty" ? "∞ (one set lies outside the field that both saw)" : `${decimal(image.pairs.hausdorff[pair], 1)} px of the source image`;
  return `Dice ${decimal(image.pairs.dice[pair], 3)} (1 = same pixels), Hausdorff distance ${distance}.`;
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
for (const id of ["model-a", "model-b", "search-a", "search-b"]) byId(id).addEventListener("change", () => {
  pairOfImage = chosenPair(); // by hand
  drawPair();
});
dialog.querySelector(".search").addEventListener("change", () => {
  pairOfImage = null;
  openImage(opened);
});
let waiting = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(draw);
});
followAddress();
