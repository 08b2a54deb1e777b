"""Writes surface.npz: a tetrahedron with a fifth vertex as numpy packs arrays, in every type and order that is read."""
from pathlib import Path

import numpy as np

V = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1.5]])
F = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 4], [2, 3, 4], [3, 1, 4]])
np.savez_compressed(Path(__file__).parent / "surface.npz", V=V.astype(np.float32), F=F.astype(np.int32), V64=np.asfortranarray(V), F64=F,
                    F16=np.asfortranarray(F.astype(np.uint16)), map=np.array([4, 3, 2, -1, 0], np.int8), names=np.array(["a", "b"]),
                    flat=V[:, :2].copy(), real=F.astype(float))
