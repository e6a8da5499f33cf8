from __future__ import annotations

import dataclasses
import itertools
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from synthetic_study import picture_or_reason

from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.selection import choose
from mps_study.report.facts.wording import number
from mps_study.report.figures.all_figures import FIGURES
from mps_study.report.figures.photos import evidence, show_mps, spotlight
from mps_study.report.figures.stages import deepest, readable, summits
from mps_study.report.figures.style import (
    ARCHITECTURE_COLOURS,
    DOUBLE_COLUMN,
    architecture_colours,
    model_colours,
    to_png,
)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("study", ["large", "small"])
def test_every_figure_renders_on_a_large_and_on_a_small_study(
    name: str, study: str, request: pytest.FixtureRequest
) -> None:
    picture = picture_or_reason(name, request.getfixturevalue(study))
    assert isinstance(picture, bytes), picture
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"sizes"}))
def test_a_figure_with_nothing_to_show_says_why_in_a_sentence(name: str, lucky: StudyResults) -> None:
    with pytest.raises(NothingToShow) as nothing:
        FIGURES[name](lucky)
    assert nothing.value.reason[0].isupper() and nothing.value.reason.endswith(".")
    assert picture_or_reason(name, lucky) == nothing.value.reason


def test_the_same_study_draws_the_same_bytes(small: StudyResults) -> None:
    assert to_png(FIGURES["sizes"](small)) == to_png(FIGURES["sizes"](small))


def test_drawing_leaves_the_settings_and_the_figures_of_pyplot_alone(small: StudyResults) -> None:
    before = dict(matplotlib.rcParams)
    to_png(FIGURES["stages"](small))
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_the_papers_architectures_have_fixed_colours_in_any_company_and_case() -> None:
    alone = architecture_colours(["ConvNeXt"])["ConvNeXt"]
    crowd = architecture_colours(["MobileNet", "ConvNext", "EVA", "Inception", "ResNet", "ViT"])
    assert crowd["ConvNext"] == alone == ARCHITECTURE_COLOURS["convnext"]
    assert len(set(crowd.values())) == 6


def test_another_architecture_keeps_its_colour_when_others_join() -> None:
    alone = architecture_colours(["EfficientNet"])["EfficientNet"]
    assert architecture_colours(["EfficientNet", "ViT", "ResNet"])["EfficientNet"] == alone


def test_ten_architectures_have_ten_colours() -> None:
    names = [*ARCHITECTURE_COLOURS, "Swin", "MLP-Mixer", "EfficientNet", "VGG", "DenseNet"]
    assert len(set(architecture_colours(names).values())) == 10


def test_the_papers_fifteen_models_have_fifteen_colours_of_their_architectures() -> None:
    models = {f"{name}_{size}": name for name in ARCHITECTURE_COLOURS for size in range(3)}
    colours = model_colours(models)
    assert len(set(colours.values())) == 15
    assert colours["vit_0"] == ARCHITECTURE_COLOURS["vit"].lower()
    assert model_colours(models | {"vit_3": "vit"}) == colours | {"vit_3": colours["vit_0"]}


def test_pixels_of_the_set_keep_their_colour_and_others_turn_grey_and_darker() -> None:
    photo = np.random.default_rng(0).integers(60, 256, (20, 30, 3), dtype=np.uint8)
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:9, 10:20] = True
    lit = spotlight(photo, mask)
    outside = lit[~mask].astype(int)
    assert (lit[mask] == photo[mask]).all()
    assert (np.ptp(outside, axis=1) == 0).all()
    assert outside.mean() < 0.6 * photo[~mask].mean()


def test_a_mask_of_another_size_than_the_photo_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="input size"):
        spotlight(np.zeros((8, 8, 3), dtype=np.uint8), np.ones((7, 8), dtype=bool))


@pytest.mark.parametrize("brightness", [0, 255])
@pytest.mark.parametrize("corner", [(0, 0), (250, 250), (499, 499)])
def test_a_set_of_one_pixel_is_visible_on_black_and_on_white(brightness: int, corner: tuple[int, int]) -> None:
    photo = np.full((500, 500, 3), brightness, dtype=np.uint8)
    nothing, one = np.zeros((500, 500), dtype=bool), np.zeros((500, 500), dtype=bool)
    one[corner] = True
    changed = np.abs(drawn(photo, one).astype(int) - drawn(photo, nothing))
    assert (changed.max(axis=2) > 100).mean() > 0.001


