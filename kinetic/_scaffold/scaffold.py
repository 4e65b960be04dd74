"""The files of a new plugin, and the names that it may have."""

from __future__ import annotations

import importlib.util
import keyword
import re
from pathlib import Path

import attrs
import jinja2

from kinetic._plugins.distributions import canonical, distribution_of, entry_points
from kinetic._plugins.recipes import shipped
from kinetic._plugins.registry import Registry, abstract_class, registry
from kinetic._sample.columns import OF_SOLVERS, RESERVED
from kinetic.errors import OptionError, StoreError, shown

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 60  # characters of a name: folders and wheels have it in theirs
_HOOKS = {"features": "register_features"}  # where it is not the role with an s


@attrs.frozen
class Names:
    """What everything of a plugin is called.

    Args:
        name: of the component and the recipe, lower case with hyphens.
        role: of the component.
        called: what one component of the role is called.
        abstract: the abstract class of the role.
    """

    name: str
    role: str
    called: str
    abstract: str

    @property
    def module(self) -> str:
        """The module, and the column of a meter or a metric."""
        return self.name.replace("-", "_")

    @property
    def package(self) -> str:
        """The package and the entry point."""
        return f"kinetic_{self.module}"

    @property
    def distribution(self) -> str:
        """The distribution and the folder."""
        return f"kinetic-{self.name}"

    @property
    def cls(self) -> str:
        """The class."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @property
    def hook(self) -> str:
        """The hook that offers it."""
        return _HOOKS.get(self.role, f"register_{self.role}s")


def scaffold(name: str, role: str, out: str | Path | None = None) -> Path:
    """Write a complete plugin with one component into a new folder, and return the folder.

    Args:
        name: of the component and the recipe; the distribution is `kinetic-NAME`.
        role: of the component.
        out: the folder, `kinetic-NAME` by default.
    Raises:
        UnknownNameError: there is no such role.
        OptionError: the name cannot be, or is taken.
        StoreError: the folder exists and is not empty, or cannot be written.
    """
    abstract = abstract_class(role).__name__
    known = registry()
    names = Names(name.removeprefix("kinetic-"), role, known.called(role), abstract)
    _check_name(names)
    _check_taken(names, known)
    folder = Path(out) if out is not None else Path(names.distribution)
    files = rendered(names)
    _check_folder(folder)
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"the plugin cannot be written to {str(folder)!r}: {error}") from error
    return folder


def rendered(names: Names) -> dict[str, str]:
    """`{path: text}` of the files of a plugin."""
    package = f"src/{names.package}"
    templates = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        ".gitignore": "gitignore.j2",
        ".github/workflows/test.yml": "test.yml.j2",
        f"{package}/__init__.py": "init.py.j2",
        f"{package}/{names.module}.py": f"component/{names.role}.py.j2",
        f"{package}/recipes/{names.name}.toml": f"recipe/{names.role}.toml.j2",
        f"tests/test_{names.module}.py": "test.py.j2",
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    words = {"cls": names.cls, "column": names.module, "module": names.module, "package": names.package}
    words |= {"name": names.name, "role": names.role, "called": names.called, "abstract": names.abstract}
    words |= {"hook": names.hook, "distribution": names.distribution}
    files = {path: environment.get_template(template).render(words) for path, template in templates.items()}
    return {**files, f"{package}/py.typed": ""}


def _check_name(names: Names) -> None:
    """Refuse a name that no component, module or class can have."""
    name = names.name
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        way = f" Say {near!r}." if _NAME.fullmatch(near) else ""
        raise OptionError(f"a plugin is named in lower case with hyphens, as in 'smooth-start': {shown(name)}.{way}")
    if len(name) > _LONGEST:
        raise OptionError(f"the name of a plugin has at most {_LONGEST} characters: {len(name)}")
    if keyword.iskeyword(names.module) or keyword.iskeyword(names.cls):
        raise OptionError(f"{name!r} is a word of Python, which no module or class can be called: name it otherwise")
    if names.role in ("meter", "metric") and names.module in (*RESERVED, *OF_SOLVERS):
        raise OptionError(f"{names.module!r} is a column of every run: name the {names.role} otherwise")


def _check_taken(names: Names, known: Registry) -> None:
    """Refuse a name that something installed has."""
    if owners := known.offers.get((names.role, names.name)):
        raise OptionError(
            f"there is a {names.called} named {names.name!r}, of {', '.join(owners)}: name yours otherwise"
        )
    for point in entry_points():
        distribution = distribution_of(point)[0]
        if point.name == names.package or canonical(distribution) == canonical(names.distribution):
            raise OptionError(
                f"{names.distribution!r} is installed, as {point.name} of {distribution}: name it otherwise"
            )
    if importlib.util.find_spec(names.package) is not None:
        raise OptionError(f"there is a Python package {names.package!r} already: name it otherwise")
    if names.name in shipped().offers:
        raise OptionError(
            f"there is a recipe named {names.name!r}, and the plugin would have one too: name it otherwise"
        )


def _check_folder(folder: Path) -> None:
    """Refuse a folder with something in it: nothing is overwritten."""
    try:
        if folder.is_dir() and not any(folder.iterdir()):
            return
        exists = folder.exists() or folder.is_symlink()
    except OSError as error:
        raise StoreError(f"{str(folder)!r} cannot be looked at: {error}") from error
    if exists:
        raise StoreError(f"{str(folder)!r} exists, and nothing is overwritten: say another folder with --out")
