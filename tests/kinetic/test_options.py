import fractions
import os
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import numpy as np
import pytest
from kinetic_solvers import Heun

import kinetic
from kinetic import options
from kinetic.errors import MissingFileError, OptionError


@attrs.frozen
class Everything:
    whole: int = options.integer(3, at_least=1, at_most=9)
    real: float = options.number(0.5, above=0, at_most=1)
    word: str = options.choice("a", "b", default="a")
    yes: bool = options.flag(default=False)
    name: str = options.text("x")
    names: tuple = options.texts((), at_least=0)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"whole": 0}, "'whole' must be an int >= 1 and <= 9: 0"),
        ({"whole": 2.0}, "'whole' must be an int >= 1 and <= 9: 2.0"),
        ({"whole": True}, "'whole' must be an int >= 1 and <= 9: True"),
        ({"whole": "3"}, "'whole' must be an int >= 1 and <= 9: '3'"),
        ({"real": 0}, "'real' must be a number > 0 and <= 1: 0.0"),
        ({"real": float("inf")}, "'real' must be a number > 0 and <= 1: inf"),
        ({"real": True}, "'real' must be a number > 0 and <= 1: True"),
        ({"word": "c"}, "'word' must be one of 'a', 'b': 'c'"),
        ({"yes": 1}, "'yes' must be true or false: 1"),
        ({"name": 1}, "'name' must be a string: 1"),
        ({"names": ["a", 1]}, "'names' must be a list of strings: ('a', 1)"),
    ],
)
def test_a_bad_value_is_named_with_what_would_do(bad, said):
    with pytest.raises(OptionError) as caught:
        Everything(**bad)
    assert str(caught.value) == said


def test_good_values_are_kept_as_they_are_but_whole_numbers_count_as_real():
    found = Everything(whole=9, real=1, names=["a", "b"])
    assert (found.whole, found.real, found.names) == (9, 1.0, ("a", "b"))
    assert isinstance(found.real, float)


HUGE = 10**5000