def drawn(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    figure = Figure(figsize=(1.7, 1.7), dpi=150)
    canvas = FigureCanvasAgg(figure)
    show_mps(figure.add_axes((0.1, 0.1, 0.8, 0.8)), photo, mask)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def test_a_peaked_landscape_is_drawn_by_its_logarithm_and_a_broad_one_as_it_is() -> None:
    y, x = np.mgrid[-1:1:100j, -1:1:100j]
    broad = np.exp(-(x**2 + y**2)).astype(np.float32)
    peaked = np.exp(-900 * (x**2 + y**2)).astype(np.float32)
    assert readable(broad)[0].max() == 1 and "log" not in readable(broad)[1]
    heights, label = readable(peaked)
    assert "log" in label and heights.min() == -6 and heights.max() == 0


def test_the_surface_keeps_every_peak_of_the_landscape() -> None:
    heights = np.random.default_rng(0).random((50, 83))
    coarse = summits(heights, 20)
    assert coarse.max() == heights.max() and max(coarse.shape) <= 20
    slow = [[heights[r : r + 5, c : c + 5].max() for c in range(0, 83, 5)] for r in range(0, 50, 5)]
    assert np.array_equal(coarse, np.array(slow))


def test_figure_texts_stay_inside_the_figure(large: StudyResults, small: StudyResults, pair: StudyResults) -> None:
    for results, name in itertools.product((large, small, pair), FIGURES):
        figure = FIGURES[name](results)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        box = figure.get_tightbbox(canvas.get_renderer())
        width, height = figure.get_size_inches()
        assert box.x0 > -0.01 and box.y0 > -0.01, (results.title, name, box)
        assert box.x1 < width + 0.01 and box.y1 < height + 0.01, (results.title, name, box)


def test_each_of_several_sets_is_outlined_in_a_colour_of_its_own_and_numbered_inside(large: StudyResults) -> None:
    with_sets = FIGURES["stages"](large)
    without = FIGURES["stages"](dataclasses.replace(large, several=lambda image, model: ()))
    panel = with_sets.axes[-1]
    masks = large.several(choose(large, "stages").image, choose(large, "stages").models[0])
    numbers = {text.get_text(): text for text in panel.texts if text.get_text().isdigit()}
    assert len(masks) == 3 and sorted(numbers) == ["1", "2", "3"]
    for mask, text in zip(masks, numbers.values(), strict=True):
        column, row = (int(x) for x in text.get_position())
        assert mask[row, column]
    assert len({text.get_color() for text in numbers.values()}) == 3
    assert not any(text.get_text().isdigit() for text in without.axes[-1].texts)


def test_a_number_stands_at_the_deepest_pixel_of_its_set() -> None:
    mask = np.zeros((9, 12), dtype=bool)
    mask[0:5, 0:5] = True
    mask[2, 5:12] = True
    assert deepest(mask) == (2, 2)


def test_a_stray_dot_is_named_at_the_edge_and_does_not_squeeze_the_others(large: StudyResults) -> None:
    axes = FIGURES["sizes"](large).axes[0]
    tiny = large.areas.loc[large.areas["area"].idxmin()]
    assert axes.get_xlim()[0] > 100 * tiny["area"]
    arrows = [text.get_text() for text in axes.texts if text.get_text().startswith("◂")]
    assert arrows == [f"◂ {number(100 * tiny['area'], 2)}"]


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_smaller_than_six_points_at_the_width_of_the_page(name: str, large: StudyResults) -> None:
    figure = FIGURES[name](large)
    assert figure.get_size_inches()[0] <= DOUBLE_COLUMN + 0.01
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert min(sizes) >= 6


def test_a_set_of_another_class_than_the_models_says_of_which(large: StudyResults) -> None:
    row = large.areas[large.areas["area"].notna()].iloc[0]
    kept = int(row["target"]) + 1
    plain, other = (
        evidence(large, row),
        evidence(large, pd.concat([row.drop("kept", errors="ignore"), pd.Series({"kept": kept})])),
    )
    assert f"conf. of {large.class_name(kept)[:10]}" in other and large.class_name(row["target"])[:10] in other
    assert " of " not in plain.splitlines()[1]


def test_clip_paths_of_a_drawing_are_numbered_and_each_reference_finds_its_own(large):
    """By matplotlib they are named by a hash of a place, of which the last bits differ from run to run."""
    from mps_study.report.files import draw_files

    drawing = draw_files("stages", large)["stages.svg"].decode()
    made = re.findall(r'<clipPath id="(\w+)"', drawing)
    assert made and sorted(made) == sorted(f"clip{i + 1}" for i in range(len(made)))
    assert set(re.findall(r'clip-path="url\(#(\w+)\)"', drawing)) == set(made)
