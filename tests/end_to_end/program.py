"""The program as a user runs it: jobs, results, refusals. Usage: program.py THALWEG RANKS [unittest arguments]

RANKS > 1 starts it under mpirun. Needs numpy and h5py (build/venv) for damaged files; those tests skip without.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

try:
    import h5py
except ImportError:
    h5py = None

root = Path(__file__).parents[2]
demo_data = root / "jobs" / "data" / "celegans_amphid.h5ad"
program, ranks = sys.argv[1], int(sys.argv[2])


def command(arguments, num_ranks=None):
    num_ranks = num_ranks or ranks
    launcher = ["mpirun", "-n", str(num_ranks)] if num_ranks > 1 else []
    return launcher + [program] + [str(argument) for argument in arguments]


def run(*arguments, timeout=60, num_ranks=None, text=None, **options):
    return subprocess.run(command(arguments, num_ranks), input=text if text is not None else "", capture_output=True,
                          text=True, timeout=timeout, **options)


def error_lines(done):
    return [line for line in done.stderr.splitlines() if line.startswith("error:")]


def job_text(folder, file=demo_data, mode="supervised", more="", hmot=""):
    return f"""command = "hmot"
[input]
file = "{file}"
time_key = "time"
annotation = "cell_type"
{more}
[hmot]
mode = "{mode}"
{hmot}
[output]
dir = "{folder}/out"
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="thalweg_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def job(self, **parts):
        path = self.folder / "job.toml"
        path.write_text(job_text(self.folder, **parts))
        return path

    def damaged(self, change):
        if h5py is None:
            self.skipTest("h5py is not installed")
        path = self.folder / "damaged.h5ad"
        shutil.copy(demo_data, path)
        path.chmod(0o644)
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    def refused(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        lines = error_lines(done)
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertFalse((self.folder / "out" / "result.h5ad").exists())
        self.assertEqual(list(self.folder.rglob("*.tmp")), [])


class Results(Case):
    def test_demo_writes_whole_results(self):
        done = run("hmot", root / "jobs" / "demo.toml", "--out", self.folder / "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        record = json.loads((self.folder / "out" / "run.json").read_text())
        self.assertEqual(record["exit_code"], 0)
        self.assertEqual(record["stop_reasons"], {"hmot": "converged"})
        for name in record["checksums"]:
            self.assertTrue((self.folder / "out" / name).exists(), name)
        for plot in (self.folder / "out" / "plots").glob("*.svg"):
            xml.etree.ElementTree.parse(plot)
        for line in (self.folder / "out" / "log.jsonl").read_text().splitlines():
            json.loads(line)
        self.assertEqual(list(self.folder.rglob("*.tmp")), [])
        self.assertEqual(run("inspect", "--verify", self.folder / "out" / "result.h5ad", num_ranks=1).returncode, 0)
        if ranks == 1 and h5py is not None:
            judged = subprocess.run([sys.executable, root / "tests" / "python" / "judge_demo.py", self.folder / "out"],
                                    capture_output=True, text=True)
            self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)

    def test_tables_have_the_same_bytes_on_any_number_of_ranks(self):
        def digest(folder):
            tables = sorted((folder / "tables").glob("*.tsv"))
            self.assertTrue(tables)
            return [(table.name, hashlib.sha256(table.read_bytes()).hexdigest()) for table in tables]

        for num_ranks in (1, ranks):
            out = self.folder / f"ranks{num_ranks}"
            done = run("hmot", self.job(mode="unsupervised", hmot="rank = 5"), "--out", out, num_ranks=num_ranks)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(digest(self.folder / "ranks1"), digest(self.folder / f"ranks{ranks}"))

    def test_modes_and_constraints(self):
        (self.folder / "forbid.tsv").write_text("source\ttarget\nADL_parent\tAWC\n")
        mask = 'mask.mode = "forbid"\nmask."300:360" = "forbid.tsv"\n'
        for mode, hmot in (("transfer", "reference = \"480\""), ("cocluster", "rank = 4"), ("supervised", mask),
                           ("unsupervised", "rank = [3, 4, 5, 4, 3, 3]\ncost = \"cosine\"\nwrite_q = true")):
            with self.subTest(mode=mode):
                done = run("hmot", self.job(mode=mode, hmot=hmot), "--out", self.folder / mode)
                self.assertEqual(done.returncode, 0, done.stderr)
        rows = (self.folder / "supervised" / "tables" / "edges.tsv").read_text().splitlines()[1:]
        cells = [row.split("\t") for row in rows]
        forbidden = [row[4] for row in cells if row[:4] == ["300.0", "360.0", "ADL_parent", "AWC"]]
        self.assertEqual(forbidden, ["0"])

    def test_lowrank_between_two_sides(self):
        text = f"""command = "lowrank"
[source]
file = "{demo_data}"
filter = {{time = ["300"]}}
[target]
file = "{demo_data}"
filter = {{time = ["360"]}}
[input]
file = "{demo_data}"
[lowrank]
rank = 4
form = "lot"
[output]
dir = "{self.folder}/out"
"""
        done = run("lowrank", "-", text=text, num_ranks=1)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("result_source.h5ad", "result_target.h5ad", "tables/T.tsv"):
            self.assertTrue((self.folder / "out" / name).exists(), name)

    def test_simulated_types_are_found(self):
        job = self.folder / "simulate.toml"
        job.write_text(f'[simulate]\nmodel = "tristable"\n[output]\ndir = "{self.folder}/sim"\n')
        self.assertEqual(run("simulate", job).returncode, 0)
        text = f"""[input]
file = "{self.folder}/sim/simulation.h5ad"
time_key = "time"
joint = "obsm/X_sim"
annotation = "fate"
[hmot]
rank = 3
[output]
dir = "{self.folder}/out"
"""
        (self.folder / "job.toml").write_text(text)
        done = run("hmot", self.folder / "job.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [row.split("\t") for row in (self.folder / "out" / "tables" / "scores.tsv").read_text().splitlines()]
        last = [row for row in rows if row[0] == "ml"][-1]
        self.assertGreater(float(last[2]), 0.9)  # the wells are far apart at the last time


class ExitCodes(Case):
    def test_four_when_iterations_run_out_and_zero_when_allowed(self):
        job = self.job(mode="unsupervised", hmot="rank = 5\nmax_iterations = 3")
        self.assertEqual(run("hmot", job).returncode, 4)
        self.assertEqual(run("hmot", job, "--set", "solver.allow_unconverged=true", "--out", self.folder / "b").returncode, 0)

    def test_three_when_memory_is_short_and_nothing_is_left_behind(self):
        done = run("hmot", self.job(), "--set", "run.memory_gib=1e-4")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_five_when_stopped_with_feasible_results(self):
        done = run("hmot", self.job(mode="unsupervised", hmot="rank = 8"), "--set", "run.stop_after_iterations=5")
        self.assertEqual(done.returncode, 5, done.stderr)
        record = json.loads((self.folder / "out" / "run.json").read_text())
        self.assertEqual(record["stop_reasons"], {"hmot": "interrupted"})

    def test_two_for_the_results_of_another_job(self):
        self.assertEqual(run("hmot", self.job()).returncode, 0)
        done = run("hmot", self.job(mode="unsupervised"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("output.overwrite", done.stderr)
        self.assertEqual(run("hmot", self.job(mode="unsupervised"), "--set", "output.overwrite=true").returncode, 0)


class BadInput(Case):
    def test_files_that_cannot_be_read(self):
        text = self.folder / "text.h5ad"
        text.write_text("cells\n")
        empty = self.folder / "empty.h5ad"
        empty.write_text("")
        for file in (self.folder / "none.h5ad", self.folder, text, empty):
            with self.subTest(file=file):
                self.refused(run("hmot", self.job(file=file)), 2, str(file))

    def test_truncated_files(self):
        data = demo_data.read_bytes()
        for share in (1, 10, 50, 90, 99):
            with self.subTest(share=share):
                path = self.folder / "cut.h5ad"
                path.write_bytes(data[:len(data) * share // 100])
                self.refused(run("hmot", self.job(file=path)), 2, "cut.h5ad")

    def test_missing_keys_list_what_there_is(self):
        self.refused(run("hmot", self.job(), "--set", "input.time_key=day"), 2, "day", "available", "cell_type")
        self.refused(run("hmot", self.job(), "--set", "input.joint=obsm/X_pac"), 2, "X_pac", "X_pca")
        self.refused(run("hmot", self.job(), "--set", "input.annotation=type"), 2, "type", "cell_type")

    def test_non_finite_features_name_the_first_row(self):
        def change(file):
            file["obsm/X_pca"][7, 3] = float("nan")
        self.refused(run("hmot", self.job(file=self.damaged(change))), 2, "X_pca", "row 7", "column 3")

    def test_times(self):
        self.refused(run("hmot", self.job(more="days = [300]")), 2, "one time point")
        self.refused(run("hmot", self.job(), "--set", "input.time_key=cell_type"), 2, "input.days")
        self.refused(run("hmot", self.job(more="days = [300, 301]")), 2, "301")

    def test_more_types_than_cells(self):
        self.refused(run("hmot", self.job(mode="unsupervised", hmot="rank = 1000")), 2, "distinct cells")

    def test_infeasible_mask_names_the_cut(self):
        (self.folder / "mask.tsv").write_text("source\ttarget\nADL_parent\tAWC\n")
        done = run("hmot", self.job(hmot='mask."300:360" = "mask.tsv"'))
        self.refused(done, 2, "mask of 300.0:360.0 is infeasible", "Neuroblast_ASG_AWA")

    def test_job_files(self):
        for text, words in ((job_text(self.folder, hmot="rankk = 3"), ("job.toml:9:1", "rankk", "did you mean")),
                            (job_text(self.folder, hmot='rank = "many"'), ("job.toml:9:", "rank")),
                            (job_text(self.folder, hmot="rank = [3"), ("job.toml:1", )),
                            (job_text(self.folder, hmot="alpha = 0.5"), ("job.toml:9:", "alpha", "version"))):
            with self.subTest(words=words):
                (self.folder / "job.toml").write_text(text)
                self.refused(run("hmot", self.folder / "job.toml"), 2, *words)
        self.refused(run("hmot", self.folder / "none.toml"), 2, "none.toml")

    def test_places_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        done = run("hmot", self.job(), "--out", self.folder / "file" / "out")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(error_lines(done)), 1, done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
    def test_full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("tmpfs cannot be mounted")
        try:
            done = run("hmot", self.job(), "--out", disk / "out")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(len(error_lines(done)), 1, done.stderr)
            self.assertFalse((disk / "out" / "result.h5ad").exists())
            self.assertEqual(list(disk.rglob("*.tmp")), [])
        finally:
            subprocess.run(["umount", disk], check=True)

    @unittest.skipUnless(ranks > 1, "needs several ranks")
    def test_a_killed_rank_ends_the_others(self):
        job = self.job(mode="unsupervised", hmot="rank = 30\nrestarts = 500")
        started = subprocess.Popen(command(["hmot", job]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5)
        children = subprocess.run(["pgrep", "-P", str(started.pid)], capture_output=True, text=True).stdout.split()
        self.assertTrue(children)
        os.kill(int(children[-1]), signal.SIGKILL)
        self.assertNotEqual(started.wait(timeout=20), 0)
        self.assertFalse((self.folder / "out" / "result.h5ad").exists())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
