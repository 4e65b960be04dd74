from pathlib import Path

import pytest
from kinetic_data.image_files import few, images_in, notes_on
from kinetic_data.listing import Listing

from kinetic.errors import MissingFileError


def test_images_are_told_by_the_end_of_their_names():
    listing = Listing(
        {"a.PNG": 1, "b.txt": 2, "c.jpg": 3}, special={"d": "odd", "e.webp": "odd"}, unreachable={"f.tif": "gone"}
    )
    sizes, broken, others = images_in(Path("root"), listing)
    assert sizes == {"a.PNG": 1, "c.jpg": 3}
    assert broken == {"e.webp": "odd", "f.tif": "gone"}
    assert others == ["b.txt", "d"]


def test_what_may_hold_images_and_cannot_be_read_is_an_error():
    with pytest.raises(
        MissingFileError, match=r"2 entries of 'root' cannot be read, .*: a \(shut\), b\.txt \(gone\)\n"
    ):
        images_in(Path("root"), Listing({"c.png": 1}, unreachable={"a": "shut", "b.txt": "gone"}))


def test_only_images_are_counted_twice():
    notes = notes_on(Path("root"), Listing({"a.png": 1, "a.txt": 1}, again=("a.png", "a.txt")), [])
    assert notes == ["1 images in root are there under another name too, by links: a.png."]


def test_of_many_names_the_first_are_given():
    assert few(list("abcdef")) == "a, b, c, d, e, ..."
    assert few(list("abc"), 3) == "a, b, c"
