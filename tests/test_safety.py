"""What kinetic loads and what it never runs: every option that takes a file, given everything that is no such file."""

import io
import json
import os
import pickle
import re
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import kinetic_features.inception
import kinetic_models.azula_card
import numpy as np
import pytest
import torch
from kinetic_data import ImageFolder, TensorFile
from kinetic_diffusers import Decoded, DiffusersField
from kinetic_features import CLIPImage, DINOv2, Inception, ModuleFeatures
from kinetic_fields import Gaussian
from kinetic_grids import Given
from kinetic_metrics import CLIPScore, FrechetDistance
from kinetic_models import ModuleField, TorchCFMUNet
from kinetic_models.azula_card import AzulaCard
from kinetic_models.conditions import embeddings
from torch import nn

from kinetic import options, registry
from kinetic._experiment.prompts import read_prompts
from kinetic._experiment.recipe_file import read_recipe
from kinetic._experiment.score_command import data_table, load_score_job
from kinetic.errors import KineticError, MissingPackageError
from kinetic.networks import state_dict

pytestmark = pytest.mark.filterwarnings("ignore")  # of other libraries, as they are imported
CLIP = options.existing_path("package:kinetic_digits/clip", what="clip", remedy="")
VIT = "vit_tiny_patch16_224.augreg_in21k"


def module_field(path):
    return ModuleField(
        nn.Linear(2, 2).eval(), shape=[2], order="xt", predicts="velocity", zero="noise", path="linear", weights=path
    )


def torchcfm_unet(path):
    small = {"num_channels": 32, "num_res_blocks": 1, "channel_mult": [1, 1], "attention_resolutions": "4"}
    return TorchCFMUNet([1, 8, 8], path, **small)


def azula_card(path):
    """The network of the card is a small one: the published ones take gigabytes."""
    made = SimpleNamespace(backbone=nn.Linear(2, 2))
    with mock.patch.object(kinetic_models.azula_card, "_made", return_value=made):
        return AzulaCard(plugin="adm", card="c", shape=[2], weights=path)


def scored(path):
    return registry().get("dataset", data_table(path)["name"])(path)


def clip(path):
    return CLIPImage(model=f"local-dir:{path}")


def clip_weights(path):
    """A CLIP folder whose weights are that file."""
    folder = Path(path).parent / "clip"
    folder.mkdir(exist_ok=True)
    shutil.copy(CLIP / "open_clip_config.json", folder)
    (folder / "open_clip_pytorch_model.bin").unlink(missing_ok=True)
    (folder / "open_clip_pytorch_model.bin").symlink_to(path)
    return CLIPImage(model=f"local-dir:{folder}")


def transformer(path):
    return DiffusersField(pretrained=path)


def transformer_weights(path):
    """A folder of a transformer whose weights are that file."""
    folder = Path(path).parent / "transformer"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"_class_name": "DiTTransformer2DModel"}))
    (folder / "diffusion_pytorch_model.safetensors").unlink(missing_ok=True)
    (folder / "diffusion_pytorch_model.safetensors").symlink_to(path)
    return DiffusersField(pretrained=str(folder))


def cached_inception(path):
    """The file of pytorch-fid in torch's cache is that one."""
    cache = Path(torch.hub.get_dir()) / "checkpoints" / kinetic_features.inception.FILE
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.unlink(missing_ok=True)
    cache.symlink_to(path)
    return Inception()


READERS = {  # what is asked for a path: the ends that files of it have, and what opens one
    "a state dict": ((".pth", ".safetensors"), state_dict),
    "weights of field module": ((".pth",), module_field),
    "weights of field torchcfm-unet": ((".pth",), torchcfm_unet),
    "weights of field azula-card": ((".pth",), azula_card),
    "pretrained of field diffusers": (("",), transformer),
    "weights in a folder of diffusers": ((".safetensors",), transformer_weights),
    "conditions of field diffusers, conditions of field module, conditions of field azula": (
        (".safetensors",),
        embeddings,
    ),
    "vae of field decoded": (("",), lambda path: Decoded(Gaussian(2), path)),
    "weights of features inception": ((".pth",), lambda path: Inception(weights=path)),
    "the cache of features inception": ((".pth",), cached_inception),
    "weights of features dinov2": ((".pth",), lambda path: DINOv2(VIT, weights=path)),
    "weights of features module": (
        (".pth",),
        lambda path: ModuleFeatures(nn.Linear(2, 2), weights=path, mean=(0, 0, 0), std=(1, 1, 1)),
    ),
    "model of features clip-image": (("",), clip),
    "model of metric clip": (("",), lambda path: CLIPScore(model=f"local-dir:{path}", prompts=("a", "b"))),
    "weights in a folder of CLIP": ((".bin",), clip_weights),
    "path of dataset tensor-file": ((".npy", ".npz", ".safetensors"), TensorFile),
    "mapped dataset tensor-file": ((".npy", ".safetensors"), lambda path: TensorFile(path, mapped=True)),
    "path of dataset image-folder": (("",), ImageFolder),
    "path of grid given": ((".npy", ".json", ".toml", ".txt"), lambda path: Given(path=path)),
    "statistics of metric frechet": ((".npz",), lambda path: FrechetDistance(statistics=path)),
    "a recipe": ((".toml",), lambda path: read_recipe(Path(path))),
    "prompts of a run": ((".txt",), read_prompts),
    "metrics of kinetic score": ((".toml",), lambda path: load_score_job("x.npy", path)),
    "samples of kinetic score": ((".npy", ".png", ""), scored),
}  # fmt: skip
CASES = [pytest.param(end, reader, id=f"{name} {end}") for name, (ends, reader) in READERS.items() for end in ends]


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def pipe(path, trap):
    os.mkfifo(path)


