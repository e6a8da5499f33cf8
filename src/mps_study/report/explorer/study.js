"use strict";
// The facts of the whole study, as `report/explorer.py` wrote them, and how to read them.
const study = JSON.parse(document.getElementById("study").textContent);
const models = study.models;
const imageCount = study.images.name.length;
const everyModel = models.map((_, model) => model);
const searches = study.searches; // names, the study's own first
const everySearch = searches.map((_, search) => search);
let search = 0; // the one that grid and panels show

// Where the pair of two things stands in a list of all pairs: places[a][b], in the order of Python's combinations.
function placesOfPairs(count) {
  const places = Array.from({ length: count }, () => []);
  let place = 0;
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) places[a][b] = places[b][a] = place++;
  return places;
}
const pairPlace = placesOfPairs(models.length);
const pairCount = (models.length * (models.length - 1)) / 2;
const searchPairPlace = placesOfPairs(searches.length);

const recordPlace = (image, model) => (search * imageCount + image) * models.length + model;
const sightingOf = (image, model, of = search) => image.sightings[of * models.length + model];
const factBy = (name, image, model, of) => study.records[name][(of * imageCount + image) * models.length + model];
const fact = (name, image, model) => study.records[name][recordPlace(image, model)];
const className = (index) => (index === null ? "no class" : study.classes[index]);
// Whether people marked where the object is; only then records say how much of a set lies inside.
const hasMarks = "inside" in study.records;
const labelled = (image) => study.images.label[image] !== null;
// The class that a set keeps: the one that was asked for, or the model's own answer.
const keptBy = (image, model, of) => factBy("kept", image, model, of) ?? factBy("target", image, model, of);
const labelName = (image) => (labelled(image) ? className(study.images.label[image]) : "no label");

// Mean Dice of every two of the chosen models that can be compared; null when no two can. Models are compared by the
// study's own search.
function meanDice(image, chosen) {
  if (search !== 0) return null;
  let sum = 0;
  let n = 0;
  for (let i = 0; i < chosen.length; i++)
    for (let j = i + 1; j < chosen.length; j++) {
      const dice = study.dice[image * pairCount + pairPlace[chosen[i]][chosen[j]]];
      if (dice === null) continue;
      sum += dice / 1000;
      n += 1;
    }
  return n ? sum / n : null;
}

function meanArea(image, chosen) {
  const areas = chosen.map((model) => fact("area", image, model)).filter((area) => area !== null);
  return areas.length ? areas.reduce((a, b) => a + b) / areas.length : null;
}

function percent(share) {
  if (share === null) return "–";
  const value = 100 * share;
  if (value === 0 || value === 100) return `${value}%`;
  return `${value >= 0.995 ? value.toFixed(1) : Number(value.toPrecision(2))}%`;
}

const decimal = (value, digits) => (value === null ? "–" : value.toFixed(digits));

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const byId = (id) => document.getElementById(id);
