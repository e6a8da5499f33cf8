"""How large the explorer of a study is, and how soon its first picture is there: a made-up study in real Chromium.

    python benchmarks/explorer.py FOLDER --images 1000

Sets and maps are made as ReX makes them, from products of nested boxes, at the input sizes of the paper's 15 models;
photos are random parts of scikit-image's. Distances are noise. FOLDER keeps the explorer, to be looked at.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import time
import zlib
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from made_up import first_pixels, landscape, photo
from playwright.sync_api import Page, sync_playwright
from tqdm import tqdm

from mps_study.mps.several import dice
from mps_study.report.explorer.images import ExplorerSizes, image_script, thumbnail
from mps_study.report.explorer.page import file_name, render_explorer
from mps_study.report.facts.results import Sighting, StudyResults

SIDES = {
    "ConvNeXt": (384, 512, 384), "EVA": (448, 448, 560), "Inception": (299, 299, 299),
    "ResNet": (224, 224, 256), "ViT": (336, 224, 224),
}  # fmt: skip
MODELS = {f"{name.lower()}_{k}": (name, side) for name, sides in SIDES.items() for k, side in enumerate(sides, 1)}
WIDTH, HEIGHT = 500, 375
GRID = 56
VIEW = (0.0, (WIDTH - HEIGHT) / 2, float(HEIGHT), (WIDTH + HEIGHT) / 2)


@lru_cache(maxsize=2 * len(MODELS))
def sighting(image: str, model: str) -> Sighting:
    """A set of 1 to 40 % of the pixels, the first of its landscape's ranking."""
    rng = np.random.default_rng([2, int(image), list(MODELS).index(model)])
    side = MODELS[model][1]
    heights = landscape(rng, side)
    kept = max(10, int(rng.uniform(0.01, 0.4) * side * side))
    return Sighting(VIEW, first_pixels(heights, kept), heights)


def records_of(image: str) -> tuple[list[dict[str, object]], list[dict[str, object]], list[int]]:
    """An image's rows of areas and overlaps, and the bytes of its deflated sets."""
    rng = np.random.default_rng([3, int(image)])
    rows, pairs, sizes, coarse = [], [], [], {}
    for model, (architecture, side) in MODELS.items():
        mask = sighting(image, model).mask
        assert mask is not None
        sizes.append(len(zlib.compress(np.packbits(mask).tobytes(), 9)))
        index = np.arange(GRID) * side // GRID
        coarse[model] = mask[np.ix_(index, index)]
        rows.append({
            "image": image, "model": model, "architecture": architecture, "search": "study",
            "target": int(rng.integers(1000)),
            "correct": bool(rng.uniform() < 0.85), "status": "found", "area": mask.mean(),
            "confidence": rng.uniform(0.02, 0.9), "target_confidence": rng.uniform(0.3, 1),
        })  # fmt: skip
    for one, other in itertools.combinations(MODELS, 2):
        pairs.append({
            "image": image, "model_a": one, "model_b": other, "status": "ok",
            "dice": dice(coarse[one], coarse[other]), "hausdorff": rng.uniform(5, 250),
        })  # fmt: skip
    return rows, pairs, sizes