@pytest.mark.parametrize(
    ("given", "whole", "real"),
    [
        (np.int64(2), 2, 2.0),
        (np.uint8(2), 2, 2.0),
        (fractions.Fraction(1, 2), None, 0.5),
        (np.float32(0.5), None, 0.5),
        (np.float64(0.5), None, 0.5),
        (2**63 - 1, 2**63 - 1, float(2**63)),
        (2**63, None, float(2**63)),
        (-(2**63), None, float(-(2**63))),
        (HUGE, None, None),
        (-HUGE, None, None),
        (np.bool_(True), None, None),
        (True, None, None),
        (np.float64("inf"), None, None),
        (np.array(2), None, None),
        ("2", None, None),
        (None, None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_of_numpy_and_of_any_size_are_taken_as_pythons_or_refused(given, whole, real):
    @attrs.frozen
    class Any:
        whole: int = options.integer(0)
        real: float = options.number(0.0)

    for name, expected, kind in (("whole", whole, int), ("real", real, float)):
        if expected is None:
            with pytest.raises(OptionError, match=f"{name!r} must be a"):
                Any(**{name: given})
        else:
            value = getattr(Any(**{name: given}), name)
            assert (value, type(value)) == (expected, kind)


def test_a_number_beyond_what_can_be_is_told_by_its_bound_and_its_digits():
    @attrs.frozen
    class Any:
        whole: int = options.integer(1, at_least=1)

    said = "'whole' must be an int >= 1 and <= 9223372036854775807: a number of 5001 digits or so"
    with pytest.raises(OptionError, match=said):
        Any(HUGE)


def test_a_number_that_may_be_left_out_says_so():
    @attrs.frozen
    class Any:
        whole: int | None = options.integer(None, at_least=1)
        real: float | None = options.number(None, above=0)

    assert (Any().whole, Any().real) == (None, None)
    assert (Any(2, 2).whole, Any(2, 2).real) == (2, 2.0)
    with pytest.raises(OptionError, match="'whole' must be an int >= 1, or nothing: 0"):
        Any(0)
    with pytest.raises(OptionError, match=r"'real' must be a number > 0, or nothing: -1\.0"):
        Any(1, -1)


def test_one_check_of_whole_numbers_serves_arguments_too():
    assert options.check_integer("'n'", np.int32(3), at_least=1) == 3
    with pytest.raises(OptionError, match=r"^'n' must be an int >= 1: 0$"):
        options.check_integer("'n'", 0, at_least=1)
    with pytest.raises(OptionError, match=r"^'n' must be an int >= -9223372036854775807: "):
        options.check_integer("'n'", -HUGE)


def test_a_package_path_is_found_without_importing_the_package(tmp_path, monkeypatch):
    package = tmp_path / "never_import_me"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "data.txt").write_text("here")
    monkeypatch.syspath_prepend(tmp_path)
    found = options.existing_path("package:never_import_me/data.txt", what="data", remedy="none")
    assert found.read_text() == "here"


def test_what_is_no_path_or_may_not_be_looked_at_is_named_with_the_cause():
    for location in ("a\0b", "x" * 5000):
        with pytest.raises(MissingFileError, match=r"(?s)^weights: .* cannot be looked at: .*\n  Get them\."):
            options.existing_path(location, what="weights", remedy="Get them.")


@pytest.mark.parametrize("location", ["package:no_such_package/x", "package:../etc/passwd", "/no/such/file"])
def test_what_is_not_there_is_named(location):
    with pytest.raises(MissingFileError) as caught:
        options.existing_path(location, what="weights", remedy="Get them.")
    assert str(caught.value).startswith("weights: ")


def test_a_choice_is_among_strings_and_its_default_one_of_them():
    with pytest.raises(OptionError, match=r"a choice must be among strings, one or more: \(1, 2\)"):
        options.choice(1, 2)
    with pytest.raises(OptionError, match=r"a choice must be among strings, one or more: \(\)"):
        options.choice()
    with pytest.raises(OptionError, match="the default of a choice must be one of 'a', 'b': 'c'"):
        options.choice("a", "b", default="c")

    @attrs.frozen
    class Chosen:
        it: str = options.choice("a", "b")

    for wrong in (["a"], 1, "c"):
        with pytest.raises(OptionError, match="'it' must be one of 'a', 'b'"):
            Chosen(wrong)


def test_a_text_that_may_be_nothing_is_checked_and_named_by_its_alias():
    @attrs.frozen
    class Named:
        labels_key: str | None = options.text(None, alias="labels")

    assert Named().labels_key is None
    assert Named(labels="y").labels_key == "y"
    with pytest.raises(OptionError, match="'labels' must be a string, or nothing: 3"):
        Named(labels=3)


def test_a_file_is_told_by_the_end_of_its_name_in_whatever_case():
    assert [options.suffix(path) for path in ("a.NPY", Path("b.d/C.Npz"), ".npy", "a")] == [".npy", ".npz", "", ""]


def test_what_is_neither_file_nor_folder_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(
        MissingFileError, match=r"data: '.*pipe\.npy' is neither a file nor a folder\n  Save what it gives"
    ):
        options.existing_path(tmp_path / "pipe.npy", what="data", remedy="Give one.")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(MissingFileError, match=r"data: '.*round' cannot be looked at: .*Too many levels"):
        options.existing_path(tmp_path / "round", what="data", remedy="Give one.")
    with pytest.raises(MissingFileError, match="data: there is no "):
        options.existing_path(tmp_path / "pipe.npy" / "below", what="data", remedy="Give one.")
    with pytest.raises(MissingFileError, match=r"data: 'a.*b' cannot be looked at: .*embedded null"):
        options.existing_path("a\0b", what="data", remedy="Give one.")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs sockets in the file system")
def test_a_reader_of_a_file_or_a_folder_gets_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    Path("file").write_bytes(b"")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        for name in ("pipe", "socket", "/dev/zero"):
            for check in (options.existing_file, options.existing_folder):
                with pytest.raises(MissingFileError, match=f"^data: '{name}' is neither a file nor a folder\n  Save"):
                    check(name, what="data", remedy="Give one.")
    assert options.existing_file("file", what="data", remedy="Give one.") == Path("file")
    assert options.existing_folder("folder", what="data", remedy="Give one.") == Path("folder")
    with pytest.raises(MissingFileError, match=r"^data: 'folder' is a folder, and must be a file\n  Give one"):
        options.existing_file("folder", what="data", remedy="Give one.")
    with pytest.raises(MissingFileError, match=r"^data: 'file' is a file, and must be a folder\n  Give one"):
        options.existing_folder("file", what="data", remedy="Give one.")


def test_a_component_is_told_by_its_class_and_checked_against_it():
    @attrs.frozen
    class Holder:
        solver: kinetic.Solver = options.component(kinetic.Solver)
        space: kinetic.FeatureSpace | None = options.component(kinetic.FeatureSpace, None)

    assert Holder(Heun()).space is None
    with pytest.raises(OptionError, match=r"^'solver' must be a solver: 'heun'$"):
        Holder("heun")
    with pytest.raises(OptionError, match=r"^'solver' must be a solver: None$"):
        Holder(None)
    with pytest.raises(OptionError, match=r"^'space' must be a feature space: Heun"):
        Holder(Heun(), Heun())
    with pytest.raises(OptionError, match="'meter' must be an energy meter"):
        attrs.make_class("M", {"meter": options.component(kinetic.EnergyMeter)})(3)


def test_a_component_told_by_a_word_is_refused_with_the_way():
    with pytest.raises(OptionError, match=r"by its abstract class, as in component\(kinetic\.Solver\): 'solver'"):
        options.component("solver")


def test_options_import_nothing_of_kinetic_but_errors():
    code = "import sys, kinetic.options; print(sorted(name for name in sys.modules if name.startswith('kinetic.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "['kinetic.errors', 'kinetic.options']"
