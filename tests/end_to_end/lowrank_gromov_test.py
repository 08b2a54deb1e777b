"""lowrank with Gromov-Wasserstein and fused objectives, hmot with alpha > 0: from the job to the tables, and what is refused."""

import json
import sys

from session import DATA, open_session, read_tsv

session = open_session()
SIDES = {"input": {"file": DATA, "spatial": "X"}, "source.filter": {"time": ["300"]}, "target.filter": {"time": ["360"]}}
PRECISE = {"precision": "float64"}


def solve(name, options, command="lowrank", code=0, **tables):
    job = session.job(name, command, {**SIDES, command: {"restarts": 2, **options}, "solver": PRECISE, **tables})
    run = session.run(command, job)
    session.done(run, code)
    return run


def objective(name):
    return float(read_tsv(session.folder / name / "index.tsv")[0]["cost"])


def close(a, b, tolerance):
    return abs(a - b) <= tolerance * abs(b)


def check_own_spaces():
    """30 features against 19."""
    run = solve("gw", {"rank": [5, 4], "objective": "gw"}, target={"key": "X"})
    session.check("Gromov-Wasserstein" in run.err, "the value in the log", run)
    (parts,) = session.table("gw", "objective") or [{}]
    session.check(close(float(parts["gromov"]), objective("gw"), 1e-9) and float(parts["weight_gromov"]) == 1.0, f"GW alone in its own units: {parts}")
    masses = [float(value) for row in session.table("gw", "T") for key, value in row.items() if key != "source"]
    session.check(len(masses) == 20 and close(sum(masses), 1.0, 1e-9), f"T of masses {masses}")
    centroids = session.table("gw", "centroids")
    blank = {row["time"]: sum(row[f"coordinate_{j}"] == "" for j in range(30)) for row in centroids}
    session.check(blank == {"source": 0, "target": 11}, f"coordinates that a side does not have stay empty: {blank}")
    for file in ("result_source.h5ad", "result_target.h5ad", "convergence.csv", "tables/restarts.tsv"):
        session.check((session.folder / "gw" / file).exists(), f"{file} of gw")


def check_cosine():
    """Half the squared distances of rows of length 1: a quarter of their Gromov-Wasserstein."""
    run = solve("cosine", {"rank": [5, 4], "objective": "gw", "cost": "cosine"})
    (parts,) = session.table("cosine", "objective") or [{}]
    session.check(close(0.25 * float(parts["gromov"]), objective("cosine"), 1e-9) and 0.0 < objective("cosine") < 4.0, f"cosine costs: {parts}", run)


def check_fused():
    solve("w", {"rank": [5, 4]})
    solve("alpha_0", {"rank": [5, 4], "objective": "fgw", "alpha": 0.0})
    session.check(close(objective("alpha_0"), objective("w"), 1e-12), f"alpha 0 is transport: {objective('alpha_0')}, {objective('w')}")
    solve("alpha_1", {"rank": [5, 4], "objective": "fgw", "alpha": 1.0})
    solve("places", {"rank": [5, 4], "objective": "gw"}, source={"key": "X"}, target={"key": "X"})
    session.check(close(objective("alpha_1"), objective("places"), 1e-9), f"alpha 1 is gw: {objective('alpha_1')}, {objective('places')}")
    solve("fused", {"rank": [5, 4], "objective": "fgw", "alpha": 0.3})
    (parts,) = session.table("fused", "objective") or [{}]
    total = float(parts["cost"]) + float(parts["weight_gromov"]) * float(parts["gromov"])
    session.check(close(total, objective("fused"), 1e-9), f"parts {parts} of {objective('fused')}")
    session.check(0.0 < objective("fused") < 1.0, "both parts are in units of their values at independent coupling")
    two = {"input": {**SIDES["input"], "time_key": "time", "days": [300, 360]}, "source.filter": {}, "target.filter": {}}
    solve("chain", {"rank": [5, 4], "alpha": 0.3}, "hmot", **{"input": two["input"], "source.filter": {}, "target.filter": {}})
    session.check(close(objective("chain"), objective("fused"), 1e-6), f"two slices: hmot {objective('chain')}, lowrank {objective('fused')}")


def check_bad_input():
    job = session.job("bad", "lowrank", {**SIDES, "lowrank": {"rank": 3, "objective": "fgw", "restarts": 1}})
    cases = [({"input.spatial": '"obsm/spatial"'}, ["'spatial' not found", "X_pca", "input.spatial"]),
             ({"target.key": '"X"'}, ["19 columns", "30", 'lowrank.objective = "gw"']),
             ({"lowrank.alpha": 1.2}, ["lowrank.alpha"]),
             ({"lowrank.objective": '"gw"', "lowrank.alpha": 0.2}, ["lowrank.alpha", "fgw"]),
             ({"lowrank.cost": '"manhattan"'}, ["lowrank.cost", "not available in this version"]),
             ({"lowrank.objective": '"gromov"'}, ["lowrank.objective", "fgw"])]
    for number, (settings, texts) in enumerate(cases):
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        session.refused(session.run("lowrank", job, "--out", f"bad{number}", *words), 2, *texts, result=f"bad{number}")


def check_chain():
    solve("three", {"rank": 4, "alpha": 0.2}, "hmot",
          **{"input": {"file": DATA, "spatial": "X", "time_key": "time", "days": [300, 360, 420]}, "source.filter": {}, "target.filter": {}})
    parts = session.table("three", "objective")
    total = sum(float(row["cost"]) + float(row["weight_gromov"]) * float(row["gromov"]) for row in parts)
    session.check(len(parts) == 2 and close(total, objective("three"), 1e-9), f"three slices: {parts}, {objective('three')}")
    record = json.loads((session.folder / "three/run.json").read_text())
    session.check("X" in record["input"][0]["keys"], f"the coordinates in run.json: {record['input'][0]['keys']}")


def main():
    checks = [check_own_spaces, check_fused]
    if session.ranks == 1:
        checks += [check_cosine, check_bad_input, check_chain]
    for check in checks:
        check()
    return session.finish()


sys.exit(main())
