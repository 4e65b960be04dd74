from kinetic._experiment.claims.claim import Part
from kinetic.evidence import Estimate


def test_a_part_is_kept_as_json_has_it():
    part = Part("what", {"plain": Estimate(1.0, 0.5, 1.5), "denoised": Estimate(float("nan"))}, delta=0.1, n=9)
    assert part.to_json() == {
        "what": "what",
        "views": {
            "plain": {"value": 1.0, "low": 0.5, "high": 1.5},
            "denoised": {"value": None, "low": None, "high": None},
        },
        "delta": 0.1,
        "unit": "",
        "n": 9,
        "because": "",
    }
