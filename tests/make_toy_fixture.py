#!/usr/bin/python3
"""Writes tests/fixtures/toy.h: the numbers of the two-layer toy check that course reports print, drawn by numpy's legacy
generator. Run by hand with Debian's python3-numpy; the result is committed."""
import pathlib

import numpy as np

np.random.seed(0)
w1 = 1e-1 * np.random.randn(4, 10)
w2 = 1e-1 * np.random.randn(10, 3)
np.random.seed(1)
x = 10 * np.random.randn(5, 4)


def array(name, values):
    rows = ",\n    ".join(", ".join(repr(float(v)) for v in row) for row in values)
    return f"static const double {name}[{values.size}] = {{\n    {rows},\n}};\n"


text = "/* Written by tests/make_toy_fixture.py. Weights are [out, in]. */\n"
text += array("toy_w1", w1.T) + array("toy_w2", w2.T) + array("toy_x", x)
(pathlib.Path(__file__).parent / "fixtures" / "toy.h").write_text(text)
