"""Recipes, overrides and score commands that nobody would write: each is refused by kinetic's own error, or accepted.

`python tests/bench/fuzz.py recipes|scores|runs N [SEED]` makes N of them by changes to the structure of shipped recipes
and of small files, and prints what became of them. Anything but an error of kinetic or a result is a fault, and so is
what takes more than a minute. Nothing goes online.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import io
import os
import resource
import signal
import socket
import sys
import tempfile
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tomli_w
import torch
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from safetensors.torch import save_file

from kinetic import load_recipe, options, registry
from kinetic._experiment.experiment import Recipe, arms_of
from kinetic._experiment.recipe_file import read_recipe
from kinetic._experiment.score_command import load_score_job
from kinetic._plugins.recipes import shipped
from kinetic._plugins.registry import role_of
from kinetic._progress import Reporter
from kinetic.errors import KineticError

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH, which tox sets, leaves the script's own folder out

from timing import Table

LONGEST = 60  # seconds of CPU that one of them may take; in time of the clock, ten times as many
MEMORY = 12 * 2**30  # that all of them may address
SMALL = """
[run]
samples = 4
seed = 1
batch = 2
classes = 3
dtype = "float32"
[evidence]
delta = 0.2
[data]
name = "digits"
size = 30
[reference]
name = "digits"
split = "test"
[features]
name = "pixels"
[field]
name = "guided"
scale = 1.5
field = { name = "digits" }
[solver]
name = "heun"
steps = 2
grid = { name = "edm-rho", rho = 5 }
[schedule]
name = "kts"
[energy.kpe]
[energy.power]
bins = 4
[metrics.kid]
subsets = 2
subset_size = 10
[metrics.prdc]
k = 2
[arms.a]
[arms.b]
baseline = "a"
field = { name = "empirical" }
solver = { name = "dopri5", rtol = 1e-2, max_steps = 50 }
"""
GOOD = {"samples": "images.npy", "metrics": "prdc", "reference": "other.npy", "overrides": ["metrics.prdc.k=2"]}
ROLES = {
    "data": "dataset",
    "features": "features",
    "logits": "features",
}  # keys of components that others are called like
HEADER = ("made", "number", "different", "accepted", "refused", "faults")


class TooLongError(BaseException):
    """One of them took longer than it may."""


@attrs.define
class Account:
    """What became of all that was tried."""

    accepted: int = 0
    refused: Counter[str] = attrs.field(factory=Counter)
    faults: dict[str, list[str]] = attrs.field(factory=dict)
    different: set[str] = attrs.field(factory=set)

    @property
    def tried(self) -> int:
        """How many."""
        return self.accepted + self.refused.total() + sum(map(len, self.faults.values()))

    def enter(self, work: Callable[[], object], what: str) -> None:
        """Do one, and enter it."""
        self.different.add(what)
        fault = outcome(work)
        if fault is None:
            self.accepted += 1
        elif fault.startswith("refused"):
            self.refused[fault.removeprefix("refused: ")] += 1
        else:
            self.faults.setdefault(fault, []).append(what)

    def lines(self) -> Iterator[str]:
        """All of it in words."""
        yield f"{self.tried} tried, {len(self.different)} different, {self.accepted} accepted, {self.refused.total()} refused: {dict(self.refused)}"
        for fault, examples in sorted(self.faults.items(), key=lambda item: -len(item[1])):
            yield f"FAULT {fault} ({len(examples)} times), such as\n{min(examples, key=len)}\n"


def outcome(work: Callable[[], object]) -> str | None:
    """None where it was accepted, "refused: KIND" where kinetic said why not, or else the fault and its place."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _too_long)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    signal.alarm(10 * LONGEST)  # for one that waits
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            work()
    except KineticError as error:
        return f"refused: {type(error).__name__}"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        frames = [
            f
            for f in traceback.extract_tb(error.__traceback__)
            if "/kinetic" in f.filename and "/tests/" not in f.filename
        ]
        last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"{type(error).__name__} at {'/'.join(Path(last.filename).parts[-2:])}:{last.lineno}: {str(error)[:150]!r}"
        )
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _too_long(number: int, frame: Any) -> None:
    raise TooLongError(f"more than {LONGEST} s")