def write_study(folder: Path, count: int, heat_map: int) -> dict[str, object]:
    """The explorer of a made-up study; says how large it is and how long it took."""
    images = [f"{i:05d}" for i in range(count)]
    nothing = pd.DataFrame()
    manifest = pd.DataFrame({"image": images, "half": "labelled", "label": np.arange(count) % 1000})
    results = StudyResults(
        title="A made-up study", manifest=manifest, areas=nothing, overlaps=nothing, statistics=nothing, provenance={},
        model_summary=pd.DataFrame({"model": list(MODELS), "architecture": [name for name, _ in MODELS.values()]}),
        photo=lambda *_: np.zeros((1, 1, 3), np.uint8), mask=lambda *_: None, landscape=lambda *_: None,
        picture=photo, sighting=sighting, view=lambda *_: VIEW,
        class_names=[f"a class with a name, number {i}" for i in range(1000)],
    )  # fmt: skip
    shutil.rmtree(folder / "explorer", ignore_errors=True)
    for part in ("images", "thumbnails"):
        (folder / "explorer" / part).mkdir(parents=True)
    options = ExplorerSizes(heat_map=heat_map)
    areas, overlaps, sizes = [], [], []
    seconds = 0.0
    for position, image in enumerate(tqdm(images, desc="images", mininterval=30)):
        rows, pairs, bytes_of_sets = records_of(image)
        areas += rows
        overlaps += pairs
        sizes += bytes_of_sets
        began = time.perf_counter()
        alone = replace(results, overlaps=pd.DataFrame(pairs))
        (folder / f"explorer/images/{file_name(position)}.js").write_text(image_script(alone, position, options))
        small = thumbnail(alone, position, options)
        small.save(folder / f"explorer/thumbnails/{file_name(position)}.webp", quality=75)
        seconds += time.perf_counter() - began
    whole = replace(results, areas=pd.DataFrame(areas), overlaps=pd.DataFrame(overlaps))
    (folder / "explorer.html").write_text(render_explorer(whole))
    return {
        "bytes of a deflated set, median": statistics.median(sizes),
        "explorer.html, MB": size([folder / "explorer.html"]),
        "thumbnails, MB": size((folder / "explorer/thumbnails").iterdir()),
        "images, MB": size((folder / "explorer/images").iterdir()),
        "written, s": round(seconds, 1),
    }


def size(paths: Iterable[Path]) -> float:
    """Megabytes (10^6) of files."""
    return round(sum(path.stat().st_size for path in paths) / 1e6, 2)


FIRST_PICTURE = """
document.addEventListener("load", (event) => {
  if (event.target.tagName === "IMG") window.firstPicture ??= performance.now();
}, true);
"""
OPEN = """async (position) => {
  const began = performance.now();
  location.hash = addressOf(position);
  while (opened !== position || !openedImage) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""
CHOOSE = """(verdict) => {
  const began = performance.now();
  byId("verdict").value = verdict;
  refreshGrid();
  document.body.offsetHeight;
  return performance.now() - began;
}"""


def look(page: Page, folder: Path, count: int) -> dict[str, object]:
    """Time to the first picture, to open an image, and to filter; of a page opened from disk."""
    page.add_init_script(FIRST_PICTURE)
    firsts = []
    for _ in range(5):
        page.goto((folder / "explorer.html").as_uri())
        page.wait_for_function("window.firstPicture")
        firsts.append(page.evaluate("firstPicture"))
    opens = [page.evaluate(OPEN, position) for position in range(1, count, max(1, count // 21))]
    page.keyboard.press("Escape")
    filters = [page.evaluate(CHOOSE, verdict) for verdict in ("wrong", "any", "split", "any", "right", "any")]
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = f"tiles[{count - 1}].querySelector('img').naturalWidth > 0"
    page.wait_for_function(last)
    return {
        "first picture, ms": [round(first) for first in firsts],
        f"open an image, ms, median of {len(opens)}": round(statistics.median(opens)),
        "open an image, ms, slowest": round(max(opens)),
        "filter, ms": [round(each) for each in filters],
        "heap, MB": round(page.evaluate("performance.memory.usedJSHeapSize") / 1e6),
    }


def main() -> None:
    """Write, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--heat-map", type=int, default=ExplorerSizes.heat_map, help="0: without responsibility")
    parser.add_argument("--only-look", action="store_true", help="at the explorer that is there")
    arguments = parser.parse_args()
    said: dict[str, object] = {"images": arguments.images, "models": len(MODELS)}
    if not arguments.only_look:
        said |= write_study(arguments.folder, arguments.images, arguments.heat_map)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("needs Chromium on the PATH, e.g. from Debian: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        said |= look(page, arguments.folder.resolve(), arguments.images)
        browser.close()
    for name, value in said.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
