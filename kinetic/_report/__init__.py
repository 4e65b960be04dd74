"""The report of a finished run, as a page and on the terminal. Both say the same tables."""

from kinetic._report.folders import print_status as print_status
from kinetic._report.folders import print_verified as print_verified
from kinetic._report.folders import print_why as print_why
from kinetic._report.page import write_report as write_report
from kinetic._report.terminal import print_brief as print_brief
from kinetic._report.terminal import print_report as print_report
from kinetic._report.terminal import print_scores as print_scores
from kinetic._report.tuned import print_tuned as print_tuned
