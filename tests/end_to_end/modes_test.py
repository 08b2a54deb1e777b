"""Every mode and constraint of hmot, and lowrank, on the demo data: what the tables then hold."""

import json
import sys
from pathlib import Path

from session import DATA, open_session, read_tsv

session = open_session()
times = ["300.0", "360.0", "420.0", "480.0", "545.0", "620.0"]
descent = {"Neuroblast_ASG_AWA": ["ASG_AWA", "ASG", "AWA"], "ASG_AWA": ["ASG", "AWA"], "ADL_parent": ["ADL"], "AWC": ["AWC_ON"]}
data = {"file": DATA, "time_key": "time", "annotation": "cell_type"}


def solve(name, hmot, command="hmot", code=0, **tables):
    job = session.job(name, command, {"input": data, command: {"restarts": 2, **hmot}, **tables})
    run = session.run(command, job)
    session.done(run, code)
    return run


def objective(name):
    return float(read_tsv(session.folder / name / "index.tsv")[0]["cost"])


def types_at(rows, time):
    return {row["type"]: float(row["mass"]) for row in rows if row["time"] == time}


def check_sums(name, tolerance=2e-6):
    """Rows and columns of every coupling sum to the masses of its types."""
    nodes = {(row["time"], row["type"]): float(row["mass"]) for row in session.table(name, "nodes")}
    out, into = {}, {}
    for edge in session.table(name, "edges"):
        mass = float(edge["mass"])
        out[edge["t0"], edge["source"]] = out.get((edge["t0"], edge["source"]), 0.0) + mass
        into[edge["t1"], edge["target"]] = into.get((edge["t1"], edge["target"]), 0.0) + mass
    for sums in (out, into):
        worst = max((abs(mass - nodes[node]) for node, mass in sums.items()), default=1.0)
        session.check(worst < tolerance, f"{name}: coupling against type masses {worst}")


def check_modes():
    solve("free", {"rank": 5})
    check_sums("free")
    solve("transfer", {"mode": "transfer", "reference": "480", "write_q": True,
                       "clusterings": ["ml", "emission", "reference", "ancestral", "terminal"]})
    check_sums("transfer")
    nodes = session.table("transfer", "nodes")
    session.check(set(types_at(nodes, "480.0")) == {"ADL", "ASG", "AWA", "AWB", "AWC"}, "types of the reference slice are its labels")
    scores = {(row["clustering"], row["time"]): float(row["ami"]) for row in session.table("transfer", "scores")}
    session.check(scores.get(("ml", "480.0")) == 1.0 and len(scores) == 36, f"scores of 5 clusterings and the baseline at 6 times: {len(scores)}")
    solve("cocluster", {"mode": "cocluster", "rank": 5})
    edges = session.table("cocluster", "edges")
    session.check(all(e["source"][-1] == e["target"][-1] or float(e["mass"]) == 0.0 for e in edges), "cocluster is diagonal")
    solve("cosine", {"rank": [3, 4, 5, 5, 4, 3], "cost": "cosine"})
    counts = [len(types_at(session.table("cosine", "nodes"), time)) for time in times]
    session.check(counts == [3, 4, 5, 5, 4, 3] and objective("cosine") < 6, f"cosine: {counts} types, {objective('cosine')}")
    solve("named", {"rank": 2, "init": "kmeans"}, **{"hmot.names": {"300": ["early", "late"]}})
    session.check(set(types_at(session.table("named", "nodes"), "300.0")) == {"early", "late"}, "names of types")


