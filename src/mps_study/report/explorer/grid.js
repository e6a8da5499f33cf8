// The grid: a button an image, one of them in the order of Tab, the others by arrow keys.
const grid = byId("grid");
const tiles = [];
let filter = null;
let shown = [];
let current = 0; // the image that Tab reaches

function tileOf(image) {
  if (tiles[image]) return tiles[image];
  const name = study.images.name[image];
  const thumbnail = element("img", {
    loading: "lazy",
    decoding: "async",
    src: `explorer/thumbnails/${fileName(image)}.webp`,
    alt: `photo, ${labelName(image)}`,
  });
  const button = element("button", { type: "button", tabindex: "-1", "data-image": image },
    element("span", { class: "thumbnail" }, thumbnail),
    element("span", { class: "name" }, name),
    element("span", { class: "facts" }));
  tiles[image] = element("li", {}, button);
  return tiles[image];
}

function tileFacts(image) {
  const { chosen } = filter;
  const said = chosen.map((model) => fact("correct", image, model));
  const count = (verdict) => said.filter((each) => each === verdict).length;
  const sets = chosen.filter((model) => fact("area", image, model) !== null).length;
  const verdict = labelled(image) ? `✓ ${count(1)} ✗ ${count(0)}` : "no label";
  const dice = meanDice(image, chosen);
  const parts = [verdict, `area ${percent(meanArea(image, chosen))}`];
  if (chosen.length > 1 && search === 0) parts.push(`Dice ${decimal(dice, 2)}`);
  if (sets < chosen.length) parts.push(`${chosen.length - sets} without a set`);
  return parts.join(" · ");
}

function refreshGrid() {
  filter = readFilter();
  const order = byId("order").value;
  const images = study.images.name.map((_, image) => image).filter((image) => shows(image, filter));
  shown = sorted(images, order, filter.chosen);
  grid.replaceChildren(...shown.map(tileOf));
  for (const image of shown) tiles[image].querySelector(".facts").textContent = tileFacts(image);
  makeCurrent(shown.includes(current) ? current : (shown[0] ?? 0));
  byId("count").textContent = `${shown.length} of ${imageCount} images`;
  byId("nothing").hidden = shown.length > 0;
}

function makeCurrent(image) {
  tiles[current]?.firstChild.setAttribute("tabindex", "-1");
  current = image;
  tiles[current]?.firstChild.setAttribute("tabindex", "0");
}

function columnsOfGrid() {
  const first = tiles[shown[0]].offsetTop;
  const below = shown.findIndex((image) => tiles[image].offsetTop !== first);
  return below < 0 ? shown.length : below;
}

grid.addEventListener("keydown", (event) => {
  const place = shown.indexOf(current);
  const moves = {
    ArrowLeft: () => place - 1,
    ArrowRight: () => place + 1,
    ArrowUp: () => place - columnsOfGrid(),
    ArrowDown: () => place + columnsOfGrid(),
    Home: () => 0,
    End: () => shown.length - 1,
  };
  if (!moves[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const next = shown[moves[event.key]()];
  if (next === undefined) return;
  makeCurrent(next);
  tiles[next].firstChild.focus();
});

grid.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) location.hash = encodeURIComponent(study.images.name[Number(button.dataset.image)]);
});

function fillControls() {
  for (const architecture of new Set(models.map((model) => model.architecture))) {
    const members = everyModel.filter((model) => models[model].architecture === architecture);
    const dot = element("span", { class: "dot", style: `background: ${models[members[0]].colour}` });
    const whole = element("input", { type: "checkbox", checked: "", "data-architecture": architecture });
    const boxes = members.map((model) => {
      const box = element("input", { type: "checkbox", checked: "", id: `model-${model}` });
      return element("label", {}, box, models[model].name);
    });
    byId("models").append(element("div", { class: "architecture", role: "group", "aria-label": architecture },
      element("label", { class: "whole" }, whole, dot, architecture), ...(members.length > 1 ? boxes : hiddenly(boxes))));
    const update = () => {
      const on = members.filter((model) => byId(`model-${model}`).checked).length;
      whole.checked = on > 0;
      whole.indeterminate = on > 0 && on < members.length;
    };
    whole.addEventListener("input", () => {
      for (const model of members) byId(`model-${model}`).checked = whole.checked;
    });
    for (const model of members) byId(`model-${model}`).addEventListener("input", update);
    byId("filters").addEventListener("reset", () => setTimeout(update));
  }
  if (!study.images.label.some((label) => label !== null)) byId("verdict").disabled = true;
  byId("look").closest("label").hidden = !hasMarks;
  if (new Set(study.images.half).size < 2) byId("half").closest("label").hidden = true;
  for (const choice of document.querySelectorAll(".search")) {
    choice.append(...everySearch.map((each) => element("option", { value: each }, searches[each])));
    choice.closest("label").hidden = searches.length < 2;
    choice.addEventListener("input", () => showSearch(Number(choice.value)));
  }
}

// Grid and panels show this search; both of its selects say so.
function showSearch(chosen) {
  search = chosen;
  for (const choice of document.querySelectorAll(".search")) choice.value = chosen;
  refreshGrid();
}

// The box of an architecture's only model stands behind the architecture's own.
function hiddenly(boxes) {
  for (const box of boxes) box.hidden = true;
  return [element("span", { class: "only" }, boxes[0].textContent), ...boxes];
}

fillControls();
if (matchMedia("(max-width: 40rem)").matches) byId("filter-box").open = false; // or they fill the first screen
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("input", refreshGrid);
byId("filters").addEventListener("reset", () => setTimeout(() => showSearch(0)));
refreshGrid();
