"""Images in a folder."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import final

import attrs
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from kinetic import Dataset, options
from kinetic.errors import MissingFileError, OptionError, ShapeError
from kinetic_data.image_files import SUFFIXES, few, images_in, notes_on
from kinetic_data.listing import Listing

_FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_MODES = {"rgb": "RGB", "gray": "L"}
_AT_ONCE = 1024  # files handed to the threads at a time
_BITS_PER_SAMPLE = 258  # a tag of TIFF


@final
@attrs.frozen(eq=False)
class ImageFolder(Dataset):
    """Images of one size in a folder, sorted by path: `(n, 3, h, w)` in [-1, 1], byte b as b / 127.5 - 1.

    Read are the files that pytorch-fid reads, .bmp, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff and .webp, decoded as it
    does: EXIF rotation is not applied. Other files are left out and counted in `notes`, but for names that begin with a
    dot. Linked folders are read as others are, and images that are there twice for that are counted in `notes`; what
    cannot be listed or reached is an error. Sizes and kinds are read when the data set is made, pixels when they are
    asked for; `check` decodes all of them. Nothing is ever resized or cut to 8 bits. In place of the pixels, names and
    sizes of the files stand in the hash of the data.

    Args:
        path: of the folder, or `package:NAME/REST`; folders inside it are searched too.
        mode: what images are converted to, by Pillow: `rgb` (gray is repeated), or `gray` (`(n, 1, h, w)`, luminance);
            transparency is dropped. Without it all must be RGB already, or all gray, `(n, 1, h, w)`.
        labels: whether the folder an image lies in, just below `path`, is its class; classes count in sorted order.
        skip_corrupt: leave out files that do not decode, and say so in `notes`; all are then decoded once beforehand.
    """

    path: str = options.text(doc="a folder of images")
    mode: str | None = attrs.field(
        default=None, metadata={options.BOUND: "'rgb', 'gray', or nothing: the files are of one kind already"}
    )
    by_folder: bool = attrs.field(
        default=False,
        alias="labels",
        metadata={options.BOUND: "true or false", options.DOC: "whether folders are classes"},
    )
    skip_corrupt: bool = options.flag(False, doc="leave out files that do not decode")
    _root: Path = attrs.field(init=False, repr=False)
    _files: tuple[str, ...] = attrs.field(init=False, repr=False)
    _size: tuple[int, int] = attrs.field(init=False, repr=False)
    _to: str = attrs.field(init=False, repr=False)
    _labels: Tensor | None = attrs.field(init=False, repr=False)
    _stamp: Tensor = attrs.field(init=False, repr=False)
    _notes: tuple[str, ...] = attrs.field(init=False, repr=False)

    @mode.validator
    def _known(self, attribute: attrs.Attribute[str | None], mode: object) -> None:
        if mode is not None and mode not in _MODES:
            raise OptionError(f"'mode' must be 'rgb', 'gray' or nothing: {mode!r}")

    @by_folder.validator
    def _yes_or_no(self, attribute: attrs.Attribute[bool], value: object) -> None:
        if not isinstance(value, bool):
            raise OptionError(f"'labels' must be true or false: {value!r}")

    def __attrs_post_init__(self) -> None:
        remedy = "Paths are relative to where kinetic is started."
        root = options.existing_folder(self.path, what="images", remedy=remedy)
        listing = Listing.of(root)
        sizes, lost, others = images_in(root, listing)
        if not sizes and not lost:
            raise MissingFileError(
                f"images: no file in {str(root)!r} ends in one of {', '.join(SUFFIXES)}: it holds "
                f"{few(others) or 'none'}\n  {remedy}"
            )
        headers, broken = _headers(root, tuple(sizes), decode=self.skip_corrupt)
        broken, n = {**lost, **broken}, len(sizes) + len(lost)
        if broken and not (self.skip_corrupt and headers):
            raise _corrupt(root, broken, n)
        size, to = _one_size(root, headers), _one_kind(root, headers, self.mode)
        files = tuple(headers)
        notes = [f"Left out: {_undecodable(root, broken, n)}."] if broken else []
        notes += notes_on(root, listing, others)
        lengths = b"\n".join(os.fsencode(f"{name} {sizes[name]}") for name in files)
        stamp = torch.frombuffer(bytearray(hashlib.sha256(lengths).digest()), dtype=torch.uint8)
        labels = _classes(root, files) if self.by_folder else None
        given = {"root": root, "files": files, "size": size, "to": to, "notes": tuple(notes)}
        for name, value in {**given, "labels": labels, "stamp": stamp}.items():
            object.__setattr__(self, f"_{name}", value)

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size([3 if self._to == "RGB" else 1, *self._size])

    def __len__(self) -> int:
        return len(self._files)

    def check(self, on_progress: Callable[[float], None] = lambda done: None) -> None:
        """Decode every file once, on all cores; `on_progress` is called with how many more were.

        Raises:
            OptionError: some do not decode. All are counted, the first named.
        """
        _, broken = _headers(self._root, self._files, decode=True, on_progress=on_progress)
        if broken:
            raise _corrupt(self._root, broken, len(self))

    def read(self, start: int, stop: int) -> Tensor:
        bytes_of = np.empty((stop - start, *self._size, self.event_shape[0]), np.uint8)
        for i, name in enumerate(self._files[start:stop]):
            try:
                with Image.open(self._root / name, formats=_FORMATS) as image:
                    pixels = np.asarray(_converted(image, self._to))
            except Exception as error:  # as in _headers
                self.check()  # one message for all of them
                raise _corrupt(self._root, {name: str(error)}, len(self)) from error
            if pixels.shape[:2] != self._size:
                raise ShapeError(f"{self._root / name} was {self._size} pixels and is now {pixels.shape[:2]}")
            bytes_of[i] = pixels.reshape(bytes_of.shape[1:])
        return torch.from_numpy(bytes_of).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1

    @property
    def labels(self) -> Tensor | None:
        return self._labels

    @property
    def files(self) -> tuple[str, ...]:
        """The path of each point inside the folder."""
        return self._files

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and what is there twice."""
        return self._notes


