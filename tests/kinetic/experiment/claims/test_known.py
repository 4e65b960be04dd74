import pytest

from kinetic import Column, load_recipe
from kinetic._experiment.claims.known import Known, column_of, split_score
from kinetic.errors import OptionError, UnknownNameError

RECIPE = """
    [run]
    samples = 4
    [data]
    name = "digits"
    size = 40
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
    [metrics.memorisation]
    [metrics.knn-support]
    k = 3
    [arms.plain]
    [arms.more.metrics.vendi]
"""


@pytest.fixture
def known(recipe):
    loaded = load_recipe(recipe(RECIPE))
    return Known(loaded.runners, loaded.baselines)


@pytest.mark.parametrize(
    "score", ["memorisation.f_mem", "memorisation.memorised", "knn-support.support", "kpe", "energy.kpe", "nfe"]
)
def test_what_is_described_can_be_claimed_about(known, score):
    known.check_score("plain", score)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("memorisation.fmem", "metric 'memorisation' of arm 'plain' has no score 'fmem'. Did you mean 'f_mem'?"),
        ("memorization.f_mem", "arm 'plain' has no metric 'memorization'. Did you mean 'memorisation'?"),
        ("vendi.vendi", "arm 'plain' has no metric 'vendi'"),  # the other arm has it
        ("kpx", "arm 'plain' has no energy 'kpx'. Did you mean 'kpe'?"),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(known, score, message):
    with pytest.raises(UnknownNameError) as caught:
        known.check_score("plain", score)
    assert message in str(caught.value)
    known.check_score("more", "vendi.vendi")


def test_arms_and_baselines_are_there(known):
    with pytest.raises(UnknownNameError, match=r"no arm is named 'plane'. Did you mean 'plain'\?"):
        known.check_arm("plane")
    known.check_baseline("more")
    with pytest.raises(OptionError, match="arm 'plain' is compared with no other"):
        known.check_baseline("plain")
    with pytest.raises(OptionError, match="arm 'more' is compared with itself"):
        known.check_baseline("more", "more")


STRANGER = """
    import attrs, kinetic, torch

    @attrs.frozen(eq=False)
    class Odd(kinetic.EnergyMeter):
        '''Says nothing of its columns.'''
        def adds(self, step): return {"odd": (step.v_motion ** 2).flatten(1).sum(1)}
        def columns(self, sums, x0, x1): return dict(sums)

    @kinetic.hookimpl
    def register_meters(register):
        register("odd", Odd)
"""


def test_what_a_meter_does_not_describe_is_known_when_it_has_run(install, recipe):
    install("acme-odd", "acme_odd", STRANGER)
    loaded = load_recipe(recipe(RECIPE.replace("[energy.kpe]", "[energy.odd]"), "odd.toml"))
    Known(loaded.runners, {}).check_energy("plain", "odd")


def test_a_score_is_split_at_the_longest_metric_and_found_by_column_or_mean():
    assert split_score("a.b.c", ["a", "a.b"]) == ("a.b", "c")
    assert split_score("kpe", ["a"]) == ("energy", "kpe")
    columns = [Column("copied", mean="f"), Column("f", mean="g")]
    assert column_of("f", columns) is columns[1]  # its own name first
    assert column_of("g", columns) is columns[1]
    assert column_of("h", columns) is None
