import torch
from scipy import stats

from kinetic._sample.noise import noise


def test_noise_belongs_to_the_sample_not_to_the_batch():
    whole = noise(3, range(10), (2, 3))
    assert torch.equal(whole[4:7], noise(3, range(4, 7), (2, 3)))
    assert torch.equal(whole[[8, 1]], noise(3, [8, 1], (2, 3)))


def test_every_dtype_sees_the_same_noise_rounded():
    exact = noise(0, range(5), (7,), torch.float64)
    assert torch.equal(noise(0, range(5), (7,), torch.float32), exact.float())
    assert torch.equal(noise(0, range(5), (7,), torch.bfloat16), exact.bfloat16())


def test_seeds_and_ids_give_different_standard_normal_noise():
    draws = torch.cat([noise(seed, range(400), (5,), torch.float64) for seed in (0, 1, 2)])
    assert len(draws.unique(dim=0)) == 1200
    assert stats.kstest(draws.flatten().numpy(), "norm").pvalue > 1e-3
    lag = torch.corrcoef(torch.stack([draws[:-1].flatten(), draws[1:].flatten()]))[0, 1]
    assert abs(lag) < 0.06
