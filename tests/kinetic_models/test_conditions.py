import pytest
import torch
from kinetic_models.conditions import check_null, embeddings, rows_of
from safetensors.torch import save_file

from kinetic.errors import MissingFileError, OptionError


def test_tensors_come_by_name_a_row_a_prompt(tmp_path):
    saved = {"a": torch.randn(3, 5, 7), "b": torch.randn(3, 2), "c": torch.randn(3)}
    save_file(saved, tmp_path / "c.safetensors")
    held = embeddings(str(tmp_path / "c.safetensors"))
    assert held.keys() == saved.keys()
    assert all(torch.equal(held[name], saved[name]) for name in saved)
    assert embeddings(str(tmp_path / "c.safetensors"), {"a": (None, 7), "c": ()}).keys() == {"a", "c"}


@pytest.mark.parametrize(
    ("held", "widths", "words"),
    [
        ({"a": (3, 5, 7)}, {"a": (None, 8)}, r"holds a of shape \(3, 5, 7\).*\n.*needs a \(P, L, 8\), a row a prompt"),
        ({"a": (3, 7)}, {"a": (None, 7)}, r"holds a of shape \(3, 7\)"),
        ({"a": (3, 7)}, {"a": (7,), "b": (2,)}, r"lacks b.*\n.*needs a \(P, 7\) and b \(P, 2\)"),
        ({"a": (3, 7), "b": (2, 2)}, None, "unlike numbers of prompts"),
        ({"a": (0, 7)}, None, "or none: {'a': 0}"),
        ({}, None, "lacks tensors"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(tmp_path, held, widths, words):
    save_file({name: torch.zeros(shape) for name, shape in held.items()}, tmp_path / "c.safetensors")
    with pytest.raises(OptionError, match=words):
        embeddings(str(tmp_path / "c.safetensors"), widths)


def test_other_files_are_named(tmp_path):
    (tmp_path / "c.safetensors").write_bytes(b"no")
    with pytest.raises(OptionError, match="'conditions' cannot be read as safetensors"):
        embeddings(str(tmp_path / "c.safetensors"))
    with pytest.raises(MissingFileError, match="Save the embeddings"):
        embeddings(str(tmp_path / "none.safetensors"))


def test_a_row_for_nothing_is_one_of_those_there_are():
    check_null(None, 0)
    check_null(2, 3)
    with pytest.raises(OptionError, match="'null' must be below 3, the number of rows: 3"):
        check_null(3, 3)


def test_rows_are_those_asked_for_and_null_where_none_is():
    asked = torch.tensor([2, 0])
    assert rows_of(asked, 2, 3, None) is asked
    assert rows_of(None, 2, 3, 1).tolist() == [1, 1]
    with pytest.raises(OptionError, match="'null' says no row"):
        rows_of(None, 2, 3, None)
    with pytest.raises(OptionError, match="no class that stands for it"):
        rows_of(None, 2, 3, None, "class")
    for wrong in (torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.tensor([0]), torch.tensor([0.0, 1.0])):
        with pytest.raises(OptionError, match="a row from 0 to 2, as int64"):
            rows_of(wrong, 2, 3, None)