def check_masks():
    solve("supervised", {"mode": "supervised"})
    labels = {time: types_at(session.table("supervised", "nodes"), time) for time in times}
    masks = {}
    for t0, t1 in zip(times[:-1], times[1:]):
        allowed = [(a, b) for a in labels[t0] for b in [a, *descent.get(a, [])] if b in labels[t1]]
        name = f"lineage_{t0}.tsv"
        (session.folder / name).write_text("source\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in allowed))
        masks[f"{float(t0):g}:{float(t1):g}"] = name
    run = solve("lineage", {"mode": "supervised"}, code=2, **{"hmot.mask": masks})
    session.refused(run, 2, "mask of 300.0:360.0 is infeasible", "Neuroblast_ASG_AWA", "of the mass", result="lineage")

    free_edges = {(e["t0"], e["source"], e["target"]): float(e["mass"]) for e in session.table("supervised", "edges")}
    (t0, source, target), mass = max(((edge, mass) for edge, mass in free_edges.items() if edge[0] == "480.0"), key=lambda item: item[1])
    (session.folder / "forbid.tsv").write_text(f"source\ttarget\n{source}\t{target}\n")
    solve("forbid", {"mode": "supervised"}, **{"hmot.mask": {"mode": "forbid", "480:545": "forbid.tsv"}})
    masked = {(e["t0"], e["source"], e["target"]): e["mass"] for e in session.table("forbid", "edges")}
    session.check(mass > 0.1 and float(masked.get((t0, source, target), "0")) == 0.0, f"forbidden edge {source} -> {target}: {masked.get((t0, source, target))}")
    session.check(objective("forbid") > objective("supervised"), "a mask costs")
    check_sums("forbid", 1e-12)
    (session.folder / "identity.tsv").write_text("source\ttarget\tallow\n" + "".join(
        f"t420.0_{k}\tt480.0_{l}\t{int(k == l)}\n" for k in range(3) for l in range(3)))
    solve("learned_mask", {"rank": 3}, **{"hmot.mask": {"420:480": "identity.tsv"}})
    off = [float(e["mass"]) for e in session.table("learned_mask", "edges") if e["t0"] == "420.0" and e["source"][-1] != e["target"][-1]]
    session.check(all(mass == 0.0 for mass in off), f"edges that the mask of learned types does not list: {off}")


def check_fixed():
    (session.folder / "g.tsv").write_text("type\tmass\nt420.0_0\t0.5\nt420.0_1\t0.3\nt420.0_2\t0.2\n")
    solve("fixed_g", {"rank": 3}, **{"hmot.fix.g": {"420": "g.tsv"}})
    got = types_at(session.table("fixed_g", "nodes"), "420.0")
    wanted = {"t420.0_0": 0.5, "t420.0_1": 0.3, "t420.0_2": 0.2}
    session.check(all(abs(got.get(k, 0) - mass) < 2e-6 for k, mass in wanted.items()), f"fixed masses: {got}")
    (session.folder / "t.tsv").write_text("source\ttarget\tmass\nt300.0_0\tt360.0_0\t0.6\nt300.0_1\tt360.0_1\t0.3\nt300.0_0\tt360.0_1\t0.1\n")
    solve("fixed_t", {"rank": 2}, **{"hmot.fix.t": {"300:360": "t.tsv"}})
    got = {(e["source"][-1], e["target"][-1]): float(e["mass"]) for e in session.table("fixed_t", "edges") if e["t0"] == "300.0"}
    session.check(abs(got.get(("0", "0"), 0) - 0.6) < 1e-12 and got.get(("1", "0"), 0.0) == 0.0, f"fixed coupling: {got}")
    (session.folder / "t2.tsv").write_text("source\ttarget\tmass\nt360.0_0\tt420.0_0\t0.5\nt360.0_1\tt420.0_1\t0.5\n")
    run = solve("clash", {"rank": 2}, code=2, **{"hmot.fix.t": {"300:360": "t.tsv", "360:420": "t2.tsv"}})
    session.refused(run, 2, "360.0", result="clash")
    solve("labels", {"rank": 4}, **{"hmot.fix.labels": {"480": "obs/cell_type"}})
    session.check("AWB" in types_at(session.table("labels", "nodes"), "480.0"), "fixed labels of one slice")


def check_weights():
    plain = session.job("plain", "hmot", {"input": data, "hmot": {"mode": "supervised"}})
    session.done(session.run("hmot", plain))
    weighted = session.job("weighted", "hmot", {"input": {**data, "weights": "embryo_time"}, "hmot": {"mode": "supervised"}})
    session.done(session.run("hmot", weighted))
    a, b = types_at(session.table("plain", "nodes"), "300.0"), types_at(session.table("weighted", "nodes"), "300.0")
    session.check(abs(sum(b.values()) - 1) < 1e-12 and a != b, "weights change the masses")
    check_sums("weighted", 1e-12)


def check_lowrank():
    days = {"input": {"file": DATA, "time_key": "time", "days": [420, 480]}}
    solve("lc", {"rank": [5, 4]}, "lowrank", **days)
    rows = session.table("lc", "T")
    total = sum(float(value) for row in rows for key, value in row.items() if key != "source")
    session.check(len(rows) == 5 and abs(total - 1) < 1e-6, f"T of lowrank: {len(rows)} rows, mass {total}")
    (session.folder / "source.tsv").write_text("type\tmass\n" + "".join(f"source_{k}\t0.25\n" for k in range(4)))
    sides = {"input": {"file": DATA}, "source.filter": {"time": ["300"]}, "target.filter": {"time": ["360"]}}
    solve("lot", {"rank": 4, "form": "lot"}, "lowrank", **sides, **{"lowrank.g": {"source": "source.tsv"}})
    for file in ("result_source.h5ad", "result_target.h5ad", "run.json"):
        session.check((session.folder / "lot" / file).exists(), f"{file} of two sides")
    rows = session.table("lot", "T")
    values = [[float(value) for key, value in row.items() if key != "source"] for row in rows]
    session.check(all(abs(values[k][l] - 0.25 * (k == l)) < 1e-6 for k in range(len(values)) for l in range(4)), f"LOT with given masses: {values}")
    record = json.loads((session.folder / "lot/run.json").read_text())
    files = sorted(Path(entry["path"]).name for entry in record["input"])
    demo = Path(DATA).name
    session.check(files == [demo, demo, "source.tsv"], f"both sides and the given masses in run.json: {files}")
    chain = session.job("chain", "hmot", {"input": {**data, "days": [420, 480]}, "hmot": {"rank": [5, 4], "restarts": 2}})
    session.done(session.run("hmot", chain))
    session.check(abs(objective("chain") / objective("lc") - 1) < 1e-6, f"two slices: hmot {objective('chain')}, lowrank {objective('lc')}")


def main():
    checks = [check_masks, check_lowrank]
    if session.is_alone:
        checks += [check_modes, check_fixed, check_weights]
    for check in checks:
        check()
    return session.finish()


sys.exit(main())
