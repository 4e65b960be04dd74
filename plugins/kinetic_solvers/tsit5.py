"""The method of Tsitouras."""

from typing import final

import attrs

from kinetic_solvers.adaptive import Adaptive
from kinetic_solvers.runge_kutta import Tableau

_B = (
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
    0.0,
)
_B_MINUS_EMBEDDED = (
    -0.00178001105222577714,
    -0.0008164344596567469,
    0.007880878010261995,
    -0.1447110071732629,
    0.5823571654525552,
    -0.45808210592918697,
    1 / 66,
)
_TABLEAU = Tableau(
    c=(0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0),
    a=(
        (0.161,),
        (-0.008480655492356989, 0.335480655492357),
        (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
        (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
        (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.02826905039406838),
        _B[:6],
    ),
    b=_B,
    order=5,
    embedded=tuple(b - apart for b, apart in zip(_B, _B_MINUS_EMBEDDED, strict=True)),
)


@final
@attrs.frozen(eq=False)
class Tsit5(Adaptive):
    """Tsitouras's pair of orders 5 and 4: adaptive, six velocities a step, the last one used again.

    Its coefficients are decimals, right to about 15 digits. The error weights carry the sign of the sixth that the
    paper misprints.

    Source: Tsitouras, Runge-Kutta pairs of order 5(4), Comput. Math. Appl. 62 (2011).
    """

    @property
    def tableau(self) -> Tableau:
        return _TABLEAU
