"""What a finished run says of its columns."""

from kinetic._report import columns


def test_energies_are_those_that_say_so_without_norms_and_curves(full):
    assert columns.energies(full, main=True) == ["kpe", "bending"]
    assert {"displacement", "early", "late"} < {*columns.energies(full)}
    assert columns.curves(full) == ["power"]
    assert not {*columns.energies(full)} & {"x0_sq", "nfe", "gain", "power"}
    assert {"nfe", "gain", "noise_left"} <= {*columns.walked(full)}


def test_a_name_in_a_file_finds_its_meaning_whatever_the_view(full):
    metric = next(name for name in full.scores["plain"] if "img" in name)
    column, value = (columns.meaning(full, metric, name) for name in ("memorised_denoised", "f_mem"))
    assert column == value
    assert column["kind"] == "label"
    assert column["better"] == "lower"
    assert columns.meaning(full, "nobody", "knows")["kind"] == "score"


def test_each_metric_has_one_headline_the_first_it_names(full):
    assert [name for _, name in columns.headline(full)] == ["ratio"]
    assert ("ratio_features") in {name for _, name in columns.per_sample(full)}


def test_sentences_are_said_once_and_units_where_all_share_them(full):
    (sentence,) = columns.sentences(full, "energy", ["kpe", "kpe"])
    assert sentence.startswith("kpe: Kinetic Path Energy")
    assert columns.units(full, "energy", ["kpe", "bending"]) == "squared data units"
    assert columns.units(full, "energy", ["kpe", "nfe"]) == ""
