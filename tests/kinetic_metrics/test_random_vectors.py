import torch
from kinetic_metrics.random_vectors import generators

from kinetic._sample.noise import noise


def drawn(seed, ids, stream):
    vectors = [each.standard_normal(5).tolist() for each in generators(seed, torch.tensor(ids), stream)]
    return torch.tensor(vectors, dtype=torch.float64)


def test_numbers_are_of_seed_sample_and_stream_alone():
    whole = drawn(3, [0, 1, 7, 2**40], 2)
    assert torch.equal(drawn(3, [7, 0], 2), whole[[2, 0]])
    others = [drawn(4, [7], 2), drawn(3, [8], 2), drawn(3, [7], 1)]
    assert not any((whole[2] == other).any() for other in others)


def test_no_stream_but_0_is_the_noise_of_a_run():
    run = noise(3, [7], [5], torch.float64)
    assert torch.equal(drawn(3, [7], 0), run)
    assert not torch.isin(drawn(3, [7], 1), run).any()
