"""[hmot.fix.q] and [hmot.fix.g] = "labels": memberships and type masses that the data file holds."""

import shutil
import sys

from session import DATA, open_session, read_tsv

session = open_session(needs=("anndata", "h5py"))
import anndata  # noqa: E402
import h5py  # noqa: E402
import numpy as np  # noqa: E402

atlas = anndata.read_h5ad(DATA)
time = atlas.obs["time"].to_numpy().astype(float)
labels = atlas.obs["cell_type"]
data = {"file": "given.h5ad", "time_key": "time", "annotation": "cell_type", "days": [420, 480, 545]}


def one_hot(day):
    """A column for each category present at that time, in category order."""
    present = [name for name in labels.cat.categories if (labels[time == day] == name).any()]
    return present, (labels.to_numpy()[:, None] == np.array(present)[None, :]).astype(np.float64)


def soft_shares(columns):
    random = np.random.default_rng(5)
    shares = random.uniform(0.1, 4.0, (len(labels), columns))
    shares[random.uniform(size=shares.shape) < 0.3] = 0.0
    shares[:, 0] += 0.01
    return shares


def write_inputs():
    given = atlas.copy()
    for day in (420, 480, 545):
        given.obsm[f"hot{day}"] = 2.0 * one_hot(day)[1]
        # Cells of other times may hold anything.
        given.obsm[f"hot{day}"][time != day] = np.nan
    given.obsm["soft"] = soft_shares(4)
    given.obsm["empty_type"] = np.hstack([given.obsm["soft"], np.zeros((len(labels), 1))])
    given.write_h5ad(session.folder / "given.h5ad")
    row = int(np.flatnonzero(time == 480)[3])
    for name, value in (("negative", -0.5), ("missing", np.nan), ("infinite", np.inf)):
        damaged(name, (row, 2), value)
    damaged("zero", row, 0.0)
    return row


def damaged(name, where, value):
    shutil.copyfile(session.folder / "given.h5ad", session.folder / f"{name}.h5ad")
    with h5py.File(session.folder / f"{name}.h5ad", "r+") as file:
        shares = file["obsm/soft"][...]
        shares[where] = value
        file["obsm/soft"][...] = shares


def solve(name, hmot, code=0, **tables):
    job = session.job(name, "hmot", {"input": {**data, **tables.pop("input", {})}, "hmot": {"restarts": 2, **hmot}, **tables})
    run = session.run("hmot", job)
    if code == 0:
        session.done(run)
    return run


def objective(name):
    return float(read_tsv(session.folder / name / "index.tsv")[0]["cost"])


def edge_masses(name):
    return [float(edge["mass"]) for edge in session.table(name, "edges")]


def nodes_at(name, day):
    return [(row["type"], float(row["mass"])) for row in session.table(name, "nodes") if float(row["time"]) == day]


def check_one_hot():
    """One-hot memberships give every number of the labels."""
    columns = {"supervised": {420: "obsm/hot420", 480: "obsm/hot480", 545: "obsm/hot545"}, "unsupervised": {480: "obsm/hot480"}}
    for mode, keys in columns.items():
        fixed = {"hmot.fix.labels": {str(day): "cell_type" for day in keys}}
        solve(f"labels_{mode}", {"mode": mode, "rank": 4}, **fixed)
        solve(f"hot_{mode}", {"mode": mode, "rank": 4}, **{"hmot.fix.q": {str(day): key for day, key in keys.items()}})
        session.check(objective(f"labels_{mode}") == objective(f"hot_{mode}"), f"{mode}: E of labels and of one-hot memberships")
        session.check(edge_masses(f"labels_{mode}") == edge_masses(f"hot_{mode}"), f"{mode}: T of labels and of one-hot memberships")
    names = [name for name, _ in nodes_at("hot_unsupervised", 480)]
    session.check(names == [f"t480.0_{k}" for k in range(len(names))], f"types of given memberships: {names}")
    solve("mixed", {"mode": "supervised"}, **{"hmot.fix.q": {"480": "obsm/hot480"}})
    session.check(objective("mixed") == objective("labels_supervised"), "supervised with the memberships of one time")
    types = [name for name, _ in nodes_at("mixed", 420)]
    session.check(types == one_hot(420)[0], f"the other times keep their labels: {types}")


def dense_objective(name):
    """E of the written memberships and couplings with cell couplings formed whole."""
    result = anndata.read_h5ad(session.folder / name / "result.h5ad")
    whole = anndata.read_h5ad(session.folder / "given.h5ad")
    rows = result.obs["source_row"].to_numpy()
    x, days, q = whole.obsm["X_pca"][rows].astype(float), time[rows], result.obsm["hmot_Q"].astype(float)
    cost = 0.0
    for t, (first, second) in enumerate([(420, 480), (480, 545)]):
        coupling = result.uns["hmot"]["T"][str(t)]
        sides = []
        for day, count in ((first, coupling.shape[0]), (second, coupling.shape[1])):
            shares = q[days == day][:, :count] / (days == day).sum()
            sides.append(shares / shares.sum(0))
        mass = sides[0] @ coupling @ sides[1].T
        difference = x[days == first][:, None, :] - x[days == second][None, :, :]
        cost += (mass * (difference**2).sum(2)).sum()
    return cost, rows, q, result


