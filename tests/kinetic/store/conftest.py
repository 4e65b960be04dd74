"""Run folders with finished blocks, made without a run."""

import pytest
import torch

from kinetic._sample.shard import Shard
from kinetic._store.run_folder import RunFolder

MADE = {"a": {"field": "12"}, "b": {"field": "12"}, "[run]": {"torch": "2.4", "device": "cpu"}}


@pytest.fixture
def begun(tmp_path):
    """begun(*blocks, samples=5, batch=2): a folder of two arms, a and b, with these blocks of each."""

    def begin(*spans, samples=5, batch=2, made=MADE):
        path = tmp_path / "run"
        with RunFolder.open(path, {"run": {"samples": samples}}, made, batch=batch) as folder:
            folder.started()
            folder.save_json("provenance.json", {"made_by": made, "runs": {"a": {}, "b": {}}, "recipe": "study"})
            for arm in ("a", "b"):
                for start, stop in spans:
                    x = torch.full((stop - start, 2), float(start))
                    folder.store(arm).save(Shard(start, x, x, {"nfe": torch.full((stop - start,), 7.0)}))
        return path

    return begin
