import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def _quick_garbage_collection() -> Iterator[None]:
    """statsmodels collects garbage at every Holm adjustment: 0.1 s each among imported modules."""
    gc.freeze()
    yield
    gc.unfreeze()