def check_soft():
    solve("soft", {"rank": 3, "write_q": True}, **{"hmot.fix.q": {"480": "obsm/soft"}, "hmot.names": {"480": ["a", "b", "c", "d"]}})
    cost, rows, q, result = dense_objective("soft")
    session.check(abs(objective("soft") / cost - 1) < 1e-5, f"E {objective('soft')} of soft memberships, dense {cost}")
    given = anndata.read_h5ad(session.folder / "given.h5ad").obsm["soft"][rows]
    given /= given.sum(1, keepdims=True)
    here = time[rows] == 480
    session.check(np.abs(q[here][:, :4] - given[here]).max() < 1e-6, "memberships written as given")
    expected = np.array(list("abcd"))[given[here].argmax(1)]
    session.check((result.obs["hmot_type"].to_numpy()[here] == expected).all(), "labels are the largest memberships")
    masses = dict(nodes_at("soft", 480))
    session.check(max(abs(masses[name] - given[here][:, k].mean()) for k, name in enumerate("abcd")) < 1e-6, f"type masses {masses}")
    keys = (session.folder / "soft/run.json").read_text()
    session.check('"obsm/soft"' in keys, "run.json records the matrix")


def check_label_masses():
    solve("masses", {"rank": 3}, **{"hmot.fix.g": {"480": "labels"}})
    names, hot = one_hot(480)
    expected = hot[time == 480].mean(0)
    got = nodes_at("masses", 480)
    session.check(len(got) == len(names) and max(abs(mass - e) for (_, mass), e in zip(got, expected, strict=True)) < 2e-6, f"masses of labels {got}, {expected}")
    session.check(len(nodes_at("masses", 420)) == 3, "other times keep their rank")
    weighted = {"input": {"weights": "embryo_time"}}
    solve("weighted", {"rank": 3}, **weighted, **{"hmot.fix.g": {"480": "labels"}})
    weight = atlas.obs["embryo_time"].to_numpy()[time == 480].astype(float)
    expected = (hot[time == 480] * weight[:, None]).sum(0) / weight.sum()
    session.check(max(abs(mass - e) for (_, mass), e in zip(nodes_at("weighted", 480), expected, strict=True)) < 2e-6, "weighted masses of labels")


def check_refusals(row):
    given = {"hmot.fix.q": {"480": "obsm/soft"}}
    (session.folder / "g.tsv").write_text("type\tmass\nt480.0_0\t0.7\nt480.0_1\t0.1\nt480.0_2\t0.1\nt480.0_3\t0.1\n")
    (session.folder / "mask.tsv").write_text("source\ttarget\n" + "".join(f"t480.0_{k}\tt545.0_0\n" for k in range(4)))
    cases = [
        ({"input": {"file": "negative.h5ad"}, **given}, {}, [f"row {row}", "obsm/soft", "-0.5 in column 2", "hmot.fix.q"]),
        ({"input": {"file": "zero.h5ad"}, **given}, {}, [f"row {row}", "obsm/soft", "no membership in any type"]),
        ({"input": {"file": "missing.h5ad"}, **given}, {}, ["obsm/soft", f"row {row}", "column 2"]),
        ({"input": {"file": "infinite.h5ad"}, **given}, {}, ["obsm/soft", f"row {row}", "column 2"]),
        ({"hmot.fix.q": {"480": "obsm/sofd"}}, {}, ["obsm key 'sofd'", "soft", "hmot.fix.q"]),
        ({"hmot.fix.q": {"481": "obsm/soft"}}, {}, ["481", "hmot.fix.q", "480.0"]),
        ({"hmot.fix.q": {"480": "obsm/empty_type"}}, {}, ["type 't480.0_4' of time 480.0 has no mass"]),
        ({**given, "hmot.fix.labels": {"480": "cell_type"}}, {}, ["hmot.fix.labels", "hmot.fix.q", "480.0"]),
        ({**given, "hmot.fix.g": {"480": "g.tsv"}}, {}, ["masses of time 480.0"]),
        ({**given, "hmot.fix.g": {"480": "labels"}}, {}, ["hmot.fix.g", "480.0", "4 types"]),
        ({**given}, {"mode": "cocluster"}, ["equal numbers of types", "480.0"]),
        ({**given, "hmot.mask": {"480:545": "mask.tsv"}}, {}, ["type t545.0_1 of time 545.0 has no allowed source"]),
        ({"input": {"annotation": ""}, "hmot.fix.g": {"480": "labels"}}, {}, ["hmot.fix.g", "labels", "input.annotation"]),
        ({"input": {"annotation": ""}, **given}, {"mode": "supervised"}, ["input.annotation"]),
    ]
    # Without repeats one rank shows all texts and several show that no rank hangs.
    def refuse(numbered):
        number, (tables, hmot, texts) = numbered
        run = solve(f"bad{number}", {"rank": 3, **hmot}, code=2, **tables)
        session.refused(run, 2, *texts, result=f"bad{number}")

    session.in_parallel(refuse, session.some(enumerate(cases), every=4))


def check_without_annotation():
    solve("alone", {"mode": "supervised"}, input={"annotation": ""}, **{"hmot.fix.q": {"420": "obsm/hot420", "480": "obsm/soft", "545": "obsm/hot545"}})
    session.check(objective("alone") > objective("labels_supervised"), "memberships at all times need no annotation")
    solve("carried", {"mode": "transfer", "reference": "480"}, **{"hmot.fix.q": {"480": "obsm/soft"}})
    session.check(len(nodes_at("carried", 420)) == 4, "transfer takes its number of types from the given memberships")


def main():
    row = write_inputs()
    check_one_hot()
    check_soft()
    check_refusals(row)
    if session.ranks == 1:
        check_label_masses()
        check_without_annotation()
    return session.finish()


sys.exit(main())
