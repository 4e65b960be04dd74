"""Numbers with intervals: means, shares, differences between arms, correlations; and what may be said of them.

All intervals are 95%. Everything is deterministic: what draws, draws from a generator with a fixed seed.
"""

from kinetic.evidence._auc import auc, auc_difference
from kinetic.evidence._correlation import Correlation, spearman
from kinetic.evidence._equivalence import equivalent, p_value
from kinetic.evidence._estimate import LEVEL, Estimate, symmetric
from kinetic.evidence._fifths import QuantileGroups, quantile_groups
from kinetic.evidence._finding import Claimed, Finding, Verdict, decide, finding, joint
from kinetic.evidence._holm import holm
from kinetic.evidence._jackknife import GROUPS, comparable, groups, jackknife, jackknife_difference, two_jackknives
from kinetic.evidence._means import ONE_TRAINING, RESAMPLES, mean, one_more, over_runs, paired_difference
from kinetic.evidence._noise import noise_verdict, undecided_because
from kinetic.evidence._permutation import FalseCount, permutation_count
from kinetic.evidence._proportions import proportion, tango
from kinetic.evidence._shares import variance_shares
from kinetic.evidence._two_lines import TwoLines, optimum_finding, two_lines
from kinetic.evidence._verdict import verdict

__all__ = [
    "GROUPS",
    "LEVEL",
    "ONE_TRAINING",
    "RESAMPLES",
    "Claimed",
    "Correlation",
    "Estimate",
    "FalseCount",
    "Finding",
    "QuantileGroups",
    "TwoLines",
    "Verdict",
    "auc",
    "auc_difference",
    "comparable",
    "decide",
    "equivalent",
    "finding",
    "groups",
    "holm",
    "jackknife",
    "jackknife_difference",
    "joint",
    "mean",
    "noise_verdict",
    "one_more",
    "optimum_finding",
    "over_runs",
    "p_value",
    "paired_difference",
    "permutation_count",
    "proportion",
    "quantile_groups",
    "spearman",
    "symmetric",
    "tango",
    "two_jackknives",
    "two_lines",
    "undecided_because",
    "variance_shares",
    "verdict",
]
