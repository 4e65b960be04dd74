import hashlib
import os
import socket
from pathlib import Path
from urllib.error import URLError

import huggingface_hub
import pytest
import torch

from kinetic.errors import MissingFileError, OptionError
from kinetic.fetch import announce, cached, downloaded, forbidden, from_hub, hash_in, offline

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
    with pytest.raises(MissingFileError, match=r"weights: '.*w.pth' is a folder, and must be a file\n  Remove it"):
        downloaded(url(server), DIGEST, "weights", "Get it.")
    cached(url(server)).rmdir()
    os.mkfifo(cached(url(server)))
    with pytest.raises(MissingFileError, match=r"weights: '.*w.pth' is neither a file nor a folder\n  Save what it"):
        downloaded(url(server), DIGEST, "weights", "Get it.")


def test_what_is_fetched_from_where_is_said_once_before_it_is(server, monkeypatch, capsys):
    fetch = torch.hub.download_url_to_file

    def fetches(*words, **options):
        assert capsys.readouterr().err == f"fetching weights from {url(server)} to {cached(url(server))}\n"
        fetch(*words, **options, progress=False)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetches)
    downloaded(url(server), DIGEST, "weights", "Get it.")
    downloaded(url(server), DIGEST, "weights", "Get it.")
    assert capsys.readouterr().err == ""


def test_what_is_fetched_is_named_without_steering_the_terminal(capsys):
    announce("weights \x1b]52;c;cm0=\x07", "https://a.org/\u202e")
    assert capsys.readouterr().err == "fetching weights \\x1b]52;c;cm0=\\x07 from https://a.org/\\u202e\n"


@pytest.mark.parametrize(
    ("name", "known"),
    [("https://a.org/w-6726825d.pth", "6726825d"), ("w-6726825.pth", ""), ("w.pth", ""), ("w-6726825D.pth", "")],
)
def test_a_name_may_say_how_the_hash_begins(name, known):
    assert hash_in(name) == known


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What hosts were looked for, on a machine that reaches none; the Hub's client may ask, and its cache is empty."""
    hosts = []

    def looked_for(host, *words, **options):
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", looked_for)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return hosts


def of_the_hub():
    def load():
        path = huggingface_hub.hf_hub_download("org/name", "w.bin", cache_dir=huggingface_hub.constants.HF_HUB_CACHE)
        return Path(path).read_bytes()

    return from_hub(load, "the weights", ("org/name", "org/words"), "Give a path.")


def test_a_hub_that_does_not_answer_is_asked_once_and_the_error_says_what_belongs_where(asked, tmp_path, capsys):
    said = (
        r"^the weights: not in .*/hub, and https://huggingface\.co does not answer: .*\n  Fill that cache where the "
        r"network may be used: `hf download org/name` and `hf download org/words`\.\n  Give a path\.$"
    )
    with pytest.raises(MissingFileError, match=said):
        of_the_hub()
    assert asked == ["huggingface.co"]
    origin = "https://huggingface.co/org/name and https://huggingface.co/org/words"
    assert capsys.readouterr().err == f"fetching the weights from {origin}\n"


def test_where_the_network_is_forbidden_the_hub_is_not_asked(asked, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = rf"^the weights: not in {tmp_path}/hub, and HF_HUB_OFFLINE forbids to fetch https://huggingface"
    with pytest.raises(MissingFileError, match=said):
        of_the_hub()
    assert asked == []
    assert capsys.readouterr().err == ""


def test_what_is_in_the_hubs_cache_is_taken_without_asking(asked, tmp_path, capsys):
    folder = tmp_path / "hub" / "models--org--name"
    for name, content in (("refs/main", b"0" * 40), (f"snapshots/{'0' * 40}/w.bin", CONTENT)):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
    assert of_the_hub() == CONTENT
    assert asked == []
    assert capsys.readouterr().err == ""
    assert not huggingface_hub.constants.HF_HUB_OFFLINE


def test_an_error_that_is_not_of_the_network_is_not_tried_again(asked):
    tries = []

    def fails():
        tries.append(1)
        raise ValueError("no tensors")

    with pytest.raises(ValueError, match="no tensors"):
        from_hub(fails, "the weights", ("org/name",), "Give a path.")
    assert (tries, asked) == ([1], [])


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
