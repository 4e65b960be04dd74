"""Runs the cells of docs/notebooks/digits.ipynb and writes it anew with what they gave, and as a page of the site.

`python docs/_make/notebook.py` writes the notebook, `digits.md` and its pictures; a test holds them to what this gives.
Cells are run as Python alone: no Jupyter is needed, and the page, unlike those that convert notebooks, loads no script.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "digits.ipynb"
PAGE = NOTEBOOK.with_suffix(".md")


def main() -> None:
    """Write notebook, page and pictures."""
    notebook = executed(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for old in PAGE.parent.glob(f"{PAGE.stem}-*.png"):
        old.unlink()
    text, pictures = page(notebook)
    PAGE.write_text(text, encoding="utf-8")
    for name, png in pictures.items():
        (PAGE.parent / name).write_bytes(png)


def executed(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its cells, run one after the other in an empty folder."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells, count = [], 0
    with tempfile.TemporaryDirectory() as folder, _inside(folder):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                count += 1
                outputs = _run("".join(cell["source"]), names, count)
                cells.append({**cell, "execution_count": count, "outputs": outputs})
            else:
                cells.append(cell)
    return {**notebook, "cells": cells}


def page(notebook: Mapping[str, Any]) -> tuple[str, dict[str, bytes]]:
    """The notebook as Markdown, and its pictures by the names that the page has for them."""
    parts, pictures = [], dict[str, bytes]()
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                name = f"{PAGE.stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![What the cell above shows]({name})")
            elif "text/html" in data:
                parts.append("".join(data["text/html"]))
            else:
                parts.append(f"```text\n{''.join(data['text/plain']).rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


def _run(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """What a cell prints, and the value of its last line as a notebook shows it."""
    lines = ast.parse(source)
    last = lines.body.pop() if lines.body and isinstance(lines.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(lines, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})
    if value is not None:
        shown = {"output_type": "execute_result", "execution_count": count, "metadata": {}, "data": dict(_data(value))}
        outputs.append(shown)
    return outputs


def _data(value: Any) -> Iterator[tuple[str, Any]]:
    """The kinds of text and picture that a notebook asks a value for."""
    if (html := getattr(value, "_repr_html_", lambda: None)()) is not None:
        yield "text/html", html.splitlines(keepends=True)
    if hasattr(value, "_repr_png_"):
        yield "image/png", base64.b64encode(value._repr_png_()).decode()
    yield "text/plain", repr(value).splitlines(keepends=True)


@contextlib.contextmanager
def _inside(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    main()
