import pytest

from kinetic import load_recipe
from kinetic._experiment.claims.read_claims import KINDS
from kinetic.errors import KineticError

RECIPE = """
    [run]
    samples = 4
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
    [metrics.vendi]
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
    [claims.shaped]
    kind = "difference"
    statement = "Shaping lowers the energy"
    arms = "kts"
    scores = "kpe"
    direction = "lower"
"""


def test_a_recipe_says_what_it_claims(recipe):
    (claim,) = load_recipe(recipe(RECIPE)).claims.values()
    assert type(claim) is KINDS["difference"]
    assert (claim.arms, claim.scores, claim.direction, claim.delta) == (("kts",), ("kpe",), "lower", None)
    changed = load_recipe(recipe(RECIPE), ["claims.shaped.delta=0.2"]).claims["shaped"]
    assert changed.delta == 0.2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("claims=3", "[claims] must be a table: 3"),
        ("claims.shaped=3", "claim 'shaped': it must be a table: 3"),
        ("claims.shaped.kind=diference", "claim 'shaped': there is no kind 'diference'. Did you mean 'difference'?"),
        ("claims.shaped.kind=3", "claim 'shaped': it needs a `kind`, one of: correlation, difference"),
        ("claims.shaped.arm=kts", "a claim of the kind 'difference' has no key 'arm'. Did you mean 'arms'?"),
        ("claims.shaped.arms=ktx", "claim 'shaped': no arm is named 'ktx'. Did you mean 'kts'?"),
        ("claims.shaped.arms=plain", "claim 'shaped': arm 'plain' is compared with no other"),
        ("claims.shaped.baseline=ktx", "claim 'shaped': no arm is named 'ktx'. Did you mean 'kts'?"),
        ("claims.shaped.baseline=kts", "claim 'shaped': arm 'kts' is compared with itself"),
        ("claims.shaped.scores=kpx", "claim 'shaped': arm 'kts' has no energy 'kpx'. Did you mean 'kpe'?"),
        ("claims.shaped.scores=vendy.vendi", "claim 'shaped': arm 'kts' has no metric 'vendy'. Did you mean 'vendi'?"),
        ("claims.shaped.direction=less", "claim 'shaped': 'direction' must be one of 'higher', 'lower'"),
        ("claims.shaped.delta=-1", "claim 'shaped': 'delta' must be a number > 0"),
        ("claims.other={kind='difference',arms='kts'}", "a claim of the kind 'difference' needs the key"),
        ("claims.\"a b\"={}", "a claim is named in letters"),
        ("claims.Shaped={}", "two claims are named 'shaped' and 'Shaped'"),
    ],
)  # fmt: skip
def test_what_cannot_be_claimed_is_one_clear_error_when_the_recipe_is_read(recipe, override, message):
    with pytest.raises(KineticError) as caught:
        load_recipe(recipe(RECIPE), [override])
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 4
