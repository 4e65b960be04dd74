"""What pictures ask of a run, both kinds of run have."""

from kinetic import FinishedRun
from kinetic._experiment.one_run import OneRun
from kinetic._report.drawable import Drawable


def test_both_kinds_of_run_have_what_pictures_ask_for():
    asked = {name for name in vars(Drawable) if not name.startswith("_")}
    assert asked == {"drawn", "runs", "evidence", "shaped", "rows", "stored", "neighbours"}
    for cls in (FinishedRun, OneRun):
        assert asked <= {*dir(cls), *(field.name for field in cls.__attrs_attrs__)}
