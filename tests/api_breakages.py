"""What the public interface of the working tree broke since the last tag, by griffe: `python tests/api_breakages.py`.

Ends with 1 where something broke, with 0 and a sentence where nothing did, or where there is no tag to compare with.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_COLOUR = re.compile(r"\x1b\[\d+m")


def last_tag(root: Path) -> str:
    """The last tag before what is checked out; empty where there is none, or no repository."""
    asked = ["git", "-C", str(root), "describe", "--tags", "--abbrev=0"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def packages(root: Path) -> list[str]:
    """What the wheel holds, by their folders: `kinetic`, `plugins/kinetic_solvers`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def breakages(root: Path, tag: str) -> list[str]:
    """One explanation for each public name, parameter or default that the packages had at a tag and have no more."""
    import griffe

    found = []
    for folder in packages(root):
        place, name = str(Path(folder).parent), Path(folder).name
        try:
            before = griffe.load_git(name, ref=tag, repo=root, search_paths=[place], resolve_aliases=True)
        except ModuleNotFoundError:  # it is newer than the tag
            continue
        now = griffe.load(name, search_paths=[root / place], resolve_aliases=True, try_relative_path=False)
        for each in (before, now):
            export(each)
        style = griffe.ExplanationStyle.ONE_LINE
        found += [_COLOUR.sub("", each.explain(style)) for each in griffe.find_breaking_changes(before, now)]
    return found


def export(module: Any) -> None:
    """Mark as public what packages import into their `__init__`: griffe takes it for private otherwise."""
    package = module.path.partition(".")[0]
    for name, member in module.members.items():
        if name.startswith("_"):
            continue
        if member.is_alias and module.is_init_module:
            member.public = member.target_path.partition(".")[0] == package
        elif not member.is_alias and member.is_module:
            export(member)


def main(root: Path = ROOT) -> int:
    """Print what broke, or a sentence."""
    tag = last_tag(root)
    if not tag:
        print("There is no tag yet: nothing to hold the public interface to.")
        return 0
    broken = breakages(root, tag)
    for each in broken:
        print(each)
    said = f"{len(broken)} breaking changes" if broken else "Nothing public broke"
    print(f"{said} since {tag}.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
