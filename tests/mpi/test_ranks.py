"""Several ranks under mpirun: the bytes of one process, and an end for all when one fails. Skipped
for a program without MPI (make check-mpi has one)."""

import json
import os
import shutil
import signal
import subprocess
import unittest

import numpy as np

from program_test import R2M, SOURCE, ProgramTest

HAS_MPI = "+mpi" in subprocess.run([R2M, "--version"], capture_output=True, text=True).stdout
HAS_LAUNCHER = shutil.which("mpirun") is not None
ENV = {**os.environ, "LC_ALL": "C.UTF-8", "OMPI_ALLOW_RUN_AS_ROOT": "1",
       "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
SHARDS = ["--set", "output.shard_bytes=2000"]
LONG = ["--base", "base.safetensors", "one.safetensors", "two.safetensors"]


def mpirun(count, *arguments):
    return ["mpirun", "-np", str(count), "--oversubscribe", "--bind-to", "none", R2M,
            *map(str, arguments), "--threads", "1"]


class RanksTest(ProgramTest):
    def together(self, count, *arguments, **more):
        return subprocess.run(mpirun(count, *arguments), cwd=self.folder, env=ENV, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, **more)

    def good_together(self, count, *arguments):
        done = self.together(count, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def fails_together(self, count, code, *arguments, says=(), **more):
        """All end, with one message of ours, and leave nothing."""
        before = self.files()
        done = self.together(count, *arguments, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        complaints = [line for line in done.stderr.splitlines() if line.startswith("r2m: ")]
        for word in says:
            self.assertEqual("\n".join(complaints).count(word), 1, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.files(), before)

    def content(self, name):
        path = self.folder / name
        if path.is_dir():
            return {file.name: file.read_bytes() for file in path.iterdir()}
        return path.read_bytes()

    def long_work(self):
        """Files on which the merge takes a while."""
        random = np.random.default_rng(7)
        weights = [random.standard_normal((320, 320)).astype(np.float32) for _ in range(3)]
        for name, weight in zip(("base", "one", "two"), weights):
            self.write(name, {f"layers.{i}.weight": np.roll(weight, i) for i in range(40)})


@unittest.skipUnless(HAS_MPI and HAS_LAUNCHER, "a program with MPI, and mpirun, are needed")
class SameAsOneProcess(RanksTest):
    def test_analysis(self):
        analyze = ["analyze", *SOURCE, "--json", "--spectra"]
        expected = self.good(*analyze)
        self.assertTrue(json.loads(expected)["layers"])
        for count in (1, 2, 3):
            self.assertEqual(self.good_together(count, *analyze), expected)

    def test_one_cache(self):
        """Written by all ranks at once, read by them and by one process."""
        analyze = ["analyze", *SOURCE, "--json", "--spectra"]
        alone = self.good(*analyze)
        for count in (3, 2):
            self.assertEqual(self.good_together(count, *analyze, "--cache", "cache"), alone)
        self.assertEqual(self.good(*analyze, "--cache", "cache"), alone)
        self.assertEqual(len(self.json("cache", "--json", "--cache", "cache")["analyses"]), 1)

    def test_analysis_into_a_file(self):
        expected = self.good("analyze", *SOURCE)
        self.assertEqual(self.good_together(2, "analyze", *SOURCE, "-o", "table"), "")
        self.assertEqual((self.folder / "table").read_text(), expected)

    def test_merge(self):
        kinds = {".safetensors": [], ".pth": [], "/": SHARDS, "-one/": []}
        for ending, more in kinds.items():
            merge = ["merge", *SOURCE, *more]
            self.good(*merge, "-o", "alone" + ending)
            expected = self.content("alone" + ending)
            if ending == "/":
                self.assertGreater(len(expected), 4)
            for count in (2, 3):
                name = f"{count}{ending}"
                with self.subTest(name):
                    output = self.good_together(count, *merge, "-o", name)
                    self.assertEqual(output.count("sha256"), 1)
                    self.assertEqual(self.content(name), expected)
        self.assertFalse(list(self.folder.rglob("*.r2m-part")))

    def test_methods_and_rules(self):
        settings = [["method=ties"], ["method=tsv_m"], ["residual.rank.energy=0.8"],
                    ["residual.rank.full=true", "norm_match=none"], ["norm_match=layer"]]
        for i, values in enumerate(settings):
            merge = ["merge", *SOURCE, *[word for value in values for word in ("--set", value)]]
            self.good(*merge, "-o", f"alone{i}.safetensors")
            self.good_together(2, *merge, "-o", f"two{i}.safetensors")
            self.assertEqual(self.content(f"two{i}.safetensors"),
                             self.content(f"alone{i}.safetensors"), values)

    def test_adapters(self):
        adapters = ["merge", *SOURCE, "--adapters", "-o"]
        self.good(*adapters, "alone")
        self.good_together(2, *adapters, "two")
        written = sorted((self.folder / "alone").rglob("*.*"))
        self.assertGreater(len(written), 3)
        for path in written:
            other = self.folder / "two" / path.relative_to(self.folder / "alone")
            self.assertEqual(other.read_bytes(), path.read_bytes())

    def test_more_ranks_than_tensors(self):
        for name in ("base", "fs"):
            self.write(name, {"w": np.eye(5, dtype=np.float32) * (2 + len(name))})
        merge = ["merge", "--base", "base.safetensors", "fs.safetensors"]
        self.good(*merge, "-o", "alone.safetensors")
        self.good_together(3, *merge, "-o", "three.safetensors")
        self.assertEqual(self.content("three.safetensors"), self.content("alone.safetensors"))

    def test_estimate_and_json(self):
        merge = ["merge", *SOURCE, "-o", "out.safetensors", "--json"]
        self.assertEqual(json.loads(self.good_together(2, *merge, "--dry-run"))["tensors"], 7)
        self.assertFalse((self.folder / "out.safetensors").exists())
        told = json.loads(self.good_together(2, *merge))
        self.assertEqual(told["bytes"], len(self.content("out.safetensors")))


@unittest.skipUnless(HAS_MPI and HAS_LAUNCHER, "a program with MPI, and mpirun, are needed")
class Failures(RanksTest):
    def test_bad_tensor(self):
        bad = self.specialist(2)
        for name in ("blocks.0.attn.weight", "conv.weight"):  # two tensors: of two ranks
            bad[name] = bad[name].copy()
            bad[name].flat[5] = np.nan
        self.write("fs", bad)
        self.fails_together(2, 1, "merge", *SOURCE, "-o", "out/", *SHARDS,
                            says=["tensor blocks.0.attn.weight: 1 of", "tensor conv.weight: 1 of"])

    def test_overflow_in_one_rank(self):
        huge = self.specialist(2)
        huge["norm.weight"] = np.full(16, 7e4, np.float32)
        self.write("fs", huge)
        self.fails_together(3, 1, "merge", "--base", "base.safetensors", "fs.safetensors", "-o",
                            "out.safetensors", "--set", "output.dtype=f16",
                            says=["tensor norm.weight: element"])

    def test_wrong_use(self):
        self.fails_together(2, 2, "merge", *SOURCE, says=["-o OUT is missing"])
        self.fails_together(2, 2, "tui", *SOURCE, says=["runs alone"])
        self.fails_together(2, 2, "plot", *SOURCE, "-o", "figures", says=["runs alone"])
        self.fails_together(2, 1, "analyze", "--base", "none.safetensors", "fs.safetensors",
                            says=["none.safetensors"])

    def test_output_that_cannot_be_written(self):
        (self.folder / "out.safetensors").write_text("there")
        self.fails_together(2, 1, "merge", *SOURCE, "-o", "out.safetensors", says=["file exists"])
        self.fails_together(2, 1, "merge", *SOURCE, "-o", "nowhere/out.safetensors",
                            says=["the folder nowhere"])

    def test_ranks_with_other_files(self):
        """Each rank in a folder of its own, as if the file system were not shared."""
        for rank in ("0", "1"):
            (self.folder / rank).mkdir()
            for name in ("base", "fs", "efs", "fr"):
                shutil.copy(self.folder / f"{name}.safetensors", self.folder / rank)
        os.replace(self.folder / "fs.safetensors", self.folder / "1" / "fr.safetensors")
        script = 'cd $OMPI_COMM_WORLD_RANK && exec "$0" "$@"'
        done = subprocess.run(["mpirun", "-np", "2", "--oversubscribe", "sh", "-c", script, R2M,
                               "analyze", *SOURCE], cwd=self.folder, env=ENV, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("r2m: rank 1 has other inputs than the first rank", done.stderr)

    def start_until_written(self, count, ranks, name, *more):
        """A merge under way: that many tensors are finished. Returns it and its ranks' ids."""
        process = subprocess.Popen(mpirun(ranks, "merge", *LONG, "-o", name, *more),
                                   cwd=self.folder, env=ENV, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        while sum(path.stat().st_size > 79 + 16 * count
                  for path in self.folder.glob("*.journal*")) < ranks:
            with self.assertRaises(subprocess.TimeoutExpired, msg="it ended undisturbed"):
                process.wait(0.001)
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
            return process, [int(pid) for pid in children.read().split()]

    def only_temporary(self, before):
        for path in set(self.files()) - set(before):
            self.assertIn(".r2m-part", path)

    def test_killed_rank_and_resume(self):
        self.long_work()
        for name, more in (("out.safetensors", []), ("out/", ["--set", "output.shard_bytes=900000"])):
            with self.subTest(name):
                self.good("merge", *LONG, "-o", "alone-" + name, *more)
                expected = self.content("alone-" + name)
                before = self.files()
                process, ranks = self.start_until_written(1, 2, name, *more)
                os.kill(ranks[1], signal.SIGKILL)
                _, complaint = process.communicate()
                self.assertNotEqual(process.returncode, 0)
                self.assertIn("signal 9", complaint)
                self.only_temporary(before)
                for count in (3, 2):  # the rest with other ranks, and once more from the end
                    output = self.good_together(count, "merge", *LONG, "-o", name, *more,
                                                "--resume", *(["--force"] if count == 2 else []))
                    if count == 3:
                        self.assertIn("were there from the interrupted merge", output)
                    self.assertEqual(self.content(name), expected)
                self.assertFalse(list(self.folder.rglob("*.r2m-part")))

    def test_one_process_goes_on_with_what_ranks_left(self):
        self.long_work()
        self.good("merge", *LONG, "-o", "alone.pth")
        process, ranks = self.start_until_written(1, 3, "out.pth")
        for rank in ranks:
            os.kill(rank, signal.SIGKILL)
        process.communicate()
        self.assertIn("were there", self.good("merge", *LONG, "-o", "out.pth", "--resume"))
        self.assertEqual(self.content("out.pth"), self.content("alone.pth"))
        self.assertFalse(list(self.folder.rglob("*.r2m-part")))

    def test_interrupted(self):
        self.long_work()
        before = self.files()
        process, ranks = self.start_until_written(1, 2, "out.safetensors")
        os.kill(ranks[1], signal.SIGTERM)
        _, complaint = process.communicate()
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(complaint.count("r2m: out.safetensors: stopped; what is finished is kept"),
                         1, complaint)
        self.only_temporary(before)
        self.assertIn("were there", self.good_together(2, "merge", *LONG, "-o", "out.safetensors",
                                                       "--resume"))


class WithoutMpi(RanksTest):
    @unittest.skipIf(HAS_MPI, "this program has MPI")
    def test_started_by_mpirun(self):
        done = self.run_program("analyze", *SOURCE, env={"OMPI_COMM_WORLD_SIZE": "2"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("built without MPI", done.stderr)
        self.assertIn("make MPI=1", done.stderr)
        self.good("analyze", *SOURCE, env={"OMPI_COMM_WORLD_SIZE": "1"})


if __name__ == "__main__":
    unittest.main()
