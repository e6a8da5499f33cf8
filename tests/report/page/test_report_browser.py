"""Report and explorer in a real browser, opened from disk: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import base64
import io
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pages_on_disk import drawn, lay_explorer
from PIL import Image

from mps_study.report.facts.results import StudyResults

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH = "picture => picture.getBoundingClientRect().width"
OF_THE_DISK = ("file:", "data:")


def watched(page: Page) -> list[str]:
    """Everything that the page complains about, from now on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"{request.url} failed"))
    page.on("request", lambda request: None if request.url.startswith(OF_THE_DISK) else said.append(request.url))
    return said


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """A page that may not complain of anything, nor ask the network for anything."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said = watched(page)
    yield page
    page.close()
    assert said == []


@pytest.fixture
def explorer(page: Page, folder: Path) -> Page:
    page.goto((folder / "explorer.html").as_uri())
    return page


@pytest.fixture
def report(page: Page, folder: Path) -> Page:
    page.goto((folder / "report.html").as_uri())
    return page


def names(page: Page) -> list[str]:
    """The images in the grid, in order."""
    found: list[str] = page.locator("#grid .name").all_text_contents()
    return found


def mean_dice(results: StudyResults, models: list[str]) -> dict[str, float]:
    overlaps = results.overlaps
    both = overlaps["model_a"].isin(models) & overlaps["model_b"].isin(models)
    means = overlaps[both].groupby("image")["dice"].mean()
    return {str(image): float(value) for image, value in means.items()}


def test_all_images_are_there_with_their_photos(explorer: Page, large: StudyResults) -> None:
    assert names(explorer) == list(large.manifest["image"])
    assert explorer.locator("#count").text_content() == "22 of 22 images"
    explorer.wait_for_function("document.querySelector('#grid img').naturalWidth === 64")
    assert all(len(alt) > 10 for alt in explorer.locator("img").evaluate_all("all => all.map(each => each.alt)"))


def test_filters_mean_what_they_say(explorer: Page, large: StudyResults) -> None:
    chosen = [model for model in large.models() if large.architecture_of(model) in ("ResNet", "ViT")]
    for architecture in ("ConvNeXt", "EVA", "Inception"):
        explorer.locator(f"[data-architecture={architecture}]").uncheck()
    explorer.select_option("#verdict", "wrong")
    explorer.fill("#area-high", "12")
    explorer.fill("#confidence-low", "20")
    rows = large.areas[large.areas["model"].isin(chosen)]
    fits = (~rows["correct"].astype("boolean")).fillna(False) & (rows["area"] <= 0.12) & (rows["confidence"] >= 0.2)
    wanted = set(rows.loc[fits, "image"])
    assert 0 < len(wanted) < 22
    assert names(explorer) == [image for image in large.manifest["image"] if image in wanted]
    explorer.select_option("#quantifier", "every")
    every = fits.groupby(rows["image"]).all()
    assert names(explorer) == list(every.index[every])
    explorer.locator("[type=reset]").click()
    explorer.wait_for_function("document.getElementById('count').textContent === '22 of 22 images'")
    assert explorer.locator("#models input:not(:checked)").count() == 0


def test_one_model_can_be_chosen_and_images_found_by_verdicts_half_and_words(
    explorer: Page, large: StudyResults
) -> None:
    explorer.select_option("#half", "unlabelled")
    assert names(explorer) == list(large.manifest.loc[large.manifest["half"] == "unlabelled", "image"])
    explorer.select_option("#half", "any")
    explorer.select_option("#verdict", "split")
    correct = large.areas.dropna(subset=["correct"]).groupby("image")["correct"]
    split = correct.any() & ~correct.all()
    assert names(explorer) == list(split.index[split])
    explorer.select_option("#verdict", "any")
    explorer.fill("#words", "VAL_0007")
    assert names(explorer) == ["val_0007"]
    explorer.fill("#words", "")
    for box in explorer.locator("#models label.whole input").all():
        box.uncheck()
    assert explorer.locator("#nothing").is_visible()
    explorer.locator(f"#model-{large.models().index('vit_large')}").check()
    explorer.select_option("#verdict", "wrong")
    rows = large.areas[(large.areas["model"] == "vit_large") & large.areas["correct"].notna()]
    assert names(explorer) == list(rows.loc[~rows["correct"].astype(bool), "image"])


def test_the_most_disagreeing_images_can_come_first(explorer: Page, large: StudyResults) -> None:
    explorer.select_option("#order", "apart")
    dice = mean_dice(large, large.models())
    shown = names(explorer)
    values = [dice[image] for image in shown]
    assert len(shown) == 22 and all(b - a > -0.001 for a, b in itertools.pairwise(values))


def test_grid_and_dialog_are_worked_by_keyboard_alone(explorer: Page) -> None:
    explorer.locator("[type=reset]").focus()
    explorer.keyboard.press("Tab")
    assert explorer.evaluate("document.activeElement.dataset.image") == "0"
    explorer.keyboard.press("ArrowRight")
    explorer.keyboard.press("ArrowDown")
    image = explorer.evaluate("Number(document.activeElement.dataset.image)")
    assert image == 1 + explorer.evaluate("columnsOfGrid()") and image > 2
    explorer.keyboard.press("Enter")
    drawn(explorer)
    assert explorer.locator("#image-name").text_content() == f"val_{image:04d}"
    assert explorer.url.endswith(f"#val_{image:04d}")
    explorer.keyboard.press("ArrowRight")
    explorer.wait_for_function(f"document.getElementById('image-name').textContent === 'val_{image + 1:04d}'")
    explorer.keyboard.press("ArrowLeft")
    explorer.wait_for_function(f"document.getElementById('image-name').textContent === 'val_{image:04d}'")
    explorer.keyboard.press("ArrowRight")
    explorer.wait_for_function(f"document.getElementById('image-name').textContent === 'val_{image + 1:04d}'")
    explorer.keyboard.press("Escape")
    assert not explorer.locator("#image").is_visible()
    # The dialog tells of its end a moment after it is gone, and only then is the next tile in focus.
    explorer.wait_for_function(f"Number(document.activeElement.dataset.image) === {image + 1}")
    explorer.keyboard.press("End")
    assert explorer.evaluate("document.activeElement.dataset.image") == "21"


def test_the_next_most_disagreeing_image_is_a_key_away(explorer: Page, folder: Path, large: StudyResults) -> None:
    dice = mean_dice(large, large.models())
    ranked = sorted(dice, key=lambda image: dice[image])
    explorer.goto((folder / "explorer.html").as_uri() + f"#{ranked[3]}")
    drawn(explorer)
    explorer.keyboard.press("d")
    explorer.wait_for_function(f"document.getElementById('image-name').textContent === '{ranked[4]}'")


def panel(explorer: Page, model: int) -> np.ndarray:
    """(h, w, 3) int, what is drawn for a model of the opened image."""
    address = explorer.evaluate("place => document.querySelectorAll('.panel > canvas')[place].toDataURL()", model)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2]))).convert("RGB"), int)


def test_a_set_is_lit_where_it_lies_and_the_rest_is_grey(explorer: Page, large: StudyResults, folder: Path) -> None:
    image, model = "val_0003", "resnet152d"
    explorer.goto((folder / "explorer.html").as_uri() + f"#{image}")
    drawn(explorer)
    seen = large.sighting(image, model)
    assert seen is not None and seen.mask is not None
    canvas = panel(explorer, large.models().index(model))
    side = len(canvas)
    top, left, bottom, right = explorer.evaluate("openedImage.frame")
    colour = canvas.max(axis=2) - canvas.min(axis=2)
    deep = np.zeros_like(seen.mask)
    far = np.zeros_like(seen.mask)
    deep[4:-4, 4:-4] = np.lib.stride_tricks.sliding_window_view(seen.mask, (9, 9)).all(axis=(2, 3))
    far[4:-4, 4:-4] = ~np.lib.stride_tricks.sliding_window_view(seen.mask, (9, 9)).any(axis=(2, 3))

    def on_canvas(mask: np.ndarray) -> np.ndarray:
        start, stop = np.array(seen.view[:2]), np.array(seen.view[2:])
        source = start + (np.argwhere(mask) + 0.5) / mask.shape * (stop - start)
        rows, columns = ((source - (top, left)) / (bottom - top, right - left) * side).astype(int).T
        found: np.ndarray = colour[rows, columns]
        return found

    assert deep.sum() > 50 and far.sum() > 50
    assert on_canvas(far).max() <= 2
    assert np.mean(on_canvas(deep) > 8) > 0.9


def test_further_sets_of_an_image_are_outlined_in_their_colours_and_explained(explorer: Page, folder: Path) -> None:
    address = (folder / "explorer.html").as_uri()
    orange, blue = (230, 159, 0), (86, 180, 233)

    def pixels_of(colour: tuple[int, int, int]) -> int:
        return int((np.abs(panel(explorer, 0) - colour).sum(axis=2) < 30).sum())

    explorer.goto(address + "#val_0009")
    drawn(explorer)
    assert pixels_of(orange) > 50 and pixels_of(blue) > 50
    assert explorer.locator("#further-key").is_visible()
    explorer.goto(address + "#val_0003")
    explorer.wait_for_function("openedImage?.image === 'val_0003'")
    assert pixels_of(orange) < 10 and pixels_of(blue) < 10
    assert not explorer.locator("#further-key").is_visible()


def test_two_models_are_laid_over_each_other_with_their_numbers(
    explorer: Page, large: StudyResults, folder: Path
) -> None:
    explorer.goto((folder / "explorer.html").as_uri() + "#val_0005")
    drawn(explorer)
    models = large.models()
    a, b = "eva_giant", "inception_v3"
    explorer.select_option("#model-a", str(models.index(a)))
    explorer.select_option("#model-b", str(models.index(b)))
    row = large.overlaps.query("image == 'val_0005' and model_a == @a and model_b == @b").iloc[0]
    text = explorer.locator("#pair-numbers").inner_text()
    assert f"Dice {row['dice']:.3f}" in text and f"distance {row['hausdorff']:.1f} px" in text
    explorer.select_option("#model-b", str(models.index(a)))
    assert "two different models" in explorer.locator("#pair-numbers").inner_text()


def test_responsibility_is_offered_where_it_was_stored(explorer: Page, folder: Path) -> None:
    address = (folder / "explorer.html").as_uri()
    explorer.goto(address + "#val_0003")
    drawn(explorer)
    picture = "document.querySelector('.panel > canvas').toDataURL()"
    sets = explorer.evaluate(picture)
    explorer.locator("#heat").check()
    assert explorer.evaluate(picture) != sets
    explorer.goto(address + "#val_0004")
    explorer.wait_for_function("openedImage?.image === 'val_0004'")
    assert explorer.locator("#heat").is_disabled() and explorer.locator("#no-heat").is_visible()


def test_files_that_are_missing_cut_off_or_of_another_run_are_named_in_the_dialog(
    browser: Any, folder: Path, large: StudyResults, tmp_path: Path
) -> None:
    alone = tmp_path / "08_report"
    shutil.copytree(folder, alone)
    images = alone / "explorer/images"
    (images / "0001.js").unlink()
    (images / "0002.js").write_text((images / "0003.js").read_text().replace("receiveImage(3,", "receiveImage(2,"))
    (images / "0004.js").write_text((images / "0004.js").read_text().replace(large.run_mark(), "0" * 16))
    (images / "0005.js").write_text((images / "0005.js").read_text()[:1000])
    page = browser.new_page()
    page.goto((alone / "explorer.html").as_uri())
    for name, message in (
        ("val_0001", "0001.js is missing"),
        ("val_0002", "0002.js is of another run"),
        ("val_0004", "0004.js is of another run"),
        ("val_0005", "0005.js is not whole"),
    ):
        page.evaluate(f"location.hash = '{name}'")
        page.get_by_text(message).wait_for()
    page.close()


@pytest.mark.parametrize("file", ["report.html", "explorer.html", "explorer.html#val_0003"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (420, "dark")])
def test_nothing_is_wider_than_the_window_and_the_ground_follows_the_scheme(
    browser: Any, folder: Path, file: str, width: int, scheme: str
) -> None:
    name, _, image = file.partition("#")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto((folder / name).as_uri() + (f"#{image}" if image else ""))
    if image:
        drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    red = int(page.evaluate("getComputedStyle(document.body).backgroundColor").split("(")[1].split(",")[0])
    assert (red > 200) == (scheme == "light")
    page.close()


def column(page: Page, index: int) -> list[str]:
    cells: list[str] = page.locator("#table-models tbody tr").evaluate_all(
        f"rows => rows.map(row => row.cells[{index}].dataset.sort)"
    )
    return cells


def test_a_table_is_sorted_by_keyboard_up_down_and_back(report: Page) -> None:
    headings = report.locator("#table-models thead button")
    index = [text.strip() for text in headings.all_text_contents()].index("Area, labelled")
    before = column(report, index)
    orders = []
    headings.nth(index).focus()
    for state in ("ascending", "descending", None):
        report.keyboard.press("Enter")
        assert report.locator("#table-models thead th").nth(index).get_attribute("aria-sort") == state
        orders.append(column(report, index))
    rising = sorted(before, key=float)
    assert orders == [rising, rising[::-1], before] and before != rising


def test_on_paper_a_long_table_is_cut_and_says_so(report: Page) -> None:
    table = report.locator("#table-paper")
    rows = table.locator("tbody tr")
    assert rows.count() > 100 and rows.nth(40).is_visible() and not table.locator(".printed").is_visible()
    report.emulate_media(media="print")
    assert rows.nth(29).is_visible() and not rows.nth(30).is_visible()
    assert table.locator(".printed").inner_text().startswith(f"Printed are the first 30 of {rows.count()} rows")
    assert not report.locator("#table-models .printed").count()
    assert not report.locator("nav").is_visible()


def test_a_figure_grows_in_a_dialog_by_keyboard(report: Page) -> None:
    report.locator("#figure-sizes .frame").focus()
    report.keyboard.press("Enter")
    picture = report.locator("#zoom img")
    first = picture.evaluate(WIDTH)
    assert first > report.locator("#figure-sizes img").evaluate(WIDTH)
    report.keyboard.press("+")
    assert picture.evaluate(WIDTH) == pytest.approx(1.5 * first, rel=0.02)
    report.keyboard.press("-")
    assert picture.evaluate(WIDTH) == pytest.approx(first, rel=0.02)
    report.keyboard.press("Escape")
    assert not report.locator("#zoom").is_visible()
    assert report.evaluate("document.activeElement.className") == "frame"


def test_report_and_explorer_lead_to_each_other(report: Page, large: StudyResults) -> None:
    link = report.locator("#figure-disagreement a.explore")
    image = link.inner_text().split()[0]
    link.click()
    drawn(report)
    assert report.locator("#image-name").text_content() == image
    report.keyboard.press("Escape")
    report.get_by_role("link", name="Report").click()
    report.wait_for_url("**/report.html")
    report.get_by_role("link", name="Explorer: every image").click()
    report.wait_for_url("**/explorer.html")


def test_images_whose_sets_lie_beside_the_object_can_be_found_where_people_marked_it(
    page: Page, marked: StudyResults, explorer: Page, tmp_path: Path
) -> None:
    assert explorer.locator("#look").is_hidden()
    lay_explorer(marked, tmp_path)
    page.goto((tmp_path / "explorer.html").as_uri())
    for chosen, beside in (("beside", True), ("at", False)):
        page.select_option("#look", chosen)
        rows = marked.agreement[marked.agreement["beside"].eq(beside).fillna(False)]
        assert names(page) == list(rows["image"].unique()) != []
    page.locator("#grid button").first.click()
    drawn(page)
    assert ", 55.0% inside the marked object" in page.locator("#panels figcaption").first.inner_text()


def test_the_explorer_of_one_search_offers_no_other(explorer: Page) -> None:
    assert explorer.locator(".search:visible, #search-a:visible, #search-b:visible").count() == 0
    explorer.locator("#grid button").first.click()
    drawn(explorer)
    assert explorer.locator(".search:visible, #search-a:visible, #search-b:visible").count() == 0


def test_a_search_can_be_chosen_in_grid_and_dialog(page: Page, searched_folder: Path, searched: StudyResults) -> None:
    assert searched.searches is not None
    area = searched.searches.areas.set_index(["image", "model", "search"])["area"]
    page.goto((searched_folder / "explorer.html").as_uri())
    page.locator("#filters .search").select_option("minimal")
    assert "1 without a set" in page.locator("#grid .facts").nth(3).text_content()
    page.locator("#grid button").nth(4).click()
    drawn(page)
    shown = page.locator("#panels figcaption").all_text_contents()
    assert page.locator("#image .search").input_value() == "1"
    assert f"area {100 * area['val_0004', 'lite2', 'minimal']:.1f}%" in shown[2]
    page.locator("#image .search").select_option("study")
    drawn(page)
    assert (
        f"area {100 * area['val_0004', 'lite2', 'study']:.1f}%"
        in page.locator("#panels figcaption").nth(2).inner_text()
    )
    assert page.locator("#filters .search").input_value() == "0"


def test_two_searches_of_a_model_lie_over_each_other(page: Page, searched_folder: Path, searched: StudyResults) -> None:
    assert searched.searches is not None
    dice = searched.searches.overlaps.set_index(["image", "model"])["dice"]
    page.goto((searched_folder / "explorer.html").as_uri() + "#val_0004")
    drawn(page)
    for side, search in (("a", "study"), ("b", "minimal")):
        page.locator(f"#model-{side}").select_option("1")
        page.locator(f"#search-{side}").select_option(search)
    assert f"Dice {dice['val_0004', 'lite1']:.3f}" in page.locator("#pair-numbers").inner_text()
    assert page.locator("#only-b").inner_text() == "lite1, minimal alone"
    pixels = np.asarray(Image.open(io.BytesIO(page.locator("#overlay-canvas").screenshot())).convert("RGB"))
    assert (pixels == (86, 180, 233)).all(axis=2).any() and (pixels == (230, 159, 0)).all(axis=2).any()  # both lines
    page.locator("#model-a").select_option("0")
    assert "two models are compared by the search study" in page.locator("#pair-numbers").inner_text()
    page.locator("#search-b").select_option("study")
    assert "Hausdorff distance" in page.locator("#pair-numbers").inner_text()
    page.locator("#model-b").select_option("0")
    assert "two different sets" in page.locator("#pair-numbers").inner_text()


def test_the_set_of_the_label_stands_below_that_of_a_wrong_answer(
    page: Page, asked: StudyResults, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("asked")
    lay_explorer(asked, folder)
    wrong = asked.areas[~asked.areas["correct"].astype("boolean").fillna(True)]
    row = next(row for _, row in wrong.iterrows() if row["status"] == "found")
    place = asked.models().index(row["model"])
    page.goto((folder / "explorer.html").as_uri() + f"#{row['image']}")
    page.wait_for_function("() => document.getElementById('said').textContent === ''")
    below = page.locator(".panel .also").nth(place)
    given, label = asked.class_name(row["target"]), asked.class_name(row["label"])
    assert below.locator("p").inner_text().startswith(f"The label, {label}: ")
    assert below.locator("canvas").evaluate("canvas => canvas.width") > 1  # it is drawn
    right = [model for model in asked.models() if asked.area_row(row["image"], model)["correct"]]  # type: ignore[index]
    for model in right:
        assert page.locator(".panel .also").nth(asked.models().index(model)).is_hidden()
    page.locator("dialog .search").select_option(label="minimal")
    page.wait_for_function("() => document.getElementById('said').textContent === ''")
    caption = page.locator(".panel figcaption").nth(place).inner_text()
    assert given in caption and f"of {label}" in caption
    assert below.locator("p").inner_text().startswith(f"The class given, {given}: ")
