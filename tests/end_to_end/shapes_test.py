"""`thalweg gromov` between surfaces: the camel of jobs/data, every kind of file, any number of ranks, bad input."""
import sys
import warnings

from session import ROOT, open_session, read_tsv

session = open_session(needs=("anndata", "scipy"))
import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.spatial import ConvexHull  # noqa: E402

warnings.simplefilter("error")
CAMEL = ROOT / "jobs" / "data" / "camel.npz"


def make_surfaces():
    """A potato, and the same turned, moved, with its vertices in another order."""
    rng = np.random.default_rng(5)
    directions = rng.normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    faces = ConvexHull(directions).simplices
    normal = np.cross(directions[faces[:, 1]] - directions[faces[:, 0]], directions[faces[:, 2]] - directions[faces[:, 0]])
    inward = (normal * directions[faces[:, 0]]).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    x, y, z = directions.T
    vertices = directions * (1 + 0.5 * x + 0.35 * y * np.abs(y) + 0.25 * np.maximum(z, 0) ** 3 + 0.2 * x * z)[:, None] * [1.6, 1.1, 0.8]
    order = rng.permutation(len(vertices))  # vertex k of the second is vertex order[k] of the first
    place = np.argsort(order)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    return (vertices, faces), ((vertices @ turn.T + [5, -2, 1])[order], place[faces]), place


