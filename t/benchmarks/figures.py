# SPDX-License-Identifier: Apache-2.0
"""Paired samples, their medians and ratios, the goals, and tables of them."""
import statistics
import textwrap
from dataclasses import dataclass, field


def spread(values, form="{:,.0f}"):
    """median [min..max]"""
    low, high = form.format(min(values)), form.format(max(values))
    middle = form.format(statistics.median(values))
    return middle if low == high else f"{middle} [{low}..{high}]"


def percent(values):
    return spread([100 * v for v in values], "{:+.2f} %")


class Paired:
    """Samples of several variants, taken in turn; reference is what the others are compared to,
    sample by sample of the same round."""

    def __init__(self, reference):
        self.reference = reference
        self.samples = {}

    def add(self, variant, value):
        self.samples.setdefault(variant, []).append(value)

    def median(self, variant):
        return statistics.median(self.samples[variant])

    def more(self, variant, than=None):
        """How much more than the reference, as fractions of it, one for each round."""
        base = self.samples[than or self.reference]
        return [value / b - 1 for value, b in zip(self.samples[variant], base)]

    def difference(self, variant, than=None):
        base = self.samples[than or self.reference]
        return [value - b for value, b in zip(self.samples[variant], base)]


@dataclass
class Goal:
    """measured and limit in the unit of form; met: measured is at most the limit."""

    what: str
    measured: float
    limit: float
    form: str = "{:+.2f} %"

    @property
    def met(self):
        return self.measured <= self.limit

    @property
    def verdict(self):
        return "goal met" if self.met else "**missed**"


@dataclass
class Table:
    title: str
    columns: list
    rows: list = field(default_factory=list)
    note: str = ""

    def markdown(self):
        align = ["---"] + ["--:"] * (len(self.columns) - 1)
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [textwrap.fill(self.note, 100), ""]
        lines += [f"| {' | '.join(row)} |" for row in [self.columns, align, *self.rows]]
        return "\n".join(lines)


@dataclass
class Section:
    """What one measurement found. samples: {"what, variant": values}, for --json."""

    name: str
    heading: str
    text: str
    tables: list = field(default_factory=list)
    goals: list = field(default_factory=list)
    samples: dict = field(default_factory=dict)

    def keep(self, what, paired):
        for variant, values in paired.samples.items():
            self.samples[f"{what}, {variant}"] = values
