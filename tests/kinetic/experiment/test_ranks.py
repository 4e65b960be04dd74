import pytest

from kinetic._experiment.ranks import Ranks
from kinetic.errors import OptionError, StoreError

HERE = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


def fail():
    raise StoreError("full")


@pytest.mark.parametrize("environ", [{}, {"RANK": "0"}, {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", **HERE}])
def test_a_process_by_itself_is_rank_0_of_one_and_says_all_to_itself(environ):
    with Ranks.joined("cpu", environ) as ranks:
        assert (ranks.rank, ranks.world, ranks.leads, ranks.writer) == (0, 1, True, "")
        assert ranks.of_first(3) == 3
        assert ranks.of_all(3) == [3]
        assert ranks.each(lambda: 5) == 5
        ranks.wait(lambda: pytest.fail("nobody to wait for"))
        with pytest.raises(StoreError, match="full"):
            ranks.each(fail)


def test_others_write_under_their_number():
    assert (Ranks(2, 3).writer, Ranks(2, 3).leads) == ("rank-2", False)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be a whole number, as torchrun sets it: 'two'"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE must be a whole number, as torchrun sets it: '0'"),
        ({"WORLD_SIZE": "2", "RANK": "-1"}, "RANK must be a whole number, as torchrun sets it: '-1'"),
        ({"WORLD_SIZE": "2", "RANK": "2", **HERE}, "RANK must be from 0 to 1, since WORLD_SIZE is 2: 2"),
        ({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "x"}, "LOCAL_RANK must be a whole number"),
        ({"WORLD_SIZE": "2", "RANK": "1"}, "WORLD_SIZE is 2, but MASTER_ADDR and MASTER_PORT is not set\n  Start"),
        ({"WORLD_SIZE": "2", **HERE, "MASTER_PORT": "0"}, "MASTER_PORT must be from 1 to 65535: 0"),
    ],
)
def test_variables_that_do_not_go_together_are_named(environ, said):
    with pytest.raises(OptionError, match=said), Ranks.joined("cpu", environ):
        pass
