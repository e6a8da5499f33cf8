// Which images are shown, and in which order.
const verdicts = {
  any: null,
  right: (image, model) => fact("correct", image, model) === 1,
  wrong: (image, model) => fact("correct", image, model) === 0,
  nothing: (image, model) => fact("area", image, model) === null,
};

// Beside the object: less of the set lies inside it than chance would give.
const looks = {
  any: null,
  beside: (image, model) => fact("beside", image, model) === 1,
  at: (image, model) => fact("beside", image, model) === 0,
};

function readFilter() {
  const share = (id) => (byId(id).value === "" ? null : Number(byId(id).value) / 100);
  return {
    chosen: everyModel.filter((model) => byId(`model-${model}`).checked),
    every: byId("quantifier").value === "every",
    verdict: byId("verdict").value,
    half: byId("half").value,
    look: byId("look").value,
    area: [share("area-low"), share("area-high")],
    confidence: [share("confidence-low"), share("confidence-high")],
    words: byId("words").value.trim().toLowerCase(),
  };
}

const within = (value, [low, high]) =>
  (low === null && high === null) || (value !== null && (low === null || value >= low) && (high === null || value <= high));

// All conditions on a record must hold for the same model: "some model is wrong with a set below 5%".
function shows(image, filter) {
  if (filter.half !== "any" && study.images.half[image] !== filter.half) return false;
  if (filter.words && !searchText(image).includes(filter.words)) return false;
  const { chosen, verdict } = filter;
  if (!chosen.length) return false;
  if (verdict === "split") {
    const said = chosen.map((model) => fact("correct", image, model));
    if (!said.includes(1) || !said.includes(0)) return false;
  }
  const [judge, look] = [verdicts[verdict], looks[filter.look]];
  const fits = (model) =>
    (!judge || judge(image, model)) &&
    (!look || look(image, model)) &&
    within(fact("area", image, model), filter.area) &&
    within(fact("confidence", image, model), filter.confidence);
  return filter.every ? chosen.every(fits) : chosen.some(fits);
}

const searchTexts = [];
function searchText(image) {
  searchTexts[image] ??= [
    study.images.name[image],
    labelName(image),
    ...everyModel.flatMap((model) => ["target", "kept"].map((name) => className(fact(name, image, model)))),
  ].join("\n").toLowerCase();
  return searchTexts[image];
}

// Numbers to sort by, smallest first; images without one come last, equals in the order of the study.
const orders = {
  study: (image) => image,
  apart: (image, chosen) => meanDice(image, chosen),
  alike: (image, chosen) => negative(meanDice(image, chosen)),
  small: (image, chosen) => meanArea(image, chosen),
  large: (image, chosen) => negative(meanArea(image, chosen)),
};
const negative = (value) => (value === null ? null : -value);

function sorted(images, order, chosen) {
  const key = new Map(images.map((image) => [image, orders[order](image, chosen) ?? Infinity]));
  return [...images].sort((a, b) => (key.get(a) === key.get(b) ? a - b : key.get(a) < key.get(b) ? -1 : 1));
}
