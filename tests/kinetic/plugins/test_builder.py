"""Tables to components."""

import attrs
import pytest
from kinetic_digits import Digits, DigitsFeatures
from kinetic_features import Pixels
from kinetic_metrics import FrechetDistance, KNNSupport
from kinetic_solvers import Heun

import kinetic
from kinetic import options, registry
from kinetic._plugins.builder import ComponentBuilder, Defaults
from kinetic._plugins.registry import Registry
from kinetic.errors import MissingFileError, OptionError, RecipeError, UnknownNameError


@pytest.fixture
def builder():
    return ComponentBuilder(registry())


@pytest.mark.parametrize(
    ("role", "table", "error", "said"),
    [
        ("solver", {"name": "hein"}, UnknownNameError, "no solver is named 'hein'. Did you mean 'heun'?"),
        ("solver", "hein", UnknownNameError, "no solver is named 'hein'. Did you mean 'heun'?"),
        (
            "solver",
            {"name": "heun", "step": 3},
            UnknownNameError,
            "solver 'heun' has no option 'step'. Did you mean 'steps'?",
        ),
        (
            "solver",
            {"name": "heun", "steps": 0},
            OptionError,
            "solver 'heun': 'steps' must be an int >= 1 and <= 1000000: 0",
        ),
        (
            "solver",
            {"name": "heun", "steps": "50"},
            OptionError,
            "solver 'heun': 'steps' must be an int >= 1 and <= 1000000: '50'",
        ),
        (
            "solver",
            {"steps": 3},
            OptionError,
            "a solver needs a `name`, one of: ab2, dopri5, doubled, dpm++2m, euler, heun, midpoint, ralston, rk4",
        ),
        ("solver", 3, OptionError, "a solver must be a table or a name: 3"),
        ("features", [], OptionError, "a feature space must be a table or a name: []"),
        ("field", {"name": "empirical"}, OptionError, "field 'empirical' needs the option 'data': a dataset"),
        (
            "field",
            {"name": "empirical", "data": 3},
            OptionError,
            "field 'empirical': 'data' must be a dataset: 3",
        ),
        (
            "field",
            {"name": "empirical", "data": "digit"},
            UnknownNameError,
            "field 'empirical': no dataset is named 'digit'. Did you mean 'digits'?",
        ),
        (
            "metric",
            {"name": "clip", "model": "x"},
            OptionError,
            "metric 'clip' needs the option 'prompts': a list of strings",
        ),
        ("wizard", {"name": "x"}, UnknownNameError, "there is no role 'wizard'"),
    ],
)
def test_a_bad_table_is_named_with_what_would_do(builder, role, table, error, said):
    with pytest.raises(error) as caught:
        builder.build(role, table)
    assert said in str(caught.value)


def test_a_component_inside_a_component_is_built_and_checked(builder):
    metric = builder.build("metric", {"name": "frechet", "reference": {"name": "digits", "split": "test"}})
    assert isinstance(metric, FrechetDistance)
    assert len(metric.reference) == 360
    with pytest.raises(UnknownNameError, match=r"no feature space is named 'digit'. Did you mean 'digits'"):
        builder.build("metric", {"name": "frechet", "features": {"name": "digit"}}, Defaults(data=Digits()))


def test_a_name_alone_is_a_table_with_that_name(builder):
    assert isinstance(builder.build("solver", "heun"), Heun)
    metric = builder.build("metric", {"name": "knn-support", "reference": "digits", "features": "digits"})
    assert isinstance(metric.reference, Digits)
    assert isinstance(metric.features, DigitsFeatures)


def test_equal_tables_make_one_object_however_they_are_written(builder):
    space = builder.build("features", "digits")
    metrics = [
        builder.build("metric", {"name": name, "features": features, "reference": {"split": "test", "name": "digits"}})
        for name, features in (("frechet", "digits"), ("kid", {"name": "digits"}))
    ]
    assert all(metric.features is space for metric in metrics)
    assert metrics[0].reference is metrics[1].reference
    assert builder.build("metric", {"name": "frechet", "reference": "digits"}) is not metrics[0]


def test_a_default_that_says_the_same_is_the_same(builder):
    data = builder.build("dataset", "digits")
    given = builder.build("field", {"name": "empirical", "data": {"name": "digits"}})
    assert builder.build("field", "empirical", Defaults(data=data)) is given
    other = builder.build("dataset", {"name": "digits", "size": 9})
    assert builder.build("field", "empirical", Defaults(data=other)) is not given


def test_values_of_other_types_are_not_the_same(builder):
    fields = [builder.build("schedule", {"name": "constant", "value": value}) for value in (1, 1.0, 2)]
    assert len({id(field) for field in fields}) == 3


