import hashlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from kinetic_features.download import cached, downloaded, forbidden, offline

from kinetic.errors import MissingFileError, OptionError

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:8]


@pytest.fixture(autouse=True)
def online(tmp_path, monkeypatch):
    """An empty cache, and no word against the network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def url(path):
    return f"file://{path}"


@pytest.fixture
def server(tmp_path):
    """A file that urllib fetches as it would from the network."""
    path = tmp_path / "server" / "w.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_fetched_once_and_kept_in_torchs_cache(server, tmp_path):
    path = downloaded(url(server), DIGEST, "weights", "Get it.")
    assert path == tmp_path / "hub" / "checkpoints" / "w.pth" == cached(url(server))
    assert path.read_bytes() == CONTENT
    server.unlink()
    assert downloaded(url(server), DIGEST, "weights", "Get it.") == path


def test_another_file_of_that_name_is_refused_in_the_cache_and_from_the_network(server):
    with pytest.raises(MissingFileError, match=r"weights could not be fetched from file://.*invalid hash.*\n  Get it"):
        downloaded(url(server), "00000000", "weights", "Get it.")
    assert not cached(url(server)).exists()
    cached(url(server)).write_bytes(b"planted")
    said = rf"weights: '.*w.pth' is not the file of that name, whose SHA-256 begins with {DIGEST}: [0-9a-f]{{64}}\n"
    with pytest.raises(OptionError, match=said):
        downloaded(url(server), DIGEST, "weights", "Get it.")
    cached(url(server)).unlink()
    cached(url(server)).mkdir()
    with pytest.raises(OptionError, match=r"weights: '.*w.pth' cannot be read: Is a directory"):
        downloaded(url(server), DIGEST, "weights", "Get it.")


def test_a_download_that_fails_says_whence_and_whereto(monkeypatch):
    def fails(*words, **options):
        raise URLError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fails)
    with pytest.raises(MissingFileError, match=r"fetched from https://a\.org/w\.pth to /.*w\.pth: .*no route.*\n  Get"):
        downloaded("https://a.org/w.pth", DIGEST, "weights", "Get it.")


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_nothing_is_fetched_where_the_network_is_forbidden_and_the_cache_serves(name, server, monkeypatch):
    assert (offline(), forbidden()) == (None, "")
    monkeypatch.setenv(name, "true")
    assert (offline(), forbidden()) == (name, f" ({name} forbids the network)")
    with pytest.raises(
        MissingFileError, match=rf"there is no '.*w\.pth', and {name} forbids to fetch file://.*\n  Get"
    ):
        downloaded(url(server), DIGEST, "weights", "Get it.")
    cached(url(server)).parent.mkdir(parents=True)
    Path(cached(url(server))).write_bytes(CONTENT)
    assert downloaded(url(server), DIGEST, "weights", "Get it.").read_bytes() == CONTENT
