"""Everything that can be wrong with a data file or a table: one error line, exit 2, nothing written, no hang."""

import shutil
import sys

from session import DATA, open_session

session = open_session(needs=("h5py",))
import h5py  # noqa: E402
import numpy as np  # noqa: E402

hmot = {"input": {"file": "good.h5ad", "time_key": "time", "annotation": "cell_type"}, "hmot": {"mode": "supervised"}}


def edited(name, edit):
    """A copy of the demo data that `edit` has changed."""
    shutil.copyfile(DATA, session.folder / name)
    with h5py.File(session.folder / name, "r+") as file:
        edit(file)
    return name


def replace(file, key, values):
    attributes = dict(file[key].attrs)
    del file[key]
    file[key] = values
    file[key].attrs.update(attributes)


def set_value(key, where, value):
    def edit(file):
        values = file[key][...]
        values[where] = value
        replace(file, key, values)
    return edit


def as_text(values):
    def edit(file):
        replace(file, "obs/time", np.array(values(file["obs/time"][...]), dtype=h5py.string_dtype()))
        file["obs/time"].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    return edit


def one_time(file):
    replace(file, "obs/time", np.full(1805, 300.0))


def text_file(name, text):
    (session.folder / name).write_text(text)
    return name


def write_inputs():
    content = DATA.read_bytes()
    text_file("text.h5ad", "id\ttime\nc1\t1\n")
    text_file("empty.h5ad", "")
    for share in (1, 50, 99):
        (session.folder / f"truncated{share}.h5ad").write_bytes(content[: len(content) * share // 100])
    (session.folder / "short.h5ad").write_bytes(content[:-1])
    shutil.copyfile(DATA, session.folder / "good.h5ad")
    edited("nan.h5ad", set_value("obsm/X_pca", (811, 3), np.nan))
    edited("no_obs.h5ad", lambda file: file.__delitem__("obs"))
    edited("no_features.h5ad", lambda file: file.__delitem__("obsm/X_pca"))
    edited("one_time.h5ad", one_time)
    edited("word_time.h5ad", as_text(lambda times: ["soon" if i == 5 else f"{t:g}" for i, t in enumerate(times)]))
    edited("nan_time.h5ad", set_value("obs/time", slice(None), np.nan))
    edited("rows.h5ad", lambda file: replace(file, "obsm/X_pca", np.zeros((1800, 30), np.float32)))
    edited("no_columns.h5ad", lambda file: replace(file, "obsm/X_pca", np.zeros((1805, 0), np.float32)))
    edited("flat.h5ad", lambda file: replace(file, "obsm/X_pca", np.ones((1805, 1), np.float32)))
    (session.folder / "loop.h5ad").symlink_to("loop.h5ad")
    edited("few.h5ad", set_value("obs/time", slice(2, None), 360.0))
    edited("same_rows.h5ad", lambda file: replace(file, "obsm/X_pca", np.ones((1805, 30), np.float32)))
    edited("unlabelled.h5ad", set_value("obs/cell_type/codes", 7, -1))
    edited("weights.h5ad", set_value("obs/embryo_time", 9, -1.0))
    edited("no_weights.h5ad", lambda file: replace(file, "obs/embryo_time", (file["obs/time"][...] != 420) * 1.0))


def data_cases():
    yield {"input.file": "missing.h5ad"}, ["missing.h5ad", "not found"]
    yield {"input.file": "."}, ["is a folder"]
    yield {"input.file": "text.h5ad"}, ["text.h5ad", "not an HDF5 file"]
    yield {"input.file": "empty.h5ad"}, ["empty.h5ad"]
    for share in (1, 50, 99):
        yield {"input.file": f"truncated{share}.h5ad"}, [f"truncated{share}.h5ad"]
    yield {"input.file": "short.h5ad"}, ["short.h5ad"]
    yield {"input.file": "no_obs.h5ad"}, ["no_obs.h5ad", "obs"]
    yield {"input.file": "no_features.h5ad"}, ["X_pca", "no_features.h5ad"]
    yield {"input.joint": "obsm/X_pcb"}, ["obsm key 'X_pcb'", "X_pca"]
    yield {"input.time_key": "day"}, ["obs column 'day'", "available: ", "cell_type", "input.time_key"]
    yield {"input.annotation": "cell_typ"}, ["obs column 'cell_typ'", "nearest: cell_type", "input.annotation"]
    yield {"input.file": "nan.h5ad"}, ["nan.h5ad", "row 811", "column 3"]
    yield {"input.file": "loop.h5ad"}, ["cannot read", "loop.h5ad", "give the path of a readable file"]
    yield {"input.file": "no_columns.h5ad"}, ["obsm/X_pca of", "no_columns.h5ad has 0 columns", "input.joint"]
    yield {"input.embedding": "obsm/X_tsne"}, ["obsm key 'X_tsne'", "available: X_pca", "input.embedding"]
    yield {"input.file": "flat.h5ad", "input.embedding": "obsm/X_pca"}, ["has 1 columns", "input.embedding"]
    yield {"input.file": "one_time.h5ad"}, ["one time", "300"]
    yield {"input.file": "word_time.h5ad"}, ["soon", "word_time.h5ad"]
    yield {"input.file": "nan_time.h5ad"}, ["nan_time.h5ad", "time"]
    yield {"input.file": "rows.h5ad"}, ["rows.h5ad", "1800", "1805"]
    yield {"input.file": "few.h5ad", "hmot.mode": "unsupervised", "hmot.rank": 4}, ["300", "rank", "4"]
    yield {"input.file": "same_rows.h5ad", "hmot.mode": "unsupervised", "hmot.rank": 4}, ["distinct", "300"]
    yield {"input.file": "unlabelled.h5ad"}, ["unlabelled.h5ad", "cell_type"]
    yield {"input.file": "weights.h5ad", "input.weights": "embryo_time"}, ["row 9", "obs/embryo_time", "weights.h5ad"]
    yield {"input.file": "no_weights.h5ad", "input.weights": "embryo_time"}, ["all weights of time 420.0", "no_weights.h5ad"]
    yield {"output.key_prefix": "a/b"}, ["output.key_prefix", "slash"]
    yield {"input.weights": "cell_type"}, ["obs/cell_type", "number"]
    yield {"input.days": "[300, 333]"}, ["333"]
    yield {"input.days": "[300]"}, ["one time", "input.days"]
    yield {"input.time_key": "cell_type"}, ["cell_type", "input.days"]
    yield {"input.file": '["good.h5ad", "good.h5ad"]'}, ["2 files"]
    yield {"input.filter.cell_type": '["ADX"]'}, ["ADX"]
    yield {"hmot.mode": "unsupervised", "hmot.rank": 1000}, ["distinct cells", "1000"]
    yield {"hmot.mode": "unsupervised", "hmot.rank": "[3, 3]"}, ["hmot.rank", "2 entries"]
    yield {"hmot.mode": "transfer", "hmot.reference": '"299"'}, ["hmot.reference", "299"]
    yield {"hmot.mode": "transfer"}, ["hmot.reference"]
    yield {"input.annotation": '""'}, ["input.annotation"]


def table_cases():
    text_file("no_column.tsv", "from\tto\nADL\tADL\n")
    text_file("unknown.tsv", "source\ttarget\nADL\tADX\n")
    text_file("none.tsv", "source\ttarget\n")
    text_file("g.tsv", "type\tmass\nADL\t0.5\nASG\t0.3\n")
    text_file("negative.tsv", "type\tmass\nADL\t1.5\nASG\t-0.5\n")
    text_file("ragged.tsv", "source\ttarget\nADL\n")
    yield {"hmot.mask.'480:545'": '"missing.tsv"'}, ["missing.tsv", "No such file"]
    yield {"hmot.mask.'480:545'": '"."'}, ["Is a directory"]
    yield {"hmot.mask.'480:545'": '"no_column.tsv"'}, ["no_column.tsv", "source"]
    yield {"hmot.mask.'480:545'": '"unknown.tsv"'}, ["unknown.tsv", "ADX"]
    yield {"hmot.mask.'480:545'": '"ragged.tsv"'}, ["ragged.tsv"]
    yield {"hmot.mask.'480:545'": '"none.tsv"'}, ["480", "545"]
    yield {"hmot.mask.'480:700'": '"none.tsv"'}, ["'700' in hmot.mask", "620.0"]
    yield {"hmot.mask.'480:620'": '"none.tsv"'}, ["480:620"]
    yield {"hmot.mask.'480'": '"none.tsv"'}, ["480"]
    yield {"hmot.mode": "unsupervised", "hmot.fix.g.'480'": '"g.tsv"'}, ["g.tsv"]
    yield {"hmot.fix.g.'480'": '"negative.tsv"'}, ["negative.tsv"]
    yield {"hmot.fix.labels.'480'": '"obs/nothing"'}, ["nothing"]
    yield {"hmot.fix.labels.'481'": '"obs/cell_type"'}, ["481"]
    yield {"hmot.mode": "unsupervised", "hmot.rank": 3, "hmot.bounds.'480:545'": '"b.tsv"'}, ["hmot.bounds", "not available in this version"]


def sides_cases():
    """lowrank between 420 and 480."""
    yield {"input.days": "[]"}, ["6 times", "[source] and [target]"]
    yield {"source.weights": "embryo_time"}, ["input.days", "source.filter"]
    yield {"input.days": "[]", "target.file": "missing.h5ad"}, ["missing.h5ad", "not found"]
    yield {"input.days": "[]", "target.key": "X"}, ["19 columns", "30", "source.key"]
    yield {"lowrank.rank": "[4, 4, 4]"}, ["lowrank.rank has 3 entries"]
    yield {"lowrank.rank": "[4, 3]", "lowrank.form": "lot"}, ["lot", "one rank"]
    yield {"lowrank.g.source": '"g.tsv"'}, ["g.tsv", "ADL"]
    yield {"lowrank.mask": '"missing.tsv"'}, ["missing.tsv", "No such file"]


def main():
    write_inputs()
    job = session.job("base", "hmot", hmot)
    pair = session.job("pair", "lowrank", {"input": {**hmot["input"], "days": [420, 480]}, "lowrank": {"rank": 4}})
    cases = [("hmot", job, *case) for case in [*data_cases(), *session.some(table_cases(), every=4)]]
    cases += [("lowrank", pair, *case) for case in session.some(sides_cases(), every=4)]

    def refused(number):
        command, job, settings, texts = cases[number]
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        session.refused(session.run(command, job, "--out", f"out{number}", *words), 2, *texts, result=f"out{number}")

    session.in_parallel(refused, range(len(cases)))
    return session.finish()


sys.exit(main())
