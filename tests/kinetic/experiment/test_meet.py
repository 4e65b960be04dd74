import threading

import pytest
import torch

from kinetic._experiment import meet
from kinetic._experiment.meet import _asked, _named
from kinetic.errors import RankError


def test_ranks_meet_under_a_name_that_those_before_them_never_had():
    store = torch.distributed.HashStore()
    names = []
    for world in (3, 2):  # as a restart leaves it: the keys of the first three are still there
        others = [threading.Thread(target=lambda r=r: names.append(_asked(store, r))) for r in range(1, world)]
        for other in others:
            other.start()
        name = _named(store, world)
        for other in others:
            other.join()
        assert names == [name] * (world - 1)
        names.clear()


def test_a_rank_that_does_not_come_is_named(monkeypatch):
    monkeypatch.setattr(meet, "_COMING", meet.datetime.timedelta(0))
    with pytest.raises(RankError, match="2 of 3 ranks did not come in time, rank 1 the first"):
        _named(torch.distributed.HashStore(), 3)
    with pytest.raises(RankError, match="rank 0 did not come in time"):
        _asked(torch.distributed.HashStore(), 1)
