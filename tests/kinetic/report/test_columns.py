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


def test_sentences_are_those_of_the_columns_and_of_denoised_ones_are_not_repeated(full):
    metric, says = columns.headline(full)[0][0], columns.meaning(full, "energy", "kpe")["says"]
    assert says.startswith("Kinetic Path Energy")
    assert columns.sentences(full, "energy", ["kpe", "nobody"]) == [says, ""]
    first, again = columns.sentences(full, metric, ["ratio", "ratio_denoised"])
    assert first.startswith("d1/d2")
    assert again == ""


def test_an_axis_says_the_unit_of_its_column(full):
    metric = columns.headline(full)[0][0]
    assert columns.with_unit(full, "kpe") == "kpe (squared data units)"
    assert columns.with_unit(full, f"{metric}.distance") == f"{metric}.distance (data units)"
    assert columns.with_unit(full, f"{metric}.ratio") == f"{metric}.ratio"


def test_units_are_said_where_all_share_them(full):
    assert columns.units(full, "energy", ["kpe", "bending"]) == "squared data units"
    assert columns.units(full, "energy", ["kpe", "nfe"]) == ""
