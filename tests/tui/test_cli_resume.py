"""A merge that is killed or interrupted and gone on with: nothing under the final name before the
end, and the bytes of a merge that was never disturbed."""

import os
import signal
import subprocess
import unittest

import numpy as np

from program_test import R2M, ProgramTest

SIDE, LAYERS = 320, 10
SOURCE = ["--base", "base.safetensors", "one.safetensors", "two.safetensors"]
SHARDS = ["--set", "output.shard_bytes=1000000"]  # two tensors each
OUTPUTS = {"file": ("out.safetensors", []), "torch": ("out.pth", []), "folder": ("out/", SHARDS)}
HEAD_BYTES, RECORD_BYTES = 79, 16  # of the journal


def take_signals():
    """Whatever the tests were started under ignores, as nohup does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Resume(ProgramTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(7)
        weights = [random.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(3)]
        for name, weight in zip(("base", "one", "two"), weights):
            self.write(name, {f"layers.{i}.weight": np.roll(weight, i) for i in range(LAYERS)})
        self.inputs = self.files()

    def merge(self, name, *more):
        return ["merge", *SOURCE, "-o", name, "--threads", "1", *more]

    def content(self, name):
        """Bytes of the output, of a folder those of its files by name."""
        path = self.folder / name
        if path.is_dir():
            return {file.name: file.read_bytes() for file in path.iterdir()}
        return path.read_bytes()

    def undisturbed(self, name, more):
        """What the merge gives, which is then removed."""
        self.good(*self.merge(name, *more))
        content = self.content(name)
        self.remove(name)
        self.assertEqual(self.files(), self.inputs)
        return content

    def remove(self, name):
        path = self.folder / name
        for file in path.iterdir() if path.is_dir() else [path]:
            file.unlink()
        if path.is_dir():
            path.rmdir()

    def journal(self, name):
        return self.folder / (name.rstrip("/") + ".journal.r2m-part")

    def records(self, name):
        try:
            return (self.journal(name).stat().st_size - HEAD_BYTES) // RECORD_BYTES
        except FileNotFoundError:
            return 0

    def start(self, *arguments):
        process = subprocess.Popen([R2M, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=take_signals)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def stop_at(self, count, number, name, *more):
        """Sends the signal when count tensors are finished. Returns the process, which may have
        ended before."""
        process = self.start(*self.merge(name, *more))
        while self.records(name) < count and process.poll() is None:
            pass
        process.send_signal(number)
        return process

    def killed_at(self, count, name, *more):
        """True when it was; then only temporary files are there beside the inputs. False when it had
        ended, or its output had its name already; then that is whole."""
        before = self.content(name) if (self.folder / name).exists() else None
        process = self.stop_at(count, signal.SIGKILL, name, *more)
        process.communicate()
        self.assertIn(process.returncode, (0, -signal.SIGKILL))
        if (self.folder / name).exists() and self.content(name) != before:
            self.good("inspect", name, "--hash")
            self.journal(name).unlink(missing_ok=True)
            return False
        for path in set(self.files()) - set(self.inputs):
            self.assertIn(".r2m-part", path)
        return True

    def kill(self, count, name, *more):
        """The same for sure: a run that was over too soon is made again."""
        while not self.killed_at(count, name, *more):
            self.remove(name)

    def finished(self, name, expected, *more):
        """Goes on to the end, to the same bytes."""
        output = self.good(*self.merge(name, *more, "--resume"))
        self.assertEqual(self.content(name), expected)
        self.assertFalse(list(self.folder.rglob("*.r2m-part")))
        return output

    def test_killed_at_many_points(self):
        for kind, (name, more) in OUTPUTS.items():
            with self.subTest(kind):
                expected = self.undisturbed(name, more)
                self.kill(1, name, *more)
                while self.killed_at(self.records(name) + 2, name, *more, "--resume"):
                    pass  # the next one goes on, and is killed too
                self.assertEqual(self.content(name), expected)
                self.assertFalse(list(self.folder.rglob("*.r2m-part")))
                self.remove(name)

    def test_killed_and_finished(self):
        for kind, (name, more) in OUTPUTS.items():
            with self.subTest(kind):
                expected = self.undisturbed(name, more)
                self.kill(3, name, *more)
                self.assertIn("were there from", self.finished(name, expected, *more))
                self.remove(name)

    def test_a_killed_merge_leaves_its_analysis(self):
        """So that the next one begins with the tensors that are missing."""
        cache = ["--cache", self.folder / "cache"]
        self.inputs += ["cache", "cache/analysis.sqlite", "cache/analysis.sqlite-journal"]
        self.kill(1, "out.safetensors", *cache)
        listed = self.json("cache", "--json", *cache)["analyses"]
        self.assertEqual(sum(one["records"] for one in listed), LAYERS * (3 + 2))

    def test_interrupted_by_a_signal(self):
        expected = self.undisturbed("out.safetensors", [])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            output, complaint, process = "over", "", None
            while output:  # over too soon
                process = self.stop_at(2, number, "out.safetensors", "--force")
                output, complaint = process.communicate()
            self.assertEqual((process.returncode, output), (128 + number, ""), complaint)
            self.assertRegex(complaint, r"^r2m: out.safetensors: stopped; \d+ of 10 tensors are kept "
                                        r"in out.safetensors.r2m-part\nr2m: hint: --resume goes on")
            self.assertIn("were there", self.finished("out.safetensors", expected, "--force"))
            self.remove("out.safetensors")

    def test_without_the_option_it_begins_anew(self):
        expected = self.undisturbed("out/", SHARDS)
        self.kill(3, "out/", *SHARDS)
        self.assertNotIn("were there", self.good(*self.merge("out/", *SHARDS)))
        self.assertEqual(self.content("out/"), expected)
        self.assertFalse(list(self.folder.rglob("*.r2m-part")))

    def test_nothing_to_go_on_from(self):
        expected = self.undisturbed("out.pth", [])
        self.assertNotIn("were there", self.finished("out.pth", expected))

    def test_replaced_only_at_the_end(self):
        expected = self.undisturbed("out.safetensors", [])
        self.inputs = [*self.inputs, "out.safetensors"]
        killed = False
        while not killed:
            (self.folder / "out.safetensors").write_text("old")
            killed = self.killed_at(2, "out.safetensors", "--force")
        self.assertEqual((self.folder / "out.safetensors").read_text(), "old")
        self.assertIn("were there", self.finished("out.safetensors", expected, "--force"))

    def test_other_settings_and_other_inputs_are_refused(self):
        self.kill(2, "out.safetensors")
        resume = self.merge("out.safetensors", "--resume")
        for other in (["--set", "alpha=0.5"], ["--set", "residual.rank.rank=3"]):
            self.refused(1, *resume, *other, says=["out.safetensors: ", "other inputs or settings",
                                                   "without --resume"])
        base = self.folder / "base.safetensors"
        content = bytearray(base.read_bytes())
        content[-3] ^= 1
        base.write_bytes(content)
        self.refused(1, *resume, says=["other inputs or settings"])

    def test_what_is_damaged_is_made_again(self):
        expected = self.undisturbed("out.pth", [])
        part = self.folder / "out.pth.r2m-part"

        def flip():
            content = bytearray(part.read_bytes())
            for place in range(0, len(content), 5000):
                content[place] ^= 0xff
            part.write_bytes(content)

        def tear():
            os.truncate(self.journal("out.pth"), HEAD_BYTES + RECORD_BYTES + 7)

        damages = [flip, tear, part.unlink, lambda: part.write_bytes(b""),
                   lambda: self.journal("out.pth").write_bytes(b"r2m"),
                   lambda: self.journal("out.pth").write_bytes(os.urandom(500))]
        for damage in damages:
            self.kill(3, "out.pth")
            damage()
            self.finished("out.pth", expected)
            self.remove("out.pth")

    def test_two_at_once(self):
        first = self.stop_at(1, signal.SIGSTOP, "out.safetensors", "--force")
        while first.poll() is not None:  # over too soon
            first = self.stop_at(1, signal.SIGSTOP, "out.safetensors", "--force")
        self.addCleanup(first.kill)
        for more in ([], ["--resume"]):
            self.refused(1, *self.merge("out.safetensors", "--force", *more),
                         says=["somebody else"])
        first.send_signal(signal.SIGCONT)
        self.assertEqual(first.communicate()[1], "")
        self.assertEqual(first.returncode, 0)

    def test_any_number_of_threads_goes_on(self):
        expected = self.undisturbed("out/", SHARDS)
        self.kill(2, "out/", *SHARDS)
        self.finished("out/", expected, *SHARDS, "--threads", "8")


if __name__ == "__main__":
    unittest.main()
