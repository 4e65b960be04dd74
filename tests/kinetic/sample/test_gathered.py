import pytest
import torch

from kinetic._sample.gathered import Gathered
from kinetic._sample.shard import Shard
from kinetic.errors import NonFiniteError


def shard(start, n=2, noisy=False, **energy):
    x = torch.full((n, 3), float(start))
    return Shard(start, x, x + 1 if noisy else x, {"kpe": torch.arange(float(n)), **energy})


def gathered(*shards):
    kept = Gathered(None)
    for each in shards:
        kept.add(each)
    return kept


def test_samples_that_are_one_in_every_shard_are_one_tensor():
    samples = gathered(shard(0), shard(2)).samples()
    assert samples["denoised"] is samples["samples"] is samples["state"] is samples["denoised_state"]
    samples = gathered(shard(0), shard(2, noisy=True)).samples()
    assert samples["state"] is samples["samples"]
    assert samples["denoised_state"] is samples["denoised"]
    assert torch.equal(samples["denoised"][:, 0], torch.tensor([0.0, 0, 3, 3]))


def test_a_column_that_a_block_lacks_is_nan_there_and_its_status_reached():
    bad = {"status": torch.tensor([0.0, 3.0]), "finite_until": torch.tensor([torch.nan, 0.5])}
    energy = gathered(shard(0), shard(2, **bad), shard(4)).energy()
    assert energy["status"].tolist() == [0, 0, 0, 3, 0, 0]
    assert energy["finite_until"].isnan().tolist() == [True, True, True, False, True, True]
    assert energy["kpe"].tolist() == [0, 1, 0, 1, 0, 1]


def test_a_curve_that_a_block_lacks_is_nan_there():
    energy = gathered(shard(0, power=torch.ones(2, 4)), shard(2)).energy()
    assert energy["power"].shape == (4, 4)
    assert energy["power"][2:].isnan().all()


def test_it_ends_where_the_first_samples_are_all_not_finite():
    bad = {"status": torch.tensor([3.0]), "finite_until": torch.tensor([0.25])}
    kept = gathered(shard(0, 1, **bad))
    with pytest.raises(NonFiniteError) as caught:
        kept.add(shard(1, 1, **bad))
    assert (caught.value.ids, caught.value.t) == ((0, 1), 0.25)
    kept = gathered(shard(0, 1), shard(1, 1, **bad), shard(2, 1, **bad))
    assert len(kept.energy()["kpe"]) == 3
