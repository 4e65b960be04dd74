import os
import struct
import zlib

import numpy as np
import pytest
import torch
from kinetic_data import ImageFolder
from kinetic_data import image_folder as module
from PIL import Image

import kinetic
from kinetic._plugins.builder import ComponentBuilder
from kinetic.errors import MissingFileError, OptionError, ShapeError
from kinetic.testing import check_dataset


def pixels(n, size=(5, 7), channels=3):
    return np.random.default_rng(0).integers(0, 256, (n, *size, channels), dtype=np.uint8)


def put(folder, images, names="{:03d}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(folder / names.format(number))


def test_a_byte_b_is_b_over_127_and_a_half_less_1_and_files_come_sorted(tmp_path):
    x = pixels(4)
    x[0, 0, 0], x[0, 0, 1] = 0, 255
    put(tmp_path, x[[2, 0, 3, 1]], "{}.png")
    for old, new in (("0", "c"), ("1", "a"), ("2", "d"), ("3", "b")):
        (tmp_path / f"{old}.png").rename(tmp_path / f"{new}.PNG")
    data = ImageFolder(str(tmp_path))
    assert data.files == ("a.PNG", "b.PNG", "c.PNG", "d.PNG")
    found = data.read(0, 4)
    assert torch.equal(found, torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1)
    assert (float(found.min()), float(found.max())) == (-1, 1)
    assert data.event_shape == (3, 5, 7)
    check_dataset(data)


def test_a_jpeg_is_decoded_as_torchvision_does(tmp_path):
    decode = pytest.importorskip("torchvision.datasets", exc_type=(ImportError, RuntimeError))
    transforms = pytest.importorskip("torchvision.transforms")
    for name, x in (("dogs", pixels(3, (16, 24))), ("cats", pixels(2, (16, 24)))):
        put(tmp_path / name, x, "{}.jpg")
    theirs = decode.ImageFolder(tmp_path, transforms.ToTensor())
    ours = ImageFolder(str(tmp_path), labels=True)
    assert torch.allclose(ours.read(0, 5), torch.stack([x for x, _ in theirs]) * 2 - 1, atol=1e-6)
    assert ours.labels.tolist() == [label for _, label in theirs] == [0, 0, 1, 1, 1]
    assert ImageFolder(str(tmp_path)).labels is None
    check_dataset(ours)


def test_what_is_no_image_or_hidden_is_left_out(tmp_path):
    put(tmp_path / "deep" / "er", pixels(2))
    (tmp_path / "notes.txt").write_text("text")
    (tmp_path / "._000.png").write_text("what macOS leaves")
    data = ImageFolder(str(tmp_path))
    assert data.files == ("deep/er/000.png", "deep/er/001.png")
    assert data.notes == (f"Left out: 1 files in {tmp_path} that are no images: notes.txt.",)
    put(tmp_path, pixels(1), "a.png")
    with pytest.raises(OptionError, match=r"every image in a folder of its class: .* itself holds a\.png"):
        ImageFolder(str(tmp_path), labels=True)


def test_a_folder_without_images_or_none_at_all_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="images: there is no '/no/such'\n  Paths are relative"):
        ImageFolder("/no/such")
    with pytest.raises(MissingFileError, match=r"no file in .* ends in one of \.bmp, .*: it holds none"):
        ImageFolder(str(tmp_path))
    (tmp_path / "a.gif").write_text("")
    with pytest.raises(MissingFileError, match=r"it holds a\.gif"):
        ImageFolder(str(tmp_path))


def test_images_of_several_sizes_are_refused_and_counted(tmp_path):
    put(tmp_path / "a", pixels(3))
    put(tmp_path / "b", pixels(1, (8, 8)))
    said = r"holds 3 of 5 x 7 \(a/000.png, a/001.png, ...\); 1 of 8 x 8 \(b/000.png\)\n  Resize them"
    with pytest.raises(ShapeError, match=said):
        ImageFolder(str(tmp_path))


