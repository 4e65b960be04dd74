import os

import pytest
from kinetic_data.listing import Listing


@pytest.fixture
def root(tmp_path):
    for name in ("b", "a/y", "a/x", "a.b/z", ".hidden", ".folder/f"):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(name)
    return tmp_path / "root"


def test_files_come_sorted_part_by_part_with_their_sizes_and_without_hidden_ones(root):
    listing = Listing.of(root)
    assert list(listing.files.items()) == [("a/x", 3), ("a/y", 3), ("a.b/z", 5), ("b", 1)]
    assert (listing.again, listing.loops, listing.special, listing.unreachable) == ((), (), {}, {})


def test_links_are_followed_but_not_in_a_circle(root):
    (root / "a" / "up").symlink_to("..")
    (root / "c").symlink_to("a")
    (root / "d").symlink_to("b")
    listing = Listing.of(root)
    assert list(listing.files) == ["a/x", "a/y", "a.b/z", "b", "c/x", "c/y", "d"]
    assert listing.again == ("c/x", "c/y", "d")
    assert listing.loops == ("a/up", "c/up")


def test_what_cannot_be_looked_at_is_given_with_its_cause(root, as_others):
    (root / "gone").symlink_to("nowhere")
    (root / "round").symlink_to("round")
    os.mkfifo(root / "pipe")
    (root / "a").chmod(0)
    with as_others():
        listing = Listing.of(root)
    (root / "a").chmod(0o700)
    assert list(listing.files) == ["a.b/z", "b"]
    assert listing.special == {"pipe": "neither a file nor a folder"}
    assert listing.unreachable == {
        "a": "Permission denied",
        "gone": "No such file or directory",
        "round": "Too many levels of symbolic links",
    }


def test_folders_may_lie_deep(tmp_path):
    here = tmp_path
    for _ in range(300):
        here = here / "d"
    here.mkdir(parents=True)
    (here / "f").write_text("")
    assert list(Listing.of(tmp_path).files) == ["d/" * 300 + "f"]
