"""Linear mixed models with crossed random intercepts, by REML."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

SINGULAR = 1e-6
"""A random intercept, or a residual, whose variance is a smaller share of the outcome's is estimated at zero."""


@dataclass(frozen=True)
class Fit:
    """Fixed effects of `area ~ incorrect`, and what there is to say about the fit.

    effects (2,): mean area of the correct, and what being incorrect adds, both area ratios.
    covariance (2, 2): theirs. notes: singular fits, then warnings of the library, verbatim.
    """

    effects: "np.ndarray[Any, np.dtype[np.float64]]"
    covariance: "np.ndarray[Any, np.dtype[np.float64]]"
    notes: str


class FitError(Exception):
    """The model could not be fitted; the message says why."""


def fit_area(rows: pd.DataFrame, intercepts: Sequence[str]) -> Fit:
    """REML fit of `area ~ incorrect` with a random intercept for each column in `intercepts`.

    rows: `area` (ratio), `incorrect` (0.0 or 1.0), and the columns named; nothing missing. The
    result does not depend on their order beyond rounding of the last digits.

    The covariance is that of the fixed effects given the variance components, as lme4 reports
    it. A variance at zero is not an error: the fixed effects remain those of the smaller model,
    and `notes` says so. Raises FitError when the optimiser fails, no finite answer comes out, or
    no residual is left: the likelihood then has no maximum, and where the optimiser stops
    depends on the machine.

    Cost: one group that holds all rows makes crossed effects possible; sparse matrices keep
    15 models x 500 images to a few seconds.
    """
    # The library's boundary check compares variances with 0.01, whatever the outcome's unit.
    # Areas vary by less; standardised, the check means one per cent of the variance.
    unit = rows["area"].std()
    codes = rows[list(intercepts)].apply(lambda names: names.factorize(sort=True)[0])
    data = codes.assign(area=rows["area"] / unit, incorrect=rows["incorrect"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = MixedLM.from_formula(
                "area ~ incorrect",
                data,
                groups=np.zeros(len(data)),
                re_formula="0",
                vc_formula={name: f"0 + C({name})" for name in intercepts},
                use_sparse=True,
            )
            # Gradient methods stall where a variance is zero; Powell's, which needs no gradient,
            # reaches lme4's optimum there and everywhere else that was compared.
            result = model.fit(reml=True, method="powell", ftol=1e-12, maxiter=1000)
            information = -model.hessian(result.params_object)[0][:2, :2]
            covariance = np.linalg.inv(information) * unit**2
        except (np.linalg.LinAlgError, ValueError, ArithmeticError, RuntimeError) as error:
            raise FitError(f"the fit failed: {error}") from error
    effects = np.asarray(result.fe_params, dtype=np.float64) * unit
    notes = _notes(result, [str(warning.message) for warning in caught])
    if not result.converged:
        raise FitError("; ".join(["the optimiser did not converge", *notes]))
    if not (np.isfinite(effects).all() and np.isfinite(covariance).all()) or (np.diag(covariance) <= 0).any():
        raise FitError("; ".join(["no finite standard error", *notes]))
    if result.scale < SINGULAR * (result.scale + result.vcomp.sum()):
        raise FitError("the model explains every area exactly; no residual is left to tell chance from")
    return Fit(effects, covariance, "; ".join(notes))


def _notes(result: Any, messages: Sequence[str]) -> list[str]:
    total = result.scale + result.vcomp.sum()
    names = result.model.exog_vc.names
    zero = [n for n, v in zip(names, result.vcomp, strict=True) if v < SINGULAR * total]
    singular = [f"singular fit: no variance between {name}s" for name in zero]
    return singular + list(dict.fromkeys(" ".join(m.split()) for m in messages))
