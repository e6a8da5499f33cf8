"""All methods by name. A new one is derived from `AskingMethod` or `GradientMethod`, and gets its row here.

Their names are rankings of a search like any other: the engine, which cannot make a map, learns them from here when the
package is imported (docs/decisions/0015).
"""

from __future__ import annotations

from mps_study.mps.rex.rankings import RANKINGS
from mps_study.saliency.backward_gradient import BackwardGradient
from mps_study.saliency.gradients import GradCam, IntegratedGradients
from mps_study.saliency.method import Method
from mps_study.saliency.occlusion import Occlusion
from mps_study.saliency.rise import Rise
from mps_study.saliency.surrogates import KernelShap, Lime

METHODS: dict[str, type[Method]] = {
    "occlusion": Occlusion,
    "lime": Lime,
    "kernel_shap": KernelShap,
    "rise": Rise,
    "grad_cam": GradCam,
    "integrated_gradients": IntegratedGradients,
    "backward_gradient": BackwardGradient,
}

RANKINGS.update(METHODS)
