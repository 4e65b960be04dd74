import sys

import pytest
from kinetic_diffusers.folder import class_of, diffusers_package, folder_of

from kinetic.errors import MissingFileError, OptionError


def test_a_part_is_found_below_a_pipeline_and_by_itself(tmp_path):
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    for place in (tmp_path, tmp_path / "vae"):
        assert folder_of(str(place), "vae", "vae", ("AutoencoderKL",)) == tmp_path / "vae"
    with pytest.raises(MissingFileError, match="there is no"):
        folder_of(str(tmp_path), "pretrained", "transformer", ("X",))
    for text in ("[1]", "{", ""):
        (tmp_path / "vae" / "config.json").write_text(text)
        with pytest.raises(OptionError, match="'vae' has no readable config"):
            class_of(tmp_path / "vae", "vae")


def test_without_diffusers_the_error_says_how_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(OptionError, match=r'needs diffusers: pip install "kinetic-flow\[diffusers\]"'):
        diffusers_package("field 'decoded'")
