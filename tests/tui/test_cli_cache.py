"""The cache of analyses: the same bytes with and without it, files known by what they hold, damage
and trouble of every kind without harm, its list and its end."""

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import time
import unittest

import numpy as np

from program_test import R2M, SOURCE, ProgramTest

ANALYZE = ["analyze", *SOURCE, "--json", "--spectra"]
STRETCH = 5000  # an element of a large tensor that no sample looks at


class CacheTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.file = self.cache / "analysis.sqlite"

    def cached(self, *arguments, **more):
        return self.good(*arguments, "--cache", self.cache, **more)

    def analyses(self):
        return self.json("cache", "--json", "--cache", self.cache)["analyses"]

    def records(self):
        return sum(one["records"] for one in self.analyses())


class Results(CacheTest):
    def test_the_same_bytes(self):
        fresh = self.good(*ANALYZE)
        self.assertEqual(self.cached(*ANALYZE), fresh)
        count = self.records()
        self.assertGreater(count, 20)
        self.assertEqual(self.cached(*ANALYZE, "--threads", "8"), fresh)
        self.assertEqual(self.records(), count)
        for run in ([], ["--cache", self.cache], ["--cache", self.cache]):
            self.good("merge", *SOURCE, "-o", "out.safetensors", "--force", *run)
            merged = (self.folder / "out.safetensors").read_bytes()
            self.assertEqual(merged, getattr(self, "merged", merged))
            self.merged = merged

    def test_other_settings_are_other_numbers(self):
        self.cached(*ANALYZE)
        for setting in ("real.center=true", "real.normalize=true", "residual.against=projection",
                        "keys.exclude=blocks.*", "real.rank=2"):
            other = [*ANALYZE, "--set", setting]
            self.assertEqual(self.cached(*other), self.good(*other), setting)
            self.assertEqual(self.cached(*other), self.good(*other), setting)

    def test_the_base_is_no_residual(self):
        """The residual of one specialist alone is 0; the screen's spectrum of the base is not that."""
        alone = SOURCE[:3]
        (self.folder / "base.script").write_text(":wait\nkeys: t t\n:wait\n:quit\n")
        self.cached("tui", *alone, "--script", "base.script")
        fresh = self.good("analyze", *alone, "--json", "--spectra")
        self.assertEqual(self.cached("analyze", *alone, "--json", "--spectra"), fresh)

    def test_a_head_that_was_a_matrix(self):
        """The head's values are looked at, not its products: neither stands for the other."""
        for setting in ("keys.head=blocks.2.*", "keys.head=head.*"):
            other = [*ANALYZE, "--set", setting]
            self.assertEqual(self.cached(*other), self.good(*other), setting)

    def test_one_more_specialist(self):
        two = ["analyze", *SOURCE[:4], "--json", "--spectra"]
        self.cached(*two)
        before = self.records()
        self.assertEqual(self.cached(*ANALYZE), self.good(*ANALYZE))
        added = self.records() - before
        self.assertEqual(len(self.analyses()), 2)
        shutil.rmtree(self.cache)
        self.cached(*ANALYZE)
        layers = 6  # that are shared; two specialists have three products in each, heads two
        self.assertEqual(self.records() - added, 3 * layers + 2)

    def test_many_at_once(self):
        fresh = self.good(*ANALYZE)
        runs = [subprocess.Popen([R2M, *ANALYZE, "--cache", self.cache], cwd=self.folder, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE) for _ in range(6)]
        for run in runs:
            text, complaint = run.communicate()
            self.assertEqual((run.returncode, text, complaint), (0, fresh, ""))
        with sqlite3.connect(self.file) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_weights_that_are_not_finite_stay_refused(self):
        tensors = self.specialist(2)
        tensors["head.weight"][1, 3] = np.nan
        self.write("fs", tensors)
        for _ in range(2):
            done = self.run_program(*ANALYZE, "--cache", self.cache)
            self.assertEqual(done.returncode, 1)
            self.assertIn("tensor head.weight: 1 of 32 values NaN", done.stderr)


