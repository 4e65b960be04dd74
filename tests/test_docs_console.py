"""Command lines on the pages run: those of a page are carried out one after the other, as a reader would."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "plugins").glob("*/README.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```(?:console|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FEW = 24  # samples in place of the recipe's thousands
KINETIC = f"""#!{sys.executable}
# kinetic on a small scale: fewer samples, on the CPU, no noise floor; in all else what was typed
import os, sys
words = sys.argv[1:]
if words[:1] == ["run"]:
    if "--extend" in words:
        words[words.index("--extend") + 1] = "{2 * FEW}"
    elif not any("run.samples=" in word for word in words):
        words += ["--set", "run.samples={FEW}"]
    words += ["--device", "cpu", "--set", "evidence.splits=0"]
os.execv(sys.executable, [sys.executable, "-m", "kinetic", *words])
"""
PIP = f"""#!{sys.executable}
# `pip install -e .` without a network: the entry points and the package, in a folder on the path
import os, pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
site, package = pathlib.Path(os.environ["PYTHONPATH"]), project["name"].replace("-", "_")
info = site / f"{{package}}-{{project['version']}}.dist-info"
info.mkdir()
words = f"Metadata-Version: 2.1\\nName: {{project['name']}}\\nVersion: {{project['version']}}\\n"
(info / "METADATA").write_text(words)
points = "".join(f"{{name}} = {{value}}\\n" for name, value in project["entry-points"]["kinetic"].items())
(info / "entry_points.txt").write_text("[kinetic]\\n" + points)
there = next(p for p in (pathlib.Path("src") / package, pathlib.Path(f"{{package}}.py")) if p.exists())
(site / there.name).symlink_to(there.resolve())
"""
PYTEST = (
    f"#!{sys.executable}\nimport os, sys\nos.execv(sys.executable, [sys.executable, '-m', 'pytest', *sys.argv[1:]])\n"
)


def commands(page):
    """The command lines of a page that run anywhere, block by block, and how many blocks do not and say why."""
    run, kept = [], 0
    for before, text in BLOCK.findall(page.read_text()):
        if re.search(r"<!-- not run: \w.* -->", before):
            kept += 1
        else:
            run.append("(\n" + re.sub(r"^\$ ", "", text, flags=re.MULTILINE) + ")\n")  # `cd` is for one block
    return "".join(run), kept


def files_of(page):
    """What a page says stands in a file: `NAME`: before a block of it."""
    return re.findall(
        r"`([\w./-]+)`[^`\n]*:\n\n```(?:toml|python)(?: run)?\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
    )


@pytest.fixture
def desk(tmp_path):
    """A folder with what readers have of their own: images, samples, recipes; and the commands on the path."""
    rng = np.random.default_rng(0)
    for name in ("samples", "train", "data"):
        (tmp_path / name).mkdir()
        for i, image in enumerate(rng.integers(0, 256, (FEW, 8, 8, 3), dtype=np.uint8)):
            Image.fromarray(image).save(tmp_path / name / f"{i:03}.png")
    np.savez(tmp_path / "samples.npz", images=rng.uniform(-1, 1, (FEW, 1, 8, 8)).astype(np.float32))
    (tmp_path / "run").mkdir()
    save_file({"x": torch.rand(FEW, 1, 8, 8)}, tmp_path / "run" / "x.safetensors")
    (tmp_path / "metrics.toml").write_text("[metrics.copies]\nname = 'memorisation'\n")
    (recipe,) = re.findall(r"```toml\n(title.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for name in ("my.toml", "study.toml"):
        (tmp_path / name).write_text(recipe)
    for name, script in {"kinetic": KINETIC, "pip": PIP, "pytest": PYTEST}.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    (tmp_path / "site").mkdir()
    return tmp_path


@pytest.mark.proof
@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page)[0]], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_command_lines_of_a_page_run(page, desk):
    for name, text in files_of(page):
        (desk / name).parent.mkdir(parents=True, exist_ok=True)
        (desk / name).write_text(text)
    hidden = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    path = os.pathsep.join([str(desk / "bin"), os.path.dirname(sys.executable), os.environ["PATH"]])
    env = {**hidden, "PATH": path, "PYTHONPATH": str(desk / "site"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    script = commands(page)[0]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=desk, env=env, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def test_what_needs_no_network_no_cluster_and_no_network_of_a_readers_own_is_run():
    needs = re.compile(r"\bpip install|git clone|\bhf |curl|torchrun|sbatch|SLURM|srun|inception|module:|gather|tox")
    for page in PAGES:
        for before, text in BLOCK.findall(page.read_text()):
            assert "<!-- not run: " not in before or needs.search(text), f"{page.name}: {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_runs_or_says_why_not(page):
    if page.with_suffix(".ipynb").exists():
        return  # the cells of a notebook, which is run by itself
    for head, code in re.findall(r"^```python([^\n]*)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        assert head in (" run", " pipeline") or re.match(r"# not run: \w", code), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_toml_is_toml(page):
    for code in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        tomllib.loads(code)