def device(path, trap):
    path.symlink_to("/dev/zero")


def folder(path, trap):
    path.mkdir()


def nothing(path, trap):
    return


def loop(path, trap):
    path.symlink_to(path)


def pickled(path, trap):
    path.write_bytes(pickle.dumps(trap))


def saved(path, trap):
    torch.save({"weight": torch.zeros(2, 2), "evil": trap}, path)


def saved_before_archives(path, trap):
    torch.save({"evil": trap}, path, _use_new_zipfile_serialization=False)


def of_numpy(path, trap):
    held = io.BytesIO()
    np.save(held, np.array([trap], object), allow_pickle=True)
    path.write_bytes(held.getvalue())


def archive(path, trap):
    """The members of a `.npz`, pickled, with the names that statistics and points have."""
    with path.open("wb") as file:
        objects = np.array([trap], object)
        np.savez(file, x=objects, mu=objects, sigma=objects, arr_0=objects)


def tar(path, trap):
    """What torch wrote before 0.1.10, with a member that leads out of the folder it is unpacked in."""
    with tarfile.open(path, "w") as file:
        for name in ("sys_info", "pickle", "storages", "tensors", "../../out"):
            content = pickle.dumps(trap)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))


def without_package(error):
    """Skip what an extra that is not installed here would read; the environment `peers` has them all."""
    if isinstance(error, MissingPackageError) or 'pip install "kinetic-flow[' in str(error):
        pytest.skip(str(error))


@pytest.mark.parametrize("make", [pipe, device, folder, nothing, loop], ids=lambda make: make.__name__)
@pytest.mark.parametrize(("end", "reader"), CASES)
@pytest.mark.timeout(60)
def test_what_is_no_file_is_an_error_in_a_line_and_is_not_waited_for(end, reader, make, tmp_path, trap):
    path = tmp_path / f"it{end}"
    make(path, trap)
    with pytest.raises(KineticError) as caught:
        reader(str(path))
    without_package(caught.value)
    assert re.search(
        r"there is no |neither a file nor a folder|is a folder|cannot be looked at|no file in ", str(caught.value)
    )


@pytest.mark.parametrize(
    "make", [pickled, saved, saved_before_archives, of_numpy, archive, tar], ids=lambda make: make.__name__
)
@pytest.mark.parametrize(("end", "reader"), CASES)
def test_no_code_in_a_file_is_run(end, reader, make, tmp_path, trap, marker, monkeypatch):
    path = tmp_path / f"it{end}"
    make(path, trap)
    before = {*tmp_path.rglob("*")}
    monkeypatch.setattr(kinetic_features.inception, "SHA256", "")  # the trap is the file that is meant
    with pytest.raises(KineticError) as caught:
        reader(str(path))
    without_package(caught.value)
    assert tmp_path.name in str(caught.value)
    assert not marker.exists()
    assert not {each.name for each in {*tmp_path.rglob("*")} - before} & {"out"}


@pytest.mark.parametrize("make", [pickled, saved, saved_before_archives], ids=lambda make: make.__name__)
def test_the_traps_are_traps(make, tmp_path, trap, marker):
    make(tmp_path / "it", trap)
    if make is pickled:
        pickle.loads((tmp_path / "it").read_bytes())
    else:
        torch.load(tmp_path / "it", weights_only=False)
    assert marker.exists()


def test_every_option_that_takes_a_path_is_tried_here():
    words = re.compile(r"\bpath\b|\bfolder\b|safetensors|\.npz", re.IGNORECASE)
    tried = " ".join(READERS)
    for role, classes in registry().classes.items():
        for name, cls in classes.items():
            for field in cls.__attrs_attrs__:
                bound, doc = (str(field.metadata.get(key, "")) for key in (options.BOUND, options.DOC))
                if field.init and re.search("string|path of", bound) and words.search(f"{bound} {doc}"):
                    assert f"{field.alias or field.name} of {role} {name}" in tried, (bound, doc)
