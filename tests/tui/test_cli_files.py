"""Files that are wrong: every command says which file, which tensor and why, exits 1, and leaves
nothing behind."""

import os
import resource
import signal
import unittest

import numpy as np

import safetensors_file
from program_test import SOURCE, ProgramTest

ONES = np.ones((4, 4), np.float32)


def entry(begin, end, shape=(4, 4)):
    return {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}


class BrokenFiles(ProgramTest):
    """One broken file named bad.safetensors, shown to inspect and to analyze."""

    def bad(self, header, data, says, **more):
        safetensors_file.write_raw(self.folder / "bad.safetensors", header, data, **more)
        self.refused_everywhere(says)

    def refused_everywhere(self, says):
        says = ["bad.safetensors", *says]
        self.refused(1, "inspect", "bad.safetensors", says=says)
        self.refused(1, "inspect", "bad.safetensors", "--json", says=says)
        self.refused(1, "analyze", "--base", "base.safetensors", "bad.safetensors", says=says)
        self.refused(1, "merge", "--base", "bad.safetensors", "fs.safetensors", "-o",
                     "out.safetensors", says=says)
        self.refused(1, "init", "--base", "bad.safetensors", "fs.safetensors", "-o", "c.json",
                     says=says)

    def test_missing(self):
        self.refused_everywhere(["No such file"])

    def test_folder(self):
        (self.folder / "bad.safetensors").mkdir()
        self.refused_everywhere(["folder"])

    def test_empty(self):
        (self.folder / "bad.safetensors").write_bytes(b"")
        self.refused_everywhere(["empty"])

    def test_truncated(self):
        whole = (self.folder / "fs.safetensors").read_bytes()
        (self.folder / "bad.safetensors").write_bytes(whole[:-100])
        self.refused_everywhere([])

    def test_header_longer_than_the_file(self):
        self.bad({"a": entry(0, 64)}, ONES.tobytes(), ["header"], length=100000)

    def test_header_longer_than_any_memory(self):
        self.bad({"a": entry(0, 64)}, ONES.tobytes(), ["header"], length=2**63 + 5)

    def test_overlapping_ranges(self):
        self.bad({"a": entry(0, 64), "b": entry(32, 96)}, bytes(96), ["tensor b"])

    def test_missing_range(self):
        self.bad({"a": entry(0, 64), "b": entry(80, 144)}, bytes(144), ["tensor b"])

    def test_bytes_behind_the_last_tensor(self):
        self.bad({"a": entry(0, 64)}, bytes(80), [])

    def test_range_that_does_not_fit_the_shape(self):
        self.bad({"a": entry(0, 60)}, bytes(60), ["tensor a"])

    def test_name_twice(self):
        one, two = '"a":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}', ""
        two = "{" + one % (0, 4) + "," + one % (4, 8) + "}"
        self.bad(two, bytes(8), ["a"])

    def test_header_that_is_no_json(self):
        self.bad('{"a": [}', bytes(4), ["header"])

    def test_a_file_of_another_kind(self):
        (self.folder / "bad.safetensors").write_bytes(b"PK\x03\x04" + bytes(200))
        self.refused_everywhere([])


class FilesThatDoNotFit(ProgramTest):
    def test_every_shape_that_disagrees_is_listed(self):
        wrong = self.specialist(3)
        wrong["conv.weight"] = np.ones((8, 3, 5, 5), np.float32)
        wrong["blocks.10.mlp.weight"] = np.ones((18, 17), np.float32)
        self.write("efs", wrong)
        self.refused(1, "analyze", *SOURCE,
                     says=["efs.safetensors", "tensor conv.weight", "[8, 3, 5, 5]",
                           "tensor blocks.10.mlp.weight", "[18, 17]"])

    def test_no_tensor_in_common(self):
        self.write("other", {"x.weight": ONES})
        self.refused(1, "merge", "--base", "base.safetensors", "other.safetensors", "-o",
                     "out.safetensors", says=["in common"])

    def test_several_files_that_do_not_open(self):
        self.refused(1, "analyze", "--base", "base.safetensors", "no1.safetensors",
                     "no2.safetensors", says=["no1.safetensors", "no2.safetensors"])

    def test_numbers_that_are_not_finite(self):  # O9
        for value, count in [(np.nan, 1), (np.inf, 3), (-np.inf, 2)]:
            broken = self.specialist(3)
            broken["conv.weight"].flat[:count] = value
            self.write("efs", broken)
            for command in (["analyze"], ["merge", "-o", "out.safetensors"]):
                self.refused(1, *command, *SOURCE,
                             says=["efs.safetensors", "conv.weight", str(count)])

    def test_numbers_in_the_base_that_are_not_finite(self):
        self.base["conv.weight"].flat[5] = np.nan
        self.write("base", self.base)
        self.refused(1, "analyze", *SOURCE, says=["base.safetensors", "conv.weight"])

    def test_a_result_too_large_for_its_type(self):
        self.refused(1, "merge", *SOURCE, "-o", "out.safetensors", "--set", "output.dtype=f16",
                     "--set", "core_scale=10", "--set", "eta=absolute", "--set", "alpha=10",
                     "--base", self.large(), says=["conv.weight"])

    def large(self):
        self.base["conv.weight"].flat[0] = 1e6
        self.write("large", self.base)
        return "large.safetensors"