def _no_network(*args: Any) -> None:
    raise OSError("nothing goes online here")


@contextlib.contextmanager
def closed() -> Iterator[Path]:
    """A folder to work in, with small files, without a network and with bounded memory."""
    before, limits, connect = os.getcwd(), resource.getrlimit(resource.RLIMIT_AS), socket.socket.connect
    with tempfile.TemporaryDirectory(prefix="kinetic-fuzz-") as folder:
        files(Path(folder))
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, limits[1]))
        socket.socket.connect = _no_network  # type: ignore[method-assign]
        try:
            yield Path(folder)
        finally:
            socket.socket.connect = connect  # type: ignore[method-assign]
            resource.setrlimit(resource.RLIMIT_AS, limits)
            os.chdir(before)


def files(folder: Path) -> None:
    """Small files of every kind that data are read from, good and bad."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (12, 1, 8, 8)).astype("float32")
    arrays = {
        "images": images, "other": images[::-1].copy(), "colour": rng.uniform(-1, 1, (6, 3, 8, 8)).astype("float32"),
        "points": rng.normal(size=(9, 2)), "one": images[:1], "none": images[:0], "empty": np.zeros((3, 0)),
        "scalar": np.array(1.5), "flat": np.arange(7.0), "deep": np.zeros((2,) * 9), "nan": images * np.nan,
        "far": images * 1e30, "inf": images / 0.0 if False else np.full((4, 2), np.inf), "ints": np.arange(32).reshape(4, 8),
        "bytes": rng.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8), "bools": images > 0, "complex": images + 1j,
        "half": images.astype("float16"), "big-endian": images.astype(">f8"), "words": np.array(["a", "b"]),
        "long": images.astype("longdouble"), "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
        "fields": np.zeros(4, dtype=[("a", "f4"), ("b", "i8")]), "same": np.ones((8, 1, 8, 8), "float32"),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(folder / "two.npz", a=images, b=images[:3])
    np.savez(folder / "images.npz", x=images)
    np.savez(folder / "nothing.npz")
    np.savez_compressed(folder / "packed.npz", arr_0=arrays["bytes"])
    save_file({"x": torch.from_numpy(images), "y": torch.zeros(3)}, folder / "two.safetensors")
    save_file({"x": torch.from_numpy(images)}, folder / "images.safetensors")
    save_file({"x": torch.zeros(4, 2, dtype=torch.bfloat16)}, folder / "brain.safetensors")
    save_file({}, folder / "nothing.safetensors")
    for name in ("images.npy", "images.npz", "packed.npz", "images.safetensors"):
        whole = (folder / name).read_bytes()
        for part in (0, 1, 9, 60, len(whole) // 2, len(whole) - 1):
            (folder / f"cut-{part}-{name}").write_bytes(whole[:part])
        torn = bytearray(whole)
        torn[len(torn) // 3] ^= 0xFF
        (folder / f"torn-{name}").write_bytes(torn)
    for kind, mode in (
        ("gray", "L"),
        ("rgb", "RGB"),
        ("alpha", "RGBA"),
        ("palette", "P"),
        ("deep", "I;16"),
        ("real", "F"),
    ):
        (folder / kind).mkdir()
        for i in range(4):
            suffix = "tiff" if mode == "F" else "png"
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            image = (
                Image.fromarray(pixels.astype(np.uint16) * 250)
                if mode == "I;16"
                else Image.fromarray(pixels).convert(mode)
            )
            image.save(folder / kind / f"{i}.{suffix}")
    for name in ("cut-images", "mixed", "bare", "folder.npy", "no-images"):
        (folder / name).mkdir()
    whole = (folder / "gray" / "0.png").read_bytes()
    for i in range(4):
        (folder / "cut-images" / f"{i}.png").write_bytes(whole[: len(whole) * i // 4])
    Image.new("RGB", (8, 8)).save(folder / "mixed" / "a.png")
    Image.new("L", (9, 4)).save(folder / "mixed" / "b.jpg")
    (folder / "no-images" / "a.png").mkdir()
    (folder / "no-images" / "b.png").write_text("words")
    for name in ("cifar10-train.npz", "VIRTUAL_imagenet256_labeled.npz"):  # what shipped recipes ask for
        np.savez(folder / name, x=rng.integers(0, 256, (9, 3, 32, 32), dtype=np.uint8))
    for name in ("celeba-train.npy", "celeba-test.npy"):
        np.save(folder / name, rng.uniform(-1, 1, (9, 1, 32, 32)).astype("float32"))
    for name in ("train", "test"):
        (folder / name).symlink_to("rgb")
    (folder / "prompts.txt").write_text("a dog\na cat\n")
    (folder / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "metrics.toml").write_text("[metrics.kid]\nsubsets = 2\n")
    os.mkfifo(folder / "pipe.npy")
    (folder / "loop").symlink_to("loop")


def names() -> list[str]:
    """What the files are called, and some that are not there."""
    with tempfile.TemporaryDirectory() as folder:
        files(Path(folder))
        there = sorted(os.listdir(folder))
    odd = ["", ".", "..", "/dev/null", "/dev/zero", "/proc/self/environ", "x\0y", "a" * 300, "package:kinetic_digits",
           "package:nobody/x", "package:", "images.npy/x", "~", "*.npy", "http://example.org/x.npy", "x.pt", "no.npy"]  # fmt: skip
    return [*there, *odd]


NAMES = names()
KNOWN = registry()
BASES = [*[tomllib.loads(SMALL)] * 20, *(read_recipe(path) for path in shipped().values())]
WORDS = sorted({name for classes in KNOWN.classes.values() for name in classes})

text = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(NAMES),
    st.text(max_size=12),
    st.sampled_from(["", "\x1b[31m", "\0", "é" * 300, "nan", "1e5", "../..", "a.b", "module:os:system", "{}", "\u202e", "hf-hub:a/b",
                     "local-dir:gray", "local-dir:", "ViT-B-32", "pixels", "test", "plain", "auto", "cuda:9"]),
)  # fmt: skip
number = st.one_of(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([0.1, 0.5, 1.0, 2.0]),
    st.sampled_from([0.1, 0.5, 1.0, 2.0]),
    st.integers(-1, 9),
    st.integers(-3, 40),
    st.sampled_from(
        [2**31, 2**31 - 1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30, 10**400, 1000, 10**6, 10**9]
    ),
    st.floats(-2, 2, width=32),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e308, 5e-324, -0.0, 1e-8, 1e20]),
)
moment = st.sampled_from(
    [
        datetime.datetime(2020, 1, 1),
        datetime.date(2020, 1, 1),
        datetime.time(1, 2),
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    ]
)
leaf = st.one_of(text, number, st.booleans(), moment)


def _around(inner: Any) -> Any:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(text, st.just("name")), inner, max_size=3))


value = st.one_of(leaf, leaf, leaf, _around(leaf), _around(st.one_of(leaf, _around(leaf))))


@st.composite
def component(draw: Any, role: str, depth: int = 0) -> Any:
    """A table of a component of a role: options of the right kind mostly, one of them any value at times."""
    name = draw(st.sampled_from(sorted(KNOWN.classes[role])))
    table: dict[str, Any] = {"name": name}
    for field in attrs.fields(KNOWN.classes[role][name]):
        needed = field.default is attrs.NOTHING
        if field.init and draw(st.integers(0, 7)) <= (6 if needed else 1):
            table[field.alias] = draw(_option(field, depth))
    return table


def _option(field: Any, depth: int) -> Any:
    cls = field.metadata.get(options.COMPONENT)
    bound = str(field.metadata.get(options.BOUND, ""))
    if cls is not None and depth < 2:
        fits: Any = component(role_of(cls), depth + 1)
    elif bound.startswith("one of"):
        fits = st.sampled_from(bound.split("'")[1::2])
    elif "int" in bound or "number" in bound:
        fits = number
    elif "true" in bound:
        fits = st.booleans()
    else:
        fits = st.one_of(text, text, st.lists(text, max_size=3), st.lists(number, max_size=4))
    return st.one_of(*[fits] * 15, value)


@st.composite
def recipe(draw: Any, most: int = 3) -> tuple[str, list[str]]:
    """The text of a recipe, one that is shipped with 1 to `most` changes, and overrides."""
    content = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.sampled_from([1, 1, most]))):
        _change(draw, content)
    written = tomli_w.dumps(content)
    if draw(st.integers(0, 19)) == 0:
        at, upto = sorted((draw(st.integers(0, len(written))), draw(st.integers(0, len(written)))))
        written = written[:at] + draw(st.text(max_size=4)) + written[min(upto, at + 9) :]
    return written, [draw(override(content))] if draw(st.integers(0, 4)) == 0 else []


def _change(draw: Any, content: dict[str, Any]) -> None:
    named = [(table, key) for table, path in _items(content, ()) for key in table if _role((*path, key), table[key])]
    if named and draw(st.integers(0, 9)) < 7:
        table, key = draw(st.sampled_from(range(len(named))).map(named.__getitem__))
        table[key] = draw(component(_role((key,), table[key]) or "metric"))
        return
    tables = [table for table, _ in _items(content, ())]
    table = draw(st.sampled_from(range(len(tables))).map(tables.__getitem__))
    key = draw(st.sampled_from(sorted(table))) if table else draw(text)
    way = draw(st.sampled_from([*["value"] * 5, "remove", "add", "rename", "double", "inside"])) if table else "value"
    if way == "value":
        table[key] = draw(st.one_of(_like(table.get(key)), _like(table.get(key)), value))
    elif way == "remove":
        del table[key]
    elif way == "add":
        table[
            draw(st.sampled_from(["steps", "seed", "seeds", "name", "batch", "trainings", "start", "prompts", "x"]))
        ] = draw(value)
    elif way == "rename":
        table[draw(text)] = table.pop(key)
    elif way == "double":
        table[draw(text)] = copy.deepcopy(table[key])
    else:
        table[key] = draw(st.sampled_from([[table[key]], {key: table[key]}, {"name": table[key]}]))


def _role(path: tuple[str, ...], there: Any) -> str | None:
    """The role of the component that a value under a key is, if it is one."""
    name = there.get("name", path[-1]) if isinstance(there, dict) else there
    roles = [role for role, classes in KNOWN.classes.items() if isinstance(name, str) and name in classes]
    own = ROLES.get(path[-1])
    return own if own in roles else next(iter(roles), None)


def _like(there: Any) -> Any:
    if isinstance(there, bool):
        return st.booleans()
    return number if isinstance(there, int | float) else text if isinstance(there, str) else value


def _items(table: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    yield table, path
    for key, inner in table.items():
        if isinstance(inner, dict):
            yield from _items(inner, (*path, key))


@st.composite
def override(draw: Any, content: dict[str, Any]) -> str:
    """An override of a key that is there, or of one made up, with a value of TOML or any text."""
    table, path = draw(st.sampled_from(sorted(_items(content, ()), key=lambda item: item[1])))
    key = draw(st.sampled_from(sorted(table))) if table and draw(st.integers(0, 4)) else draw(text)
    keys = [*path, key][: draw(st.sampled_from([9, 9, 9, 1, 2]))]
    quoted = [f'"{k}"' if not k.replace("-", "").isidentifier() and draw(st.booleans()) else k for k in keys]
    given = draw(value)
    words = draw(text) if draw(st.integers(0, 3)) == 0 else _inline(given)
    dot, sign = draw(st.sampled_from([*[(".", "=")] * 8, ("..", "="), ("=", "="), (".", ""), (" . ", " = ")]))
    return dot.join(quoted) + sign + words


@st.composite
def score(draw: Any) -> dict[str, Any]:
    """The words of a score command, most of them of the right kind."""
    metrics = draw(st.lists(st.sampled_from(sorted(KNOWN.classes["metric"])), min_size=1, max_size=2))
    good = [
        "images.npy",
        "other.npy",
        "images.safetensors",
        "gray",
        "two.npz",
        "colour.npy",
        "points.npy",
        "rgb",
        "half.npy",
    ]
    data = st.sampled_from(
        [*good, *NAMES] if draw(st.booleans()) else [*good, "same.npy", "one.npy", "ints.npy", "bytes.npy"]
    )
    return {
        "samples": draw(data),
        "metrics": draw(st.sampled_from([",".join(metrics)] * 14 + [draw(text)])),
        "reference": draw(st.sampled_from([None, *[draw(data)] * 5])),
        "features": draw(st.sampled_from([None, None, "pixels", "digits", "digits-logits", draw(text)])),
        "overrides": draw(st.lists(_of_a_score(metrics), max_size=2)) if draw(st.booleans()) else [],
    }


@st.composite
def _of_a_score(draw: Any, metrics: list[str]) -> str:
    """An override of an option of what a score command names, mostly with a value of the right kind."""
    side = draw(st.sampled_from(["samples", "reference", *[f"metrics.{name}" for name in metrics] * 4]))
    classes = KNOWN.classes["metric"] if side.startswith("metrics") else {side: KNOWN.classes["dataset"]["tensor-file"]}
    fields = [f for f in attrs.fields(classes[side.partition(".")[2] or side]) if f.init]
    if not fields:
        return f"{side}.name={draw(text)}"
    field = draw(st.sampled_from(fields))
    given = draw(st.one_of(*[_option(field, 0)] * 7, value))
    return f"{side}.{field.alias}={_inline(given)}"


def _inline(value: Any) -> str:
    """A value of TOML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inline(key)} = {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return tomli_w.dumps({"it": value}).partition("=")[2].strip()


def build(text: str, overrides: list[str]) -> Recipe:
    """The recipe, from a file."""
    Path("recipe.toml").write_bytes(text.encode(errors="surrogateescape"))
    return load_recipe("recipe.toml", overrides)


def small(found: Recipe) -> bool:
    """Whether a recipe asks for few enough samples and steps to be run here."""
    return found.content["run"]["samples"] <= 4 and len(found.runners) <= 3


def run(text: str, overrides: list[str]) -> None:
    """The recipe carried out, where it is small: two samples, whatever it says; else its first steps."""
    found = build(text, overrides)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        if small(found):
            found.run(Path(folder) / "out", "cpu", Reporter(Console(file=io.StringIO())))
        else:
            arms_of(found, torch.device("cpu")).dry_run()


def judge(words: dict[str, Any]) -> None:
    """The score command carried out."""
    load_score_job(**words).run(None, "cpu", 5, Reporter(Console(file=io.StringIO())))


def many(way: str, n: int, number: int = 0) -> Account:
    """The account of n recipes (loaded), runs (of recipes that are small, and dry ones of others) or score commands."""
    account = Account()
    strategy = {"recipes": recipe(), "runs": recipe(2), "scores": score()}[way]
    good: Any = GOOD if way == "scores" else (SMALL, [])

    @seed(number)
    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    @example(good)
    def each(made: Any) -> None:
        if way == "scores":
            account.enter(lambda: judge(made), repr(made))
        else:
            account.enter(lambda: (build if way == "recipes" else run)(*made), f"{made[0]}\n--set {made[1]}")

    with closed():
        each()
    return account


def tables(quick: bool) -> list[Table]:
    """One table, a row for each kind."""
    rows = []
    for way, n in (("recipes", 3000), ("runs", 1000), ("scores", 1000)):
        account = many(way, 10 if quick else n)
        print("\n".join(account.lines()), file=sys.stderr)
        counts = account.tried, len(account.different), account.accepted, account.refused.total(), len(account.faults)
        rows.append((way, *map(str, counts)))
    return [Table("Recipes, runs and score commands made up", HEADER, rows)]


def main(way: str, n: str, number: str = "0") -> int:
    """Make n of one kind; the status is 1 where a fault was."""
    torch.set_num_threads(1)
    account = many(way, int(n), int(number))
    print("\n".join(account.lines()))
    return int(bool(account.faults))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
