import pytest
from kinetic_models.paths.path import Path


def test_a_path_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Path()