def test_gray_beside_rgb_is_refused_until_the_conversion_is_stated(tmp_path):
    put(tmp_path, pixels(2))
    put(tmp_path, pixels(1, channels=1), "gray.png")
    with pytest.raises(OptionError, match=r"holds 2 RGB \(000.png, 001.png\); 1 L \(gray.png\)\n .* mode = \"rgb\""):
        ImageFolder(str(tmp_path))
    rgb, gray = ImageFolder(str(tmp_path), mode="rgb"), ImageFolder(str(tmp_path), mode="gray")
    assert rgb.event_shape == (3, 5, 7)
    assert gray.event_shape == (1, 5, 7)
    last = rgb.read(2, 3)
    assert torch.equal(last, gray.read(2, 3).expand(-1, 3, -1, -1))
    luminance = (rgb.read(0, 2) * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    assert torch.allclose(gray.read(0, 2), luminance, atol=1.01 / 127.5)
    check_dataset(rgb)
    check_dataset(gray)


def test_a_folder_of_gray_images_alone_has_one_channel(tmp_path):
    x = pixels(3, channels=1)
    put(tmp_path, x)
    assert torch.equal(ImageFolder(str(tmp_path)).read(0, 3), torch.from_numpy(x).permute(0, 3, 1, 2) / 127.5 - 1)


def test_transparency_is_refused_until_it_is_dropped(tmp_path):
    x = pixels(2, channels=4)
    put(tmp_path, x)
    Image.fromarray(x[0, ..., :3]).quantize(4).save(tmp_path / "palette.png", transparency=b"\x00\x80\xff\xff")
    with pytest.raises(OptionError, match=r"holds 2 RGBA .*; 1 P \(palette.png\)"):
        ImageFolder(str(tmp_path))
    data = ImageFolder(str(tmp_path), mode="rgb")
    assert torch.equal(data.read(0, 2), torch.from_numpy(x[..., :3]).permute(0, 3, 1, 2).float() / 127.5 - 1)
    check_dataset(data)


def test_16_bits_are_refused(tmp_path):
    put(tmp_path, np.zeros((1, 4, 4, 1), np.uint16))
    with pytest.raises(OptionError, match=r"8 bits a channel: .* holds 1 I;16"):
        ImageFolder(str(tmp_path), mode="gray")


@pytest.mark.parametrize("suffix", ["png", "tif", "ppm"])
def test_16_bits_of_colour_are_refused_though_pillow_cuts_them_to_8(suffix, tmp_path):
    x = pixels(1, (4, 4))[0].astype(">u2") * 257
    if suffix == "png":
        rows = b"".join(b"\0" + row.tobytes() for row in x)
        chunks = (
            (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
        file = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    elif suffix == "ppm":
        file = b"P6 4 4 65535\n" + x.tobytes()
    else:
        tags = [(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 140)]
        tags += [(277, 3, 1, 3), (278, 3, 1, 4), (279, 4, 1, 96), (284, 3, 1, 1)]
        entries = b"".join(
            struct.pack(">HHI", tag, kind, count)
            + (struct.pack(">HH", value, 0) if kind == 3 and count == 1 else struct.pack(">I", value))
            for tag, kind, count, value in tags
        )
        head = b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + b"\0" * 4
        file = head + struct.pack(">HHH", 16, 16, 16) + x.tobytes()
    (tmp_path / f"deep.{suffix}").write_bytes(file)
    with Image.open(tmp_path / f"deep.{suffix}") as image:
        assert (np.asarray(image) == x >> 8).all()
    for mode in ("rgb", None):
        with pytest.raises(OptionError, match=rf"8 bits a channel: .* holds 1 RGB;16 \(deep\.{suffix}\)\n"):
            ImageFolder(str(tmp_path), mode=mode)


@pytest.mark.parametrize("suffix", ["bmp", "ppm", "tif", "tiff", "webp"])
def test_what_pytorch_fid_reads_is_read(suffix, tmp_path):
    x = pixels(3)
    for number, image in enumerate(x):
        Image.fromarray(image).save(tmp_path / f"{number}.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    data = ImageFolder(str(tmp_path))
    assert torch.equal(data.read(0, 3), torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1)
    assert data.notes == ()
    check_dataset(data)


def test_gray_maps_are_read_and_16_bit_ones_refused(tmp_path):
    put(tmp_path / "8", pixels(2, channels=1), "{}.pgm")
    assert ImageFolder(str(tmp_path / "8")).event_shape == (1, 5, 7)
    (tmp_path / "16").mkdir()
    (tmp_path / "16" / "a.pgm").write_bytes(b"P5 2 1 65535\n\1\2\3\4")
    with pytest.raises(OptionError, match="8 bits a channel"):
        ImageFolder(str(tmp_path / "16"))


def test_a_file_of_several_images_is_no_image(tmp_path):
    first, *others = (Image.fromarray(image) for image in pixels(3))
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    with pytest.raises(OptionError, match=r"1 of 1 images .* a\.tif \(it holds 3 images\)"):
        ImageFolder(str(tmp_path))


def test_links_to_nothing_are_named_or_left_out(tmp_path):
    put(tmp_path, pixels(2))
    (tmp_path / "zz.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(OptionError, match=r"1 of 3 images in .* cannot be decoded: zz\.png \(.*No such file"):
        ImageFolder(str(tmp_path))
    assert "1 of 3 images" in ImageFolder(str(tmp_path), skip_corrupt=True).notes[0]


def test_linked_folders_are_read_as_others_are_and_their_images_counted_where_they_are_there_twice(tmp_path):
    put(tmp_path / "real" / "dogs", pixels(3))
    put(tmp_path / "mine" / "cats", pixels(2))
    (tmp_path / "mine" / "dogs").symlink_to(tmp_path / "real" / "dogs")
    data = ImageFolder(str(tmp_path / "mine"), labels=True)
    assert data.files == ("cats/000.png", "cats/001.png", "dogs/000.png", "dogs/001.png", "dogs/002.png")
    assert data.labels.tolist() == [0, 0, 1, 1, 1]
    assert data.notes == ()
    assert torch.equal(data.read(2, 5), ImageFolder(str(tmp_path / "real")).read(0, 3))
    (tmp_path / "mine" / "cats" / "back").symlink_to(tmp_path / "mine")
    (tmp_path / "mine" / "more").symlink_to("cats")
    data = ImageFolder(str(tmp_path / "mine"))
    assert len(data) == 7
    assert data.notes == (
        f"Left out: 2 linked folders in {tmp_path / 'mine'} that lead back to one they lie in: cats/back, more/back.",
        f"2 images in {tmp_path / 'mine'} are there under another name too, by links: more/000.png, more/001.png.",
    )


def test_a_folder_that_cannot_be_listed_is_no_folder_without_images(tmp_path, as_others):
    put(tmp_path / "open", pixels(2))
    put(tmp_path / "shut", pixels(2))
    (tmp_path / "shut").chmod(0)
    with as_others(), pytest.raises(MissingFileError, match=r"1 entries of .* cannot be read, .*: shut \(Permission"):
        ImageFolder(str(tmp_path))
    with (
        as_others(),
        pytest.raises(MissingFileError, match=r"1 entries of .*/shut' cannot be read, .*: \. \(Permission"),
    ):
        ImageFolder(str(tmp_path / "shut"))
    with as_others(), pytest.raises(MissingFileError, match=r"'.*/shut/in' cannot be looked at: .*Permission denied"):
        ImageFolder(str(tmp_path / "shut" / "in"))
    (tmp_path / "shut").chmod(0o700)
    (tmp_path / "shut" / "000.png").chmod(0)
    with as_others(), pytest.raises(OptionError, match=r"1 of 4 images .*: shut/000\.png \(.*Permission denied"):
        ImageFolder(str(tmp_path))


def test_a_pipe_is_not_waited_for(tmp_path):
    put(tmp_path, pixels(2))
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OptionError, match=r"1 of 3 images in .*: pipe\.png \(neither a file nor a folder\)\n"):
        ImageFolder(str(tmp_path))
    assert len(ImageFolder(str(tmp_path), skip_corrupt=True)) == 2
    (tmp_path / "pipe.png").rename(tmp_path / "pipe")
    assert ImageFolder(str(tmp_path)).notes == (f"Left out: 1 files in {tmp_path} that are no images: pipe.",)


def test_a_link_to_nothing_that_may_be_a_folder_of_images_is_named(tmp_path):
    put(tmp_path, pixels(2))
    (tmp_path / "dogs").symlink_to(tmp_path / "gone")
    with pytest.raises(MissingFileError, match=r"1 entries of .*: dogs \(No such file or directory\)\n  Let them"):
        ImageFolder(str(tmp_path))


def test_a_file_is_no_folder(tmp_path):
    put(tmp_path, pixels(1))
    with pytest.raises(MissingFileError, match=r"images: '.*000\.png' is a file, and must be a folder"):
        ImageFolder(str(tmp_path / "000.png"))


def test_names_that_are_no_text_are_read_and_told_apart(tmp_path):
    put(tmp_path, pixels(2))
    name = os.fsdecode(b"\xff [red] %20.png")
    (tmp_path / "001.png").rename(tmp_path / name)
    (tmp_path / os.fsdecode(b"\xfe")).write_text("")
    data = ImageFolder(str(tmp_path))
    assert torch.equal(data.read(0, 2), torch.from_numpy(pixels(2)).permute(0, 3, 1, 2).float() / 127.5 - 1)
    assert data.notes[0].endswith(r"that are no images: \xfe.")
    check_dataset(data)


def test_a_check_decodes_every_file_and_tells_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    put(tmp_path, pixels(9, (40, 40)), "{}.png")
    data, heard = ImageFolder(str(tmp_path)), []
    data.check(heard.append)
    assert heard == [4, 4, 1]
    for name in ("5", "7"):
        path = tmp_path / f"{name}.png"
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(OptionError, match=r"2 of 9 images in .*: 5\.png \(.*\), 7\.png \(.*\)\n.*skip_corrupt = true"):
        data.check()


def test_files_without_a_header_are_named_and_counted_in_one_error(tmp_path):
    put(tmp_path, pixels(3))
    for name in ("001.png", "zz.jpg"):
        (tmp_path / name).write_text("no image")
    with pytest.raises(
        OptionError, match=r"2 of 4 images in .*: 001.png \(cannot.*\), zz.jpg .*\n.*skip_corrupt = true"
    ):
        ImageFolder(str(tmp_path))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_files_cut_short_are_named_when_read_or_left_out_and_reported(suffix, tmp_path):
    put(tmp_path, pixels(6, (40, 40)), "{}." + suffix)
    for name in ("1", "4"):
        path = tmp_path / f"{name}.{suffix}"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    whole = ImageFolder(str(tmp_path))
    assert whole.read(2, 4).shape == (2, 3, 40, 40)
    with pytest.raises(OptionError, match=rf"2 of 6 images in .*: 1\.{suffix} \(.*\), 4\.{suffix}"):
        whole.read(0, 2)
    rest = ImageFolder(str(tmp_path), skip_corrupt=True)
    assert rest.files == tuple(f"{number}.{suffix}" for number in (0, 2, 3, 5))
    assert torch.equal(rest.read(1, 3), whole.read(2, 4))
    assert len(rest.notes) == 1
    assert rest.notes[0].startswith(f"Left out: 2 of 6 images in {tmp_path} cannot be decoded: 1.{suffix} (")
    check_dataset(rest)


def test_a_folder_of_corrupt_files_only_is_refused_even_then(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(OptionError, match="1 of 1 images"):
        ImageFolder(str(tmp_path), skip_corrupt=True)


@pytest.mark.parametrize("wrong", [{"mode": "cmyk"}, {"labels": "yes"}, {"skip_corrupt": 1}])
def test_a_wrong_option_is_named(wrong, tmp_path):
    put(tmp_path, pixels(1))
    with pytest.raises(OptionError, match=f"'{next(iter(wrong))}' must be .*{next(iter(wrong.values()))!r}"):
        ImageFolder(str(tmp_path), **wrong)


def test_it_can_be_named_in_a_recipe_and_its_hash_knows_the_files(tmp_path):
    put(tmp_path, pixels(3))
    known, table = kinetic.registry(), {"name": "image-folder", "path": str(tmp_path)}
    first = ComponentBuilder(known).build("dataset", table)
    put(tmp_path, pixels(4))
    assert not torch.equal(ComponentBuilder(known).build("dataset", table)._stamp, first._stamp)
