"""The finished small study."""

from conftest_pipelines import project

__all__ = ["project"]
