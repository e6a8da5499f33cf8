"""The sections on trust in sets and on what they say of models: sentences, tables, figures, and their empty forms."""

from dataclasses import replace
from itertools import permutations

import pytest

from mps_study.measures.trust.rows import Row, to_frame
from mps_study.report.facts.results import NothingToShow
from mps_study.report.facts.trust import ALL, FREE, MODELS, SIZE, TRUST, answers
from mps_study.report.figures.all_figures import MODELS_FIGURES, TRUST_FIGURES, figures_of
from mps_study.report.figures.style import to_png
from mps_study.report.page.html import render_report
from mps_study.report.tables.all_tables import tables_of
from mps_study.report.tables.latex import to_latex
from mps_study.report.tables.trust import MODELS_TABLES, TRUST_TABLES


def told(models):
    """A made-up answer to every question."""
    rows = []
    for i, model in enumerate(models):
        of = {"model": model, "search": "study", "n": 22}
        for condition, value in (("blur", 0.9), ("random_backgrounds", 0.1 + 0.05 * i)):
            rows.append(
                Row(
                    "survival", "share that keep the class", value, value - 0.1, value + 0.05, condition=condition, **of
                )
            )
            rows.append(Row("survival", "confidence", 0.3, 0.2, 0.4, condition=condition, **of))
        rows.append(Row("stability", "Dice coefficient", 0.6, 0.5, 0.7, other="again", **of))
        rows.append(Row("stability", "larger area over smaller", 1.2, 1.1, 1.4, other="again", **of))
        rows.append(Row("sub_explanations", "area under the curve", 0.2 + 0.1 * i, 0.1, 0.5, **of))
        rows += [Row("sub_explanations", "relative confidence", 1 - s / 10, share=s / 10, **of) for s in range(11)]
        rows.append(Row("cross", "place among alike models", float(i), share=0.0, **of))
        for measure in ("area and confidence of the set", "area and confidence of the whole image"):
            rows.append(Row("confidence_and_size", measure, -0.4, -0.6, -0.1, share=0.0, **of))
        rows.append(Row("disjoint_sets", "sets an image", 1.5 + i, 1.2, 5, model=model, n=22))
        rows.append(Row("misclassified", "Dice coefficient of both sets", missing="no mistake", model=model))
    for a, b in permutations(models, 2):
        rows.append(Row("cross", "gives the owner's class", 0.4, 0.2, 0.6, 22, a, b, "study", 0.0))
        rows.append(Row("cross", "keeps its own class", 0.3, 0.2, 0.6, 22, a, b, "study", 0.0))
    for name, value in ((SIZE, 0.62), (FREE, 0.88)):
        rows.append(Row("failures", "AUROC of failures", value, value - 0.1, value + 0.1, 60, ALL, condition=name))
        rows.append(Row("failures", "evaluations", 1.0, n=60, model=ALL, condition=name))
    rows.append(Row("failures", "AUROC added by the set", 0.01, -0.02, 0.04, 60, ALL, condition="both"))
    return to_frame(rows)


@pytest.fixture(scope="module", params=["small", "large"])
def study(request):
    results = request.getfixturevalue(request.param)
    return replace(results, trust=told(results.models()))


def test_every_answer_is_a_sentence_with_the_numbers_of_the_run(study):
    said = answers(study, TRUST) | answers(study, MODELS)
    assert len(said) == len(TRUST) + len(MODELS)
    everything = " ".join(said.values())
    for part in ("90.0% keep their class under blur", "0.62 (0.52 to 0.72)", "0.88", "add 0.01 (−0.02 to 0.04)",
                 "not told from nothing", "−0.40 (−0.60 to −0.10)", "a small set goes with a sure model"):  # fmt: skip
        assert part in everything
    assert said["Where a model is wrong, what do the sets of both classes share?"] == "Not answered: no mistake."


def test_tables_keep_what_has_no_answer_and_say_why(study):
    tables = tables_of(study)
    assert [name for name in tables if name in TRUST_TABLES | MODELS_TABLES] == [*TRUST_TABLES, *MODELS_TABLES]
    assert set(tables["misclassified"]["Note"]) == {"no mistake"}
    survival = tables["survival"]
    assert "Note" not in survival and len(survival) == 2 * len(study.models())
    assert survival["Share that keep the class, low"].notna().all()
    for name in (*TRUST_TABLES, *MODELS_TABLES):
        assert to_latex(name, tables[name], "caption")


def test_figures_are_drawn_or_say_why_not(study):
    assert [name for name in figures_of(study) if name in TRUST_FIGURES | MODELS_FIGURES] == [
        *TRUST_FIGURES, *MODELS_FIGURES,
    ]  # fmt: skip
    for draw in (TRUST_FIGURES | MODELS_FIGURES).values():
        assert to_png(draw(study))[:4] == b"\x89PNG"
    nothing = to_frame([Row(question, "", missing="a reason") for question in ("survival", "cross", "failures")])
    with pytest.raises(NothingToShow, match="a reason"):
        TRUST_FIGURES["cross_sufficiency"](replace(study, trust=nothing))


def test_a_study_that_asked_nothing_has_neither_section(small):
    page = render_report(small, tables_of(small), {})
    assert "How far to trust" not in page and not set(tables_of(small)) & set(TRUST_TABLES)


def test_the_page_has_both_sections_with_questions_tables_and_figures(study):
    page = render_report(study, tables_of(study), dict.fromkeys(figures_of(study), "not drawn"))
    for part in ('<section id="trust">', '<section id="sets-and-models">', 'id="table-survival"',
                 'id="figure-cross_sufficiency"', "Does a small set mean a sure model?"):  # fmt: skip
        assert page.count(part) == 1, part