def write_files(first, second, place):
    for name, (vertices, faces) in (("x", first), ("y", second)):
        with open(session.folder / f"{name}.off", "w") as file:
            file.write(f"OFF\n{len(vertices)} {len(faces)} 0\n")
            file.writelines(" ".join(repr(float(v)) for v in row) + "\n" for row in vertices)
            file.writelines("3 " + " ".join(map(str, row)) + "\n" for row in faces)
        header = (f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\nproperty double x\nproperty double y\nproperty double z\n"
                  f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n")
        rows = np.zeros(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
        rows["count"], rows["corners"] = 3, faces
        (session.folder / f"{name}.ply").write_bytes(header.encode() + vertices.astype("<f8").tobytes() + rows.tobytes())
        cells = anndata.AnnData(obs=pd.DataFrame(index=[f"v{i}" for i in range(len(vertices))]))
        cells.obsm["vertices"] = vertices.astype(np.float32)
        cells.uns["faces"] = faces.astype(np.int64)
        cells.write_h5ad(session.folder / f"{name}.h5ad")
    np.savez_compressed(session.folder / "both.npz", Vx=first[0], Fx=first[1], Vy=second[0], Fy=second[1], map=place)
    pairs = "".join(f"{i}\t{place[i]}\n" for i in range(len(place)))
    (session.folder / "map.tsv").write_text("source\ttarget\n" + pairs)


def sides(kind):
    if kind == "npz":
        return {"input": {"file": "both.npz"}, "source": {"key": "Vx", "faces": "Fx"}, "target": {"key": "Vy", "faces": "Fy"}}
    if kind == "h5ad":
        mesh = {"key": "obsm/vertices", "faces": "uns/faces"}
        return {"input": {"file": "x.h5ad"}, "source": mesh, "target": {"file": "y.h5ad", **mesh}}
    return {"input": {"file": f"x.{kind}"}, "target": {"file": f"y.{kind}"}}


def tables_of(kind, gromov=(), **others):
    keys = {"epsilon": 0.0005, "epsilon_decay": 0.6, "starts": 4, "solve_points": 150, "reference_map": "map.tsv", **dict(gromov)}
    return {**sides(kind), "gromov": keys, "solver": {"precision": "float64"}, **others}


def quantities(name):
    return {row["quantity"]: row["value"] for row in read_tsv(session.folder / name / "tables/shapes.tsv")}


def scores(name):
    return {row["score"]: (float(row["mean"]), float(row["median"])) for row in read_tsv(session.folder / name / "tables/scores.tsv")}


def check_camel():
    """The bounds of the specification, with distances along edges; the losses are those of the whole solve."""
    data = {"input": {"file": str(CAMEL)}, "source": {"key": "V1", "faces": "F1"}, "target": {"key": "V3", "faces": "F3"}}
    keys = {"epsilon": 0.001, "epsilon_decay": 0.6, "solve_points": 400, "starts": 4, "exchange_groups": 0, "unfold": False}
    pairs = {"anchors": str(CAMEL.parent / "camel_anchors.tsv")}

    def aligned(name, extra):
        return session.done(session.run("gromov", session.job(name, "gromov", {**data, "gromov": {**keys, **extra}}), timeout=300))

    fine = {**pairs, "epsilon": 0.0005, "solve_points": 600, "reference_map": f"{CAMEL}/map_1_to_3"}
    if not aligned("camel", {"solve_points": 300}) or not aligned("camel_fine", fine):
        return
    # Errors of all vertices take long: once are enough. The first 400 vertices that are solved are among 600.
    solved = [int(row["vertex"]) for row in read_tsv(session.folder / "camel_fine/tables/map_source.tsv") if row["solved"] == "True"]
    partner = np.load(CAMEL)["map_1_to_3"]
    (session.folder / "reference.tsv").write_text("source\ttarget\n" + "".join(f"{i}\t{partner[i]}\n" for i in solved if partner[i] >= 0))
    if not aligned("camel_anchors", {**pairs, "reference_map": "reference.tsv"}):
        return
    session.check(float(quantities("camel")["E_gw"]) <= 0.00266, f"camel: {quantities('camel')['E_gw']}")
    mean, median = scores("camel_anchors")["error_source_solved"]
    session.check(mean <= 0.10 and median <= 0.04, f"camel with anchors: mean {mean}, median {median}")
    mean, median = scores("camel_fine")["error_source_solved"]
    session.check(mean <= 0.10 and median <= 0.02, f"camel, coarse to fine: mean {mean}, median {median}")
    starts = read_tsv(session.folder / "camel_fine/tables/starts.tsv")
    session.check(len(starts) == 4 and all(row["F_anchors"] for row in starts), f"all starts on the first points: {starts}")
    session.check((session.folder / "camel_fine/plots/surfaces.svg").stat().st_size < 2e6, "picture below 2 MB")


def check_kinds_of_files(place):
    for kind in ("off", "ply", "npz", "h5ad"):
        extra = {"reference_map": "both.npz/map"} if kind == "npz" else {}
        if not session.done(session.run("gromov", session.job(kind, "gromov", tables_of(kind, extra)), timeout=120)):
            return
    first = (session.folder / "off/tables/map_source.tsv").read_text()
    for kind in ("ply", "npz"):
        session.check((session.folder / kind / "tables/map_source.tsv").read_text() == first, f"map of .{kind}")
    for kind in ("off", "h5ad"):
        mean, median = scores(kind)["error_source"]
        session.check(mean < 0.03 and median < 0.02, f"{kind}: mean {mean}, median {median}")
    saved = anndata.read_h5ad(session.folder / "off/result_source.h5ad")
    table = read_tsv(session.folder / "off/tables/map_source.tsv")
    session.check(saved.n_obs == len(place) and saved.uns["faces"].shape[1] == 3, "result_source.h5ad holds the surface")
    session.check([int(row["match"]) for row in table] == saved.obs["match"].tolist(), "matches of table and result")
    index = read_tsv(session.folder / "off/index.tsv")
    session.check([(row["n"], row["converged"]) for row in index] == [(str(len(place)), "True")], f"index: {index}")
    session.check(np.allclose(saved.obs["weight"].sum(), 1) and saved.obs["solved"].sum() == 150, "weights and solved vertices")
    target = anndata.read_h5ad(session.folder / "off/result_target.h5ad").obsm["vertices"]
    own = [np.array([float(row[axis]) for axis in "xyz"]) for row in table]
    session.check(np.allclose(own, saved.obsm["projected_x"], atol=1e-5), "mean positions of table and result")
    best = target[saved.obs["match"]]
    session.check(np.median(np.linalg.norm(best - own, axis=1)) < 0.3, "mean positions lie near the matches")


def check_ranks():
    for name, ranks in (("one", 1), ("many", session.ranks)):
        session.done(session.run("gromov", session.job(name, "gromov", tables_of("off", {"solve_points": 280, "epsilon": 0.002})), ranks=ranks, timeout=120))
    for table in ("map_source", "map_target", "scores", "starts"):
        one, many = (read_tsv(session.folder / name / f"tables/{table}.tsv") for name in ("one", "many"))
        for row in one + many:
            row.pop("seconds", None)
        session.check(one == many, f"{table}.tsv of 1 and {session.ranks} ranks")
    starts, report = read_tsv(session.folder / "one/tables/starts.tsv"), quantities("one")
    chosen = [row for row in starts if row["chosen"] == "True"]
    session.check(len(starts) == 4 and len(chosen) == 1 and chosen[0]["name"] == report["start"], f"starts: {starts}")
    session.check(all(float(row["F"]) >= float(report["primal"]) for row in starts), f"least F: {starts}")
    session.check(report["ambiguous"] == "False" and float(report["lower_bound"]) < float(report["E_gw"]), f"doubt and bound: {report}")


def check_anchors(place):
    """A wrong partner is what it says: the anchor goes there."""
    far = int(place[7])
    (session.folder / "anchors.tsv").write_text(f"source\ttarget\n3\t{far}\n")
    if session.done(session.run("gromov", session.job("forced", "gromov", tables_of("off", {"anchors": "anchors.tsv"})), timeout=120)):
        row = read_tsv(session.folder / "forced/tables/map_source.tsv")[3]
        session.check(int(row["match"]) == far and row["solved"] == "True", f"anchor goes to its partner {far}: {row}")


def check_refusals():
    (session.folder / "bad_pairs.tsv").write_text("source\ttarget\n3\t4\n5\t9999\n")
    (session.folder / "twice.tsv").write_text("source\ttarget\n3\t4\n3\t5\n")
    (session.folder / "columns.tsv").write_text("source\tto\n3\t4\n")
    text = (session.folder / "y.off").read_text()
    (session.folder / "cut.off").write_text(text[: text.rindex("\n", 0, len(text) // 2)])
    count, faces, _ = map(int, text.split("\n")[1].split())
    lines = text.split("\n")
    lines[1] = f"{count + 3} {faces + 1} 0"
    lines[2 + count:2 + count] = ["9 9 9", "9 8 9", "8 9 9"]
    lines.insert(2 + count + 3, f"3 {count} {count + 1} {count + 2}")
    (session.folder / "parts.off").write_text("\n".join(lines))
    cases = [(sides("off"), {"anchors": "bad_pairs.tsv"}, ["bad_pairs.tsv:3", "target is 9999", "0 to 299"]),
             (sides("off"), {"anchors": "twice.tsv"}, ["source 3 occurs twice in", "twice.tsv"]),
             (sides("off"), {"anchors": "columns.tsv"}, ["target", "source, to"]),
             (sides("off"), {"anchors": "absent.tsv"}, ["absent.tsv"]),
             (sides("off"), {"solve_points": 1}, ["gromov.solve_points = 1 is not allowed"]),
             (sides("npz"), {"reference_map": "both.npz/nothing"}, ["nothing", "gromov.reference_map"]),
             ({**sides("off"), "target": {"file": "cut.off"}}, {}, ["cut.off", "ends early"]),
             ({**sides("off"), "target": {"file": "parts.off"}}, {}, ["parts.off", "2 parts", "vertex 300"]),
             ({**sides("off"), "target": {"file": "y.h5ad"}}, {}, ["target", "target.faces"]),
             ({**sides("h5ad"), "target": {"file": "y.h5ad", "key": "obsm/vertices", "faces": "uns/triangles"}}, {}, ["uns/triangles", "target.faces"]),
             ({**sides("npz"), "target": {"key": "Vz", "faces": "Fy"}}, {}, ["'Vz'", "target.key", "Vx"])]

    def refused(case):
        number, (data, gromov, texts) = case
        job = session.job(f"bad{number}", "gromov", {**data, "gromov": gromov})
        session.refused(session.run("gromov", job), 2, *texts, result=f"bad{number}")

    session.in_parallel(refused, session.some(enumerate(cases)))


surfaces = make_surfaces()
write_files(*surfaces)
if session.ranks == 1:
    check_camel()
    check_kinds_of_files(surfaces[2])
    check_anchors(surfaces[2])
check_ranks()
check_refusals()
sys.exit(session.finish())
