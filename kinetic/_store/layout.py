"""What the files of a run folder are called."""

from __future__ import annotations

RECIPE, PROVENANCE, TABLE = "recipe.toml", "provenance.json", "samples.parquet"
SCORES, EVIDENCE, REPORT = "scores.json", "evidence.json", "report.html"
MANIFEST, EVENTS, LOCK = "manifest", "events", ".lock"
SHARDS, NEIGHBOURS = "shards", "neighbours"


def shard_name(arm: str, start: int, stop: int) -> str:
    """The file of the samples `start` to `stop` - 1 of an arm."""
    return f"{SHARDS}/{arm}/{start:08d}-{stop:08d}.safetensors"


def journal_name(kind: str, writer: str = "") -> str:
    """The file of lines that one of the processes that fill a folder appends to."""
    return f"{kind}.{writer}.jsonl" if writer else f"{kind}.jsonl"


def journal_names(kind: str, there: list[str]) -> list[str]:
    """Those of all processes among the names in a folder: that of the one that leads first."""
    own = [name for name in there if name.startswith(f"{kind}.") and name.endswith(".jsonl")]
    return sorted(own, key=lambda name: (name != journal_name(kind), name))


def is_made_first(name: str) -> bool:
    """Whether a run leaves a file of this name before its recipe, so that it alone holds no run."""
    return name.startswith((".", f"{MANIFEST}.", f"{EVENTS}."))