def _headers(
    root: Path, files: Sequence[str], decode: bool, on_progress: Callable[[float], None] = lambda done: None
) -> tuple[dict[str, tuple[tuple[int, int], str]], dict[str, str]]:
    """`{file: ((height, width), kind)}` of those that open (and decode, if asked), `{file: error}` of the others."""
    good: dict[str, tuple[tuple[int, int], str]] = {}
    broken: dict[str, str] = {}

    def look(name: str) -> None:
        try:
            with Image.open(root / name, formats=_FORMATS) as image:
                bits, frames = _bits(image, root / name), getattr(image, "n_frames", 1)
                if decode:
                    image.load()
                if frames > 1 and image.format != "MPO":  # a photograph, and views of it for a screen
                    raise ValueError(f"it holds {frames} images")
                deep = ";16" if bits > 8 and image.mode[0] not in "IF" else ""
                good[name] = ((image.height, image.width), image.mode + deep)
        except Exception as error:  # Pillow raises almost anything at what is no image
            broken[name] = str(error).replace(str(root / name), name)

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), _AT_ONCE):
            some = files[start : start + _AT_ONCE]
            list(pool.map(look, some))
            on_progress(len(some))
    return {name: good[name] for name in files if name in good}, {
        name: broken[name] for name in files if name in broken
    }


def _bits(image: Image.Image, path: Path) -> int:
    """Bits a channel in the file. Pillow's mode does not tell: it cuts 16 bits of colour to 8, and says nothing."""
    if image.format == "PNG":
        with path.open("rb") as file:
            file.seek(24)  # in the IHDR chunk, which comes first
            return file.read(1)[0]
    if image.format == "TIFF":
        return max(image.tag_v2.get(_BITS_PER_SAMPLE, (1,)))  # type: ignore[attr-defined]
    if image.format == "PPM":
        most = image.tile[0][3]  # type: ignore[attr-defined]
        return int(most[1]).bit_length() if isinstance(most, tuple) else 8  # raw mode and largest value
    return 8


def _converted(image: Image.Image, to: str) -> Image.Image:
    if image.mode == to:
        return image
    image.load()
    image.info.pop("transparency", None)
    return image.convert(to)


def _one_size(root: Path, headers: Mapping[str, tuple[tuple[int, int], str]]) -> tuple[int, int]:
    sizes = defaultdict(list)
    for name, (size, _) in headers.items():
        sizes[size].append(name)
    if len(sizes) > 1:
        groups = _groups({f"of {height} x {width}": names for (height, width), names in sizes.items()})
        raise ShapeError(
            f"images must be of one height x width: {root} holds {groups}\n"
            "  Resize them by a method you can name; kinetic never resizes data."
        )
    return next(iter(sizes))


def _one_kind(root: Path, headers: Mapping[str, tuple[tuple[int, int], str]], mode: str | None) -> str:
    kinds = defaultdict(list)
    for name, (_, kind) in headers.items():
        kinds[kind].append(name)
    deep = {kind: names for kind, names in kinds.items() if kind.startswith(("I", "F")) or kind.endswith(";16")}
    if deep:
        raise OptionError(f"images must have 8 bits a channel: {root} holds {_groups(deep)}\n  Save them in 8 bits.")
    if mode is not None:
        return _MODES[mode]
    if len(kinds) > 1 or next(iter(kinds)) not in _MODES.values():
        raise OptionError(
            f"images must all be RGB, or all gray (L): {root} holds {_groups(kinds)}\n"
            '  Say what they are to be: mode = "rgb" or mode = "gray", converted by Pillow, transparency dropped.'
        )
    return next(iter(kinds))


def _classes(root: Path, files: Sequence[str]) -> Tensor:
    loose = [name for name in files if "/" not in name]
    if loose:
        raise OptionError(
            f"'labels' must be false, or every image in a folder of its class: {root} itself holds {few(loose)}"
        )
    folders = [name.partition("/")[0] for name in files]
    number = {folder: i for i, folder in enumerate(sorted(set(folders)))}
    return torch.tensor([number[folder] for folder in folders])


def _corrupt(root: Path, broken: Mapping[str, str], n: int) -> OptionError:
    return OptionError(
        f"{_undecodable(root, broken, n)}\n  Replace or delete them, or leave them out: skip_corrupt = true"
    )


def _undecodable(root: Path, broken: Mapping[str, str], n: int) -> str:
    which = few([f"{name} ({error})" for name, error in broken.items()])
    return f"{len(broken)} of {n} images in {root} cannot be decoded: {which}"


def _groups(names: Mapping[str, Sequence[str]]) -> str:
    most_first = sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))
    return "; ".join(f"{len(group)} {kind} ({few(group, 2)})" for kind, group in most_first)
