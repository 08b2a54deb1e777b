"""Positions of the volcano's types by SciPy, from the potential written out term by term.

Usage: python make_volcano.py   (numpy 2.4, scipy 1.17)
Writes volcano.txt, one type a line: x y V, rings outwards; minima of the outer rings by minimisation, first-ring
saddles by root finding on the gradient.
"""

from pathlib import Path

import numpy as np
from scipy.optimize import minimize, root


def on_circle(radius, degrees):
    return radius * np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


rings = {2.4: [0, 120, 240], 4.8: [-30, 30, 90, 150, 210, 270], 8.8: [-30, 30, 90, 150, 210, 270]}
links = [((0, 0), (2.4, a), 5) for a in rings[2.4]]
links += [((2.4, a), (4.8, a + turn), 5) for a in rings[2.4] for turn in (-30, 30)]
links += [((4.8, a), (8.8, a), 4) for a in rings[4.8]]


def potential(p):
    squared = lambda centre: ((p - centre) ** 2).sum()
    value = 8 * np.exp(-squared(np.zeros(2)) / (2 * 2.6**2)) - 5 * squared(np.zeros(2)) / 144
    for radius, depth in ((2.4, 3.0), (4.8, 2.8), (8.8, 3.6)):
        for angle in rings[radius]:
            value -= depth * np.exp(-squared(on_circle(radius, angle)) / (2 * 1.1**2))
    for start, end, parts in links:
        for j in range(1, parts):
            centre = on_circle(*start) * (1 - j / parts) + on_circle(*end) * j / parts
            value -= 0.5 * np.exp(-squared(centre) / (2 * 0.7**2))
    return value


def slope(p, step=1e-5):
    return np.array([(potential(p + e) - potential(p - e)) / (2 * step) for e in step * np.eye(2)])


if __name__ == "__main__":
    with open(Path(__file__).parent / "volcano.txt", "w") as file:
        for radius, angles in rings.items():
            for angle in angles:
                well = on_circle(radius, angle)
                if radius > 3:
                    well = minimize(potential, well, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}).x
                found = root(slope, well, tol=1e-12).x
                file.write(f"{found[0]:.12g} {found[1]:.12g} {potential(found):.12g}\n")