def test_defaults_fill_what_they_are_for(builder):
    data, reference = Digits(size=50), Digits(size=40)
    space = DigitsFeatures()
    defaults = Defaults(data, reference, space)
    metric = builder.build("metric", "knn-support", defaults)
    assert (metric.reference, metric.features) == (reference, space)
    metric = builder.build("metric", "memorisation", defaults)
    assert (metric.train, metric.features) == (data, space)  # its features are optional
    assert builder.build("metric", {"name": "knn-support"}, Defaults(data=data)).reference is data
    assert isinstance(builder.build("metric", {"name": "vendi", "features": "pixels"}, defaults).features, Pixels)
    assert isinstance(KNNSupport(reference=data).reference, Digits)


def test_an_option_that_another_does_instead_of_is_filled_only_without_it(builder, tmp_path):
    import numpy as np

    np.savez(tmp_path / "s.npz", mu=np.zeros(64), sigma=np.eye(64))
    defaults = Defaults(data=Digits(size=50), reference=Digits(size=40))
    assert builder.build("metric", "frechet", defaults).reference is defaults.reference
    assert builder.build("metric", "frechet", Defaults(data=defaults.data)).reference is defaults.data
    given = {"name": "frechet", "statistics": str(tmp_path / "s.npz")}
    assert builder.build("metric", given, defaults).reference is None
    with pytest.raises(OptionError, match="metric 'frechet' needs the option 'reference' or 'statistics'"):
        builder.build("metric", "frechet", Defaults(features=Pixels()))


@attrs.frozen(eq=False)
class Optional(kinetic.Metric):
    reference: kinetic.Dataset | None = options.component(kinetic.Dataset, None)
    held_out: kinetic.Dataset | None = options.component(kinetic.Dataset, None)

    def begin(self):
        return None

    def observe(self, state, samples):
        return None

    def merge(self, a, b):
        return None

    def finish(self, state):
        return kinetic.Score({})


def test_an_optional_data_set_is_filled_where_it_is_the_reference_alone():
    builder = ComponentBuilder(Registry({"metric": {"optional": Optional}}, {}))
    data, reference = Digits(size=50), Digits(size=40)
    assert builder.build("metric", "optional", Defaults(data=data)).reference is None
    metric = builder.build("metric", "optional", Defaults(data=data, reference=reference))
    assert (metric.reference, metric.held_out) == (reference, None)


def test_features_fill_those_of_metrics_only():
    @attrs.frozen(eq=False)
    class Deep(kinetic.FeatureSpace):
        below: kinetic.FeatureSpace = options.component(kinetic.FeatureSpace)

        def features(self, x):
            return self.below.features(x)

    builder = ComponentBuilder(Registry({"features": {"deep": Deep, "pixels": Pixels}}, {}))
    with pytest.raises(OptionError, match="features 'deep' needs the option 'below': a feature space"):
        builder.build("features", "deep", Defaults(features=Pixels()))
    assert isinstance(builder.build("features", {"name": "deep", "below": "pixels"}).below, Pixels)


def test_what_is_finished_stands_for_the_component_everywhere():
    seen = []

    def finish(component):
        seen.append(component)
        return Pixels() if isinstance(component, DigitsFeatures) else component

    builder = ComponentBuilder(registry(), finish)
    metrics = [builder.build("metric", {"name": name, "features": "digits"}) for name in ("vendi", "vendi")]
    assert metrics[0] is metrics[1]
    assert isinstance(metrics[0].features, Pixels)
    assert len(seen) == 2


def test_code_is_imported_for_a_person_only_and_not_for_what_is_inside(builder):
    table = {"name": "module", "module": "torch.nn:Flatten"}
    with pytest.raises(RecipeError, match="features 'module' imports code that its options name, which no recipe may"):
        builder.build("features", table)
    assert type(builder.build("features", table, imports_code=True)).__name__ == "ModuleFeatures"
    with pytest.raises(RecipeError, match="metric 'vendi': features 'module' imports code"):
        builder.build("metric", {"name": "vendi", "features": table}, imports_code=True)


def test_errors_say_where_they_are_and_keep_their_kind(builder):
    table = {"name": "frechet", "reference": {"name": "tensor-file", "path": "/no/such.npy"}}
    with pytest.raises(MissingFileError, match=r"^metric 'frechet': dataset 'tensor-file': data: there is no"):
        builder.build("metric", table)


def test_prompts_left_out_are_the_defaults_and_given_ones_are_kept():
    @attrs.frozen(eq=False)
    class Named(kinetic.VelocityField):
        prompts: tuple = options.texts(at_least=1, prompts=True)
        words: tuple = options.texts((), prompts=False)

        @property
        def event_shape(self):
            return (1,)

        def velocity(self, x, t, batch=None):
            return x

    builder = ComponentBuilder(Registry({"field": {"named": Named}}, {}, ()))
    defaults = Defaults(prompts=("a cat", "a dog"))
    filled = builder.build("field", "named", defaults)
    assert (filled.prompts, filled.words) == (("a cat", "a dog"), ())
    assert builder.build("field", {"name": "named", "prompts": ["b"]}, defaults).prompts == ("b",)
    with pytest.raises(OptionError, match="field 'named' needs the option 'prompts'"):
        builder.build("field", "named")