class Outputs(ProgramTest):
    def merge_to(self, output):
        return ["merge", *SOURCE, "-o", output]

    def test_output_is_an_input(self):  # O3
        os.symlink("fs.safetensors", self.folder / "link.safetensors")
        os.link(self.folder / "fr.safetensors", self.folder / "hard.safetensors")
        (self.folder / "deep").mkdir()
        before = [(self.folder / f"{n}.safetensors").read_bytes() for n in ("base", "fs", "fr")]
        for output in ["base.safetensors", "fs.safetensors", "./fs.safetensors",
                       "deep/../fs.safetensors", "link.safetensors", "hard.safetensors",
                       self.folder / "fs.safetensors"]:
            self.refused(2, *self.merge_to(output), "--force", says=["input"])
        after = [(self.folder / f"{n}.safetensors").read_bytes() for n in ("base", "fs", "fr")]
        self.assertEqual(before, after)

    def test_a_link_that_leads_nowhere_stays(self):
        """Refused before the work, and not replaced by --force either."""
        os.symlink("nothing", self.folder / "astray.safetensors")
        os.symlink("nothing", self.folder / "astray")
        for command in (self.merge_to("astray.safetensors"), self.merge_to("astray/"),
                        ["analyze", *SOURCE, "-o", "astray"], ["init", *SOURCE, "-o", "astray"]):
            for more in ([], ["--force"]):
                self.refused(1, *command, *more, says=["astray", "leads nowhere"])
                self.assertTrue((self.folder / "astray").is_symlink())
                self.assertTrue((self.folder / "astray.safetensors").is_symlink())

    def test_folder_that_is_missing(self):
        self.refused(1, *self.merge_to("no/out.safetensors"), says=["no"])

    def test_folder_that_takes_no_files(self):  # O5; nobody, not even root, writes there
        self.refused(1, *self.merge_to("/proc/self/out.safetensors"), says=["/proc/self"])
        self.refused(1, "plot", *SOURCE, "-o", "/proc/self/figures", says=["/proc/self/figures"])

    def test_an_ending_that_means_another_format(self):
        self.refused(2, *self.merge_to("out.onnx"), says=["out.onnx", ".safetensors", ".pth"])

    def test_disk_full_in_mid_write(self):  # O4
        """A limit on the size of files is a full disk without root."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        self.refused(1, *self.merge_to("out.safetensors"), says=["out.safetensors"],
                     preexec_fn=limit)
        self.refused(1, "plot", *SOURCE, "-o", ".", says=[".png"], preexec_fn=limit)

    def test_standard_output_at_the_limit_of_file_sizes(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
        with open(self.folder / "report.json", "w", encoding="utf-8") as report:
            done = self.run_program("analyze", *SOURCE, "--json", stdout=report, preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"(?m)^r2m: standard output: ")

    def test_no_descriptor_of_the_program_is_an_output(self):
        """Closed standard streams do not become the output file."""
        def close():
            os.close(1)
        done = self.run_program(*self.merge_to("out.safetensors"), stdout=None, preexec_fn=close)
        self.assertEqual(done.returncode, 1)
        safetensors_file.read(self.folder / "out.safetensors")

    def test_full_standard_output(self):
        for command in (["--help"], ["--version"], ["merge", "--help"], ["--completion", "bash"],
                        ["analyze", *SOURCE], ["analyze", *SOURCE, "--json"],
                        ["inspect", "fs.safetensors"], ["inspect", "fs.safetensors", "--json"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = self.run_program(*command, stdout=full)
            self.assertEqual(done.returncode, 1, command)
            self.assertRegex(done.stderr, r"(?m)^r2m: standard output: ")

    def test_reader_that_goes_away(self):
        """A closed pipe ends the program quietly."""
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run_program("analyze", *SOURCE, "--json", stdout=writer)
        os.close(writer)
        self.assertEqual(done.stderr, "")
        self.assertIn(done.returncode, (1, -signal.SIGPIPE))


if __name__ == "__main__":
    unittest.main()
