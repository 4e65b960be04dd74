import io

import numpy as np
import pytest
from matplotlib.image import imread

from kinetic._report import canvas


def test_panels_are_cut_to_the_page_and_those_left_over_are_hidden():
    figure, axes = canvas.panels(3, 2, (10.0, 1.0))
    assert figure.get_figwidth() == canvas.WIDE
    assert len(axes) == 3
    assert [axis.get_visible() for axis in figure.axes] == [True, True, True, False]


def test_a_mosaic_shows_each_image_and_its_words():
    _, (axis,) = canvas.panels(1, 1, (3.0, 2.0))
    images = np.stack([np.full((1, 4, 4), value) for value in (-1.0, 1.0, 0.0)])
    canvas.mosaic(axis, images, 2, ["a", "b", "c"])
    assert [text.get_text() for text in axis.texts] == ["a", "b", "c"]
    shown = axis.images[0].get_array()
    assert {0.0, 0.5, 1.0} == {float(value) for value in np.unique(shown)}


def test_a_picture_is_a_png_of_the_width_it_states_and_dollars_stay_dollars():
    figure, (axis,) = canvas.panels(1, 1, (3.0, 2.0))
    axis.set_title("$x^$\x1b[2J\u202e")
    drawn = canvas.picture(figure, "title", "caption", "alt")
    pixels = imread(io.BytesIO(drawn.png), format="png")
    assert pixels.shape[1] / drawn.width == pytest.approx(1.75, rel=0.01)
    assert axis.get_title() == r"$x^$\x1b[2J\u202e"
