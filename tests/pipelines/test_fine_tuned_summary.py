"""Table 4's second column comes from the study that fine-tunes, unless the parameters say otherwise."""

import pandas as pd
from small_project import MODELS, table


def test_accuracies_of_another_study_are_joined_by_model_and_parameters_win(project):
    from mps_study.datasets.models import ModelCards
    from mps_study.pipelines.metrics.nodes import compute_summary
    from mps_study.project.parameters import Metrics

    areas = table(project, "areas")
    cards = {
        name: card.model_copy(update={"weights": "hub"})
        for name, card in ModelCards(str(project / "data/miniature/04_models")).load().items()
    }
    there = pd.DataFrame({"model": [MODELS[0], MODELS[1]], "accuracy": [0.25, 0.5]})
    metrics = Metrics(resamples=10, fine_tuned_accuracy={MODELS[1]: 0.75})
    summary = compute_summary(areas, cards, metrics, there).set_index("model")["fine_tuned_accuracy"]
    assert summary[MODELS[0]] == 0.25
    assert summary[MODELS[1]] == 0.75
    assert summary.drop([MODELS[0], MODELS[1]]).isna().all()


def test_the_papers_study_reads_the_summary_of_the_study_on_caltech256(project):
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    with KedroSession.create(project_path=project, env="paper") as session:
        entry = session.load_context().config_loader["catalog"]["fine_tuned_summary"]
    assert entry["filepath"] == "data/paper_caltech256/06_measures/model_summary.parquet"
