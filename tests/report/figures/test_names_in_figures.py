"""A name is drawn as it is: no markup, in any script that an installed font has."""

import logging
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from mps_study.report.figures import fonts
from mps_study.report.figures.style import in_study_look, to_png
from mps_study.report.files import to_svg

NAMES = ["from $5 to $10", "$^{$ $", r"\alpha_{ $x$ $\frac$", "_hidden", "a_b^c", "<b>&amp;</b>", "100 % #1 {x}"]


@in_study_look
def figure_of(name):
    """A name everywhere where names stand: titles, ticks, legends, notes."""
    figure = Figure(figsize=(3, 2))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label=name)
    axes.set(title=name, xlabel=name, yticks=[0, 1], yticklabels=[name, name])
    axes.annotate(name, (0, 0))
    axes.text(0.5, 0.5, name)
    figure.suptitle(name)
    return figure


def texts(figure):
    """All that is written in it, as it was drawn."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_parse_math"))]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_markup(name):
    figure = figure_of(name)
    assert to_png(figure, dpi=40) and b"<svg" in to_svg(figure)
    assert texts(figure).count(name) >= 6
    drawn = figure.findobj(lambda artist: hasattr(artist, "get_parse_math") and artist.get_text() == name)
    assert not any(text.get_parse_math() for text in drawn)


@pytest.fixture
def fresh(monkeypatch):
    """As in a new process."""
    monkeypatch.setattr(fonts, "_said", set())
    fonts.families.cache_clear()
    yield
    fonts.families.cache_clear()


def test_what_no_font_has_is_said_once_and_drawn_as_boxes(fresh, monkeypatch, caplog):
    monkeypatch.setattr(fonts, "FALLBACKS", ())
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        assert to_png(figure_of("猫 and 犬"), dpi=40) and to_png(figure_of("猫"), dpi=40)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "no installed font has the characters 犬猫" in said and "Noto Sans CJK" in said


def test_an_installed_font_draws_what_the_first_does_not_have(fresh, tmp_path, monkeypatch, caplog):
    before = to_png(figure_of("猫"), dpi=40)
    font = full_square(tmp_path / "cat.ttf", "猫", "Cat Gothic")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(font)
    monkeypatch.setattr(fonts, "FALLBACKS", ("Cat Gothic",))
    fonts.families.cache_clear()
    caplog.clear()
    after = to_png(figure_of("猫"), dpi=40)
    assert fonts.families() == ("DejaVu Sans", "Cat Gothic")
    assert after != before and not caplog.records


def full_square(path, sign, family):
    """A font of one character: a filled square."""
    pen = TTGlyphPen(None)
    corners = np.array([(0, 0), (0, 1000), (1000, 1000), (1000, 0)])
    pen.moveTo(tuple(corners[0]))
    for corner in corners[1:]:
        pen.lineTo(tuple(corner))
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(sign): "square"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path