class Identity(CacheTest):
    """Files with a tensor so large that only a sample of it is looked at."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(7)
        self.large = {name: random.standard_normal((100, 90)).astype(np.float32) for name in "abc"}
        for name in self.large:
            self.write(name, {"large.weight": self.large[name]})
        self.source = ["analyze", "--json", "--spectra", "--base", "a.safetensors", "s=b.safetensors",
                       "t=c.safetensors"]

    def change(self, name):
        self.large["b"].flat[STRETCH] += 1
        self.write(name, {"large.weight": self.large["b"]})

    def test_a_copy_is_the_same_file(self):
        first = self.cached(*self.source)
        count = self.records()
        os.rename(self.folder / "b.safetensors", self.folder / "moved.safetensors")
        moved = [word.replace("b.saf", "moved.saf") for word in self.source]
        self.assertEqual(self.cached(*moved).replace("moved.saf", "b.saf"), first)
        self.assertEqual(self.records(), count)

    def test_a_file_that_was_written_to(self):
        self.cached(*self.source)
        self.change("b")
        self.assertEqual(self.cached(*self.source), self.good(*self.source))

    def test_verify_reads_all_bytes(self):
        first = self.cached(*self.source)
        self.change("d")
        copied = [word.replace("b.saf", "d.saf") for word in self.source]
        fresh = self.good(*copied)
        self.assertNotEqual(fresh.replace("d.saf", "b.saf"), first)
        self.assertEqual(self.cached(*copied, "--cache-verify"), fresh)
        self.assertEqual(self.cached(*copied), fresh)  # known by now

    def test_a_sample_may_be_the_same(self):
        """What --cache-verify is for, and the proof that the cache is used."""
        first = self.cached(*self.source)
        self.change("d")
        copied = [word.replace("b.saf", "d.saf") for word in self.source]
        self.assertEqual(self.cached(*copied).replace("d.saf", "b.saf"), first)


class Interrupted(CacheTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        layers = {f"m.{i}.weight": (400, 300) for i in range(40)}
        for name in ("base", "fs", "efs", "fr"):
            self.write(name, {layer: random.standard_normal(shape).astype(np.float32)
                              for layer, shape in layers.items()})

    def kept(self):
        if not self.file.exists():
            return 0
        try:
            with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as database:
                return database.execute("SELECT count(*) FROM record").fetchone()[0]
        except sqlite3.OperationalError:  # its tables are being made
            return 0

    def test_a_killed_analysis_goes_on(self):
        process = subprocess.Popen([R2M, *ANALYZE, "--threads", "1", "--cache", self.cache],
                                   cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.kept() == 0 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.wait()
        before = self.kept()
        self.assertGreater(before, 0)
        self.assertEqual(self.cached(*ANALYZE), self.good(*ANALYZE))
        self.assertEqual(self.records(), 40 * 6 + 40 * 3)  # none was computed twice


class Trouble(CacheTest):
    def warned(self, *words, **more):
        """The right numbers, and a warning with these words."""
        done = self.run_program(*ANALYZE, "--cache", self.cache, **more)
        self.assertEqual((done.returncode, done.stdout), (0, self.good(*ANALYZE)))
        for word in ("r2m: warning: ", *words):
            self.assertIn(word, done.stderr)
        quiet = self.run_program(*ANALYZE, "--cache", self.cache, "--quiet", **more)
        self.assertEqual(quiet.stderr, "")

    def test_no_database(self):
        self.cache.mkdir()
        for content in (b"not a database " * 1000, b"SQLite format 3\0" + bytes(5000)):
            self.file.write_bytes(content)
            self.warned("analysis.sqlite", "damaged", "r2m cache clear --force")
            self.assertEqual(self.file.read_bytes(), content)
            self.refused(1, "cache", "--cache", self.cache, says=["damaged"])
            self.refused(1, "cache", "clear", "--cache", self.cache, says=["damaged"])
            self.good("cache", "clear", "--force", "--cache", self.cache)
            self.assertFalse(self.file.exists())

    def test_troubles_are_told_in_words_of_the_program(self):
        """Each with the file and what to do; SQLite's words are about its insides."""
        self.cached(*ANALYZE)
        with contextlib.closing(sqlite3.connect(self.file)) as database:
            database.execute("DROP TABLE record")
        self.warned("analysis.sqlite: damaged", "r2m cache clear --force")
        self.file.unlink()
        self.file.mkdir()
        self.warned("analysis.sqlite: cannot be opened", "--cache DIR")

    def test_a_cut_one(self):
        self.cached(*ANALYZE)
        whole = self.file.read_bytes()
        fresh = self.good(*ANALYZE)
        for size in (0, 1, 50, 100, 4095, 4096, 8192, len(whole) // 2, len(whole) - 1):
            self.file.write_bytes(whole[:size])
            self.assertEqual(self.cached(*ANALYZE), fresh, size)

    def test_flipped_bytes(self):
        self.cached(*ANALYZE)
        whole = self.file.read_bytes()
        fresh = self.good(*ANALYZE)
        random = np.random.default_rng(5)
        for _ in range(25):
            damaged = np.frombuffer(whole, np.uint8).copy()
            damaged[random.integers(0, len(whole), 40)] ^= random.integers(1, 256, 40).astype(np.uint8)
            self.file.write_bytes(damaged.tobytes())
            self.assertEqual(self.cached(*ANALYZE), fresh)

    def test_somebody_elses_database(self):
        self.cache.mkdir()
        with sqlite3.connect(self.file) as database:
            database.execute("CREATE TABLE mine(text)")
        before = self.file.read_bytes()
        self.warned("not a cache of r2m")
        self.assertEqual(self.file.read_bytes(), before)

    def test_no_folder(self):
        self.cache.write_text("a file")
        self.warned("cache", "folder")

    def test_a_full_disk(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (40960, 40960))
        self.warned("analysis.sqlite: ", "the cache is not written", "ulimit -f", preexec_fn=limit)

    def test_a_small_size(self):
        done = self.run_program(*ANALYZE, "--cache", self.cache, "--cache-size", "30K")
        self.assertEqual((done.returncode, done.stdout), (0, self.good(*ANALYZE)))
        self.assertIn("--cache-size", done.stderr)

    def test_the_screen_says_so(self):
        self.cache.mkdir()
        self.file.write_bytes(b"not a database " * 1000)
        script = self.folder / "script"
        script.write_text(":wait\n:screendump screen.txt\nkeys: q\n")
        done = self.run_program("tui", *SOURCE, "--script", script, "--cache", self.cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("damaged", done.stderr)
        self.assertIn("attn", (self.folder / "screen.txt").read_text())


class Command(CacheTest):
    def test_list_and_clear(self):
        self.assertEqual(self.analyses(), [])
        self.assertFalse(self.cache.exists())  # looking makes nothing
        self.cached(*ANALYZE)
        self.cached("analyze", *SOURCE[:4])
        first, second = self.analyses()
        self.assertTrue(second["base"].endswith("/base.safetensors"))
        self.assertEqual(second["specialists"].count(".safetensors"), 3)
        self.assertEqual(first["specialists"].count(".safetensors"), 2)
        self.assertGreater(first["bytes"], 0)
        listed = self.good("cache", "list", "--cache", self.cache)
        self.assertEqual(len(listed.splitlines()), 3)
        self.assertIn("efs.safetensors", listed)
        self.good("cache", "clear", "--cache", self.cache)
        self.assertEqual(self.analyses(), [])
        self.cached(*ANALYZE)
        self.assertEqual(len(self.analyses()), 1)

    def test_clearing_waits_for_who_writes(self):
        self.cached(*ANALYZE)
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            clearing = subprocess.Popen([R2M, "cache", "clear", "--cache", self.cache],
                                        stderr=subprocess.PIPE, text=True)
            time.sleep(0.5)
            writer.execute("COMMIT")
            self.assertEqual(clearing.communicate(), (None, ""))
        self.assertEqual(clearing.returncode, 0)
        self.assertEqual(self.analyses(), [])

    def test_where_it_is(self):
        def has(folder, **env):
            self.good("analyze", *SOURCE, env={"R2M_CACHE": "", "XDG_CACHE_HOME": "", **env})
            self.assertTrue((self.folder / folder / "analysis.sqlite").exists())
        has(".cache/r2m")
        has("xdg/r2m", XDG_CACHE_HOME=str(self.folder / "xdg"))
        has("mine", R2M_CACHE="mine")
        shutil.rmtree(self.folder / "mine")
        self.good("analyze", *SOURCE, "--cache", "none", env={"R2M_CACHE": "mine"})
        self.assertFalse((self.folder / "mine").exists())

    def test_wrong_use(self):
        self.refused(2, "cache", "empty", says=["list", "clear"])
        self.refused(2, "cache", "list", "clear", says=["one word"])
        self.refused(2, "cache", "--cache", "none", says=["--cache"])
        self.refused(1, "cache", "--cache", "fs.safetensors", says=["fs.safetensors", "a folder"])
        self.refused(2, *ANALYZE, "--cache-size", "big", says=["--cache-size", "2G"])


if __name__ == "__main__":
    unittest.main()
