"""The command line as a user meets it: every command does its work, standard output carries the
result, the JSON has the fields of the manual, outputs appear whole or not at all."""

import json
import struct
import subprocess
import unittest
import zipfile
from pathlib import Path

import numpy as np

import safetensors_file
from program_test import SHAPES, SOURCE, SPECIALISTS, ProgramTest


class Inspect(ProgramTest):
    def test_json(self):
        document = self.json("inspect", "base.safetensors", "--json", "--hash")
        self.assertEqual(list(document), ["file", "format", "state_dict", "tensors", "skipped",
                                          "warnings"])
        self.assertEqual((document["file"], document["format"], document["state_dict"]),
                         ("base.safetensors", "safetensors", ""))
        self.assertEqual((document["skipped"], document["warnings"]), ([], []))
        self.assertEqual({t["name"]: tuple(t["shape"]) for t in document["tensors"]}, SHAPES)
        for tensor in document["tensors"]:
            self.assertEqual(list(tensor), ["name", "dtype", "shape", "bytes", "sha256"])
            array = self.base[tensor["name"]]
            self.assertEqual((tensor["dtype"], tensor["bytes"]), ("F32", array.nbytes))
            self.assertEqual(tensor["sha256"], safetensors_file.sha256_of(array.tobytes()))

    def test_hash_only_when_asked(self):
        self.assertNotIn("sha256", self.json("inspect", "fs.safetensors", "--json")["tensors"][0])

    def test_several_files_are_an_array(self):
        documents = self.json("inspect", "--json", "fs.safetensors", "fr.safetensors")
        self.assertEqual([d["file"] for d in documents], ["fs.safetensors", "fr.safetensors"])

    def test_piped_table_is_tab_separated(self):
        rows = [line.split("\t") for line in self.good("inspect", "base.safetensors").splitlines()]
        found = {row[0]: row for row in rows}
        for name, array in self.base.items():
            self.assertIn("F32", found[name])
            self.assertIn(str(array.nbytes), found[name])

    def test_names_cannot_drive_a_terminal(self):
        names = ["a\x00b", "bell\x07", "\x1b[31mred", "del\x7f", "rtl\u202edrow", 'quote"\\']
        self.write("odd", {name: np.ones((2, 2), np.float32) for name in names})
        text = self.good("inspect", "odd.safetensors", "--json")
        self.assertEqual({t["name"] for t in json.loads(text)["tensors"]}, set(names))
        for bad in "\x00\x07\x1b\x7f\u202e":
            self.assertNotIn(bad, text)
            self.assertNotIn(bad, self.good("inspect", "odd.safetensors"))


class TorchFiles(ProgramTest):
    """Files written by torch, in the tree as fixtures."""

    FIXTURES = Path("tests/fixtures/torch").resolve()

    def test_the_state_dict_is_found_or_chosen(self):
        wrapped = self.FIXTURES / "08_ema_two_models.pth"
        self.refused(1, "inspect", wrapped, says=["state_dict_ema", "--state-dict"])
        document = json.loads(self.good("inspect", wrapped, "--state-dict", "state_dict_ema", "--json"))
        self.assertEqual(document["format"], "torch")
        self.assertEqual(document["state_dict"], "state_dict_ema")
        self.assertIn("conv.weight", [t["name"] for t in document["tensors"]])
        self.assertTrue(document["skipped"])

    def test_hashes_are_those_that_torch_computed(self):
        expected = json.loads((self.FIXTURES / "expected.json").read_text())
        name = "02_state_dict.pth"
        document = json.loads(self.good("inspect", self.FIXTURES / name, "--json", "--hash"))
        self.assertEqual(len(document["tensors"]), 9)
        text = json.dumps(expected["files"][name])
        for tensor in document["tensors"]:
            self.assertIn(tensor["sha256"], text)

    def test_hashing_finds_what_a_checksum_tells(self):  # Z41
        name = "24_many_tensors.pth"
        damaged = bytearray((self.FIXTURES / name).read_bytes())
        with zipfile.ZipFile(self.FIXTURES / name) as archive:
            start = archive.getinfo("24_many_tensors/data/3").header_offset
        lengths = struct.unpack("<HH", damaged[start + 26:start + 30])
        damaged[start + 30 + sum(lengths)] ^= 1
        (self.folder / "damaged.pth").write_bytes(damaged)
        self.assertIn("wrong checksum", self.run_program("inspect", "damaged.pth").stderr)
        self.refused(1, "inspect", "damaged.pth", "--hash",
                     says=["damaged.pth: tensor layer.3.w:", "checksum"])

    def test_torch_files_merge_with_each_other(self):
        base, specialist = self.FIXTURES / "02_state_dict.pth", self.FIXTURES / "48_legacy.pth"
        self.good("merge", "--base", base, specialist, "-o", "merged.safetensors")
        self.good("merge", "--base", base, self.FIXTURES / "08_ema_two_models.pth",
                  "--state-dict", "state_dict", "-o", "chosen.safetensors")


class Names(ProgramTest):
    def test_heads_follow_the_names_as_lined_up(self):
        for file in (name + ".safetensors" for name in SPECIALISTS):
            tensors = safetensors_file.read(self.folder / file)
            safetensors_file.write(self.folder / ("ddp-" + file),
                                   {"module." + name: value for name, value in tensors.items()})
        files = [f"ddp-{name}.safetensors" for name in SPECIALISTS]
        self.good("merge", *SOURCE, "-o", "plain.safetensors")
        self.good("merge", "--base", "base.safetensors", *files, "--strip-prefix", "module.", "-o",
                  "stripped.safetensors")
        plain = safetensors_file.read(self.folder / "plain.safetensors")
        stripped = safetensors_file.read(self.folder / "stripped.safetensors")
        self.assertEqual(list(plain), list(stripped))
        for name, value in plain.items():
            np.testing.assert_array_equal(value, stripped[name])


class Match(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("parallel", {f"module.{name}": values
                                for name, values in self.specialist(7).items()})

    def test_how_names_line_up(self):
        text = self.good("inspect", "--base", "base.safetensors", "fs.safetensors",
                         "ddp=parallel.safetensors")
        self.assertIn("fs: 6 of 7 tensors match the base; names as they are\n"
                      "  1 only in the specialist: head.weight\n"
                      'ddp: 6 of 7 tensors match the base; names without "module."\n', text)

    def test_json(self):
        wanted = {"format": "safetensors", "state_dict": "", "prefix": {"from": "module.", "to": ""},
                  "head": None, "mapping": None, "matched": 6, "other_shape": [],
                  "specialist_only": ["head.weight"], "base_only": []}
        files = ["--base", "base.safetensors", "ddp=parallel.safetensors", "--json"]
        shown = self.json("inspect", *files)
        self.assertEqual(list(shown), ["base", "match", "warnings"])
        self.assertEqual(shown["match"], [{"name": "ddp", "path": "parallel.safetensors", **wanted}])
        self.assertEqual(self.json("analyze", *files)["match"], shown["match"])

    def test_by_hand(self):
        shown = self.json("inspect", "--base", "base.safetensors", "parallel.safetensors",
                          "--strip-prefix", "module.", "--json")["match"][0]
        self.assertEqual((shown["prefix"], shown["matched"]), (None, 6))
        self.refused(2, "inspect", "fs.safetensors", "--strip-prefix", "m.", says=["need --base"])
        self.refused(2, "inspect", "--base", "base.safetensors", says=["no specialist"])

    def test_the_table(self):
        lines = self.good("analyze", *SOURCE).splitlines()
        self.assertEqual(lines[0].split("\t"), ["specialist", "matched", "only in base",
                                                "only here", "other shape", "names"])
        self.assertEqual(lines[1].split("\t"), ["fs", "6", "0", "1", "0", "as they are"])


class Analyze(ProgramTest):
    def test_json_fields(self):
        document = self.json("analyze", *SOURCE, "--json", "--spectra")
        self.assertEqual(list(document), ["r2m", "base", "match", "real", "specialists", "cos_task_vectors",
                                          "layers", "eta", "residual_scale_nbar", "warnings"])
        self.assertEqual(list(document["real"]),
                         ["rank", "center", "eigenvalues", "weights", "core_norm", "mean_norm",
                          "cos_core_mean", "parts"])
        for one in document["specialists"]:
            self.assertEqual(list(one), ["name", "path", "norm", "real_share", "residual_norm",
                                         "scale", "share_before", "share_after"])
        for layer in document["layers"]:
            self.assertEqual(list(layer), ["name", "role", "shape", "rows", "cols", "dominance",
                                           "specialists"])
        matrix = next(layer for layer in document["layers"] if layer["role"] == "matrix")
        self.assertEqual(list(matrix["specialists"][0]),
                         ["name", "norm", "real", "fake", "cross", "rank", "max_rank", "kept",
                          "residual_norm", "contribution", "share", "stable_rank",
                          "effective_rank", "sigma"])
        self.assertEqual([s["name"] for s in document["specialists"]], SPECIALISTS)

    def test_spectra_only_when_asked(self):
        self.assertNotIn("sigma", self.good("analyze", *SOURCE, "--json"))

    def test_into_a_file(self):
        printed = self.good("analyze", *SOURCE, "--json")
        self.assertEqual(self.good("analyze", *SOURCE, "--json", "-o", "report.json"), "")
        self.assertEqual((self.folder / "report.json").read_text(), printed)
        self.refused(1, "analyze", *SOURCE, "--json", "-o", "report.json", "--cache", "cache",
                     says=["report.json"])
        self.assertFalse((self.folder / "cache").exists())  # before the work
        self.good("analyze", *SOURCE, "--json", "-o", "report.json", "--force")

    def test_piped_table_has_tabs_and_no_colour(self):
        text = self.good("analyze", *SOURCE)
        self.assertNotIn("\x1b", text)
        first = {line.split("\t")[0] for line in text.splitlines() if "\t" in line}
        self.assertLessEqual(set(SPECIALISTS) | {"conv.weight"}, first)

    def test_numbers_do_not_depend_on_the_locale(self):  # O10
        plain = self.good("analyze", *SOURCE, "--json")
        for name in ("de_DE.UTF-8", "C", "no such locale"):
            self.assertEqual(plain, self.good("analyze", *SOURCE, "--json", env={"LC_ALL": name}))

    def test_named_specialists(self):
        document = self.json("analyze", "--json", "--base", "base.safetensors",
                             "one=fs.safetensors", "two=fr.safetensors")
        self.assertEqual([s["name"] for s in document["specialists"]], ["one", "two"])

    def test_one_specialist_only(self):
        document = self.json("analyze", "--json", "--base", "base.safetensors", "fs.safetensors")
        self.assertEqual([s["name"] for s in document["specialists"]], ["fs"])

    def test_the_order_of_settings(self):
        """The preset comes before --set, wherever it stands."""
        real = self.json("analyze", *SOURCE, "--json", "--set", "real.center=false", "--preset",
                         "paper")["real"]
        self.assertIs(real["center"], False)
        self.assertIs(self.json("analyze", *SOURCE, "--json", "--preset=paper")["real"]["center"],
                      True)

    def test_key_options(self):
        self.write("wrapped", {f"module.{n}": a for n, a in self.specialist(9).items()})
        self.write("renamed", {n.replace("blocks.", "layers."): a
                               for n, a in self.specialist(9).items()})
        for file, option in [("wrapped", "--strip-prefix=module."),
                             ("renamed", "--rename=layers.=blocks.")]:
            document = self.json("analyze", "--json", "--base", "base.safetensors",
                                 f"{file}.safetensors", "fs.safetensors", option)
            roles = {layer["name"]: layer["role"] for layer in document["layers"]}
            self.assertEqual(roles["blocks.10.mlp.weight"], "matrix")


class Merge(ProgramTest):
    def test_result(self):
        document = self.json("merge", *SOURCE, "-o", "out.safetensors", "--json")
        self.assertEqual(list(document), ["output", "tensors", "bytes", "core_norm",
                                          "residual_norm", "eta", "seconds", "sha256", "notes",
                                          "warnings"])
        path = self.folder / "out.safetensors"
        self.assertEqual(document["sha256"], safetensors_file.sha256_of(path.read_bytes()))
        self.assertEqual(document["bytes"], path.stat().st_size)
        merged = safetensors_file.read(path)
        self.assertEqual(set(merged), set(SHAPES) | {"head.weight"})
        self.assertTrue(np.all(merged["head.weight"] == 3))
        self.assertFalse(np.array_equal(merged["conv.weight"], self.base["conv.weight"]))

    def test_summary(self):
        text = self.good("merge", *SOURCE, "-o", "out.safetensors")
        digest = safetensors_file.sha256_of((self.folder / "out.safetensors").read_bytes())
        for word in ["out.safetensors", "7 tensors", digest]:
            self.assertIn(word, text)

    def test_same_bytes_for_any_number_of_threads(self):
        digests = {self.json("merge", *SOURCE, "-o", f"{n}.safetensors", "--threads", n,
                             "--json")["sha256"] for n in (1, 2, 8)}
        self.assertEqual(len(digests), 1)

    def test_the_stored_config_merges_to_the_same_bytes(self):
        options = ["--set", "alpha=0.3", "--set", "residual.rank=e90", "--json"]
        first = self.json("merge", *SOURCE, *options, "-o", "one.safetensors")
        stored = safetensors_file.parts(self.folder / "one.safetensors")[0]["__metadata__"]
        config = next(text for text in stored.values() if '"specialists"' in text)
        (self.folder / "stored.json").write_text(config)
        second = self.json("merge", "stored.json", "-o", "two.safetensors", "--json")
        self.assertEqual(first["sha256"], second["sha256"])

    def test_dry_run_writes_nothing(self):
        before = self.files()
        text = self.good("merge", *SOURCE, "-o", "out.safetensors", "--dry-run")
        document = self.json("merge", *SOURCE, "-o", "out.safetensors", "--dry-run", "--json")
        self.assertEqual(self.files(), before)
        self.assertEqual((document["tensors"], document["output"]), (7, "out.safetensors"))
        for word in ["disk", "memory", "passes"]:
            self.assertIn(word, text)

    def test_the_size_a_dry_run_tells(self):
        told = self.json("merge", *SOURCE, "-o", "out.safetensors", "--dry-run", "--json")
        self.good("merge", *SOURCE, "-o", "out.safetensors")
        size = (self.folder / "out.safetensors").stat().st_size
        self.assertLess(abs(told["output_bytes"] - size), 4096)  # header and stored config

    def test_an_output_is_replaced_only_by_force(self):
        self.good("merge", *SOURCE, "-o", "out.safetensors")
        before = (self.folder / "out.safetensors").read_bytes()
        self.refused(1, "merge", *SOURCE, "-o", "out.safetensors", "--set", "alpha=0",
                     says=["out.safetensors", "exists"])
        self.assertEqual((self.folder / "out.safetensors").read_bytes(), before)
        self.good("merge", *SOURCE, "-o", "out.safetensors", "--set", "alpha=0", "--force")
        self.assertNotEqual((self.folder / "out.safetensors").read_bytes(), before)

    def test_quiet_says_nothing(self):
        done = self.run_program("merge", *SOURCE, "-o", "out.safetensors", "--quiet")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


WHOLE_FIGURES = ["contributions-before", "contributions-after", "map-share", "map-real", "map-kept", "map-dominance",
                 "cosines-tasks", "cosines-residuals", "eigenvalues", "overview", "real-depth", "ranks"]


class Plot(ProgramTest):
    def test_figures(self):
        self.good("plot", *SOURCE, "-o", "figures")
        names = {path.name for path in (self.folder / "figures").iterdir()}
        self.assertEqual(names, {"spectrum-blocks.0.attn.weight.png",
                                 "spectrum-blocks.2.mlp.weight.png",
                                 "spectrum-blocks.10.mlp.weight.png", "spectrum-conv.weight.png",
                                 "energy-fs.png", "energy-efs.png", "energy-fr.png", "multiples-mlp.png",
                                 *(f"{name}.png" for name in WHOLE_FIGURES)})
        for name in names:
            subprocess.run(["pngcheck", "-q", self.folder / "figures" / name], check=True)

    def test_figures_are_chosen_by_name(self):
        self.good("plot", *SOURCE, "-o", "figures", "--figure", "energy,*-after", "--format", "svg")
        names = {path.name for path in (self.folder / "figures").iterdir()}
        self.assertEqual(names, {"energy-fs.svg", "energy-efs.svg", "energy-fr.svg", "contributions-after.svg"})
        done = self.run_program("plot", *SOURCE, "-o", "others", "--figure", "enrgy")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean energy?", done.stderr)
        self.assertFalse((self.folder / "others").exists())

    def test_one_layer(self):
        self.good("plot", *SOURCE, "-o", "figures", "--layer", "blocks.1*", "--format", "png")
        names = [path.name for path in (self.folder / "figures").glob("spectrum-*")]
        self.assertEqual(names, ["spectrum-blocks.10.mlp.weight.png"])

    def test_vector_formats(self):
        drawn = self.folder / "drawn"
        for ending, checkers in (("svg", [["xmllint", "--noout"]]), ("pdf", [["pdftotext"], ["pdftoppm", "-r", "50"]])):
            folder = self.folder / ending
            self.good("plot", *SOURCE, "-o", folder, "--format", ending, "--width", "5", "--height", "3")
            files = sorted(folder.iterdir())
            self.assertEqual({path.suffix for path in files}, {f".{ending}"})
            self.assertEqual(len(files), 8 + len(WHOLE_FIGURES))
            first = {path.name: path.read_bytes() for path in files}
            self.good("plot", *SOURCE, "-o", folder, "--format", ending, "--width", "5", "--height", "3",
                      "--force")
            self.assertEqual(first, {path.name: path.read_bytes() for path in folder.iterdir()})
            for path in files:
                for checker in checkers:
                    target = [drawn] if checker[0] == "pdftoppm" else []
                    done = subprocess.run([*checker, path, *target], check=True, capture_output=True)
                    self.assertEqual(done.stderr, b"", path)
        svg = (self.folder / "svg" / "spectrum-conv.weight.svg").read_text()
        self.assertIn('width="360.00pt" height="216.00pt"', svg)
        self.assertIn(">index of the singular value</text>", svg)
        self.assertIn("efs", (self.folder / "pdf" / "spectrum-conv.weight.txt").read_text())

    def test_size_and_resolution(self):
        self.good("plot", *SOURCE, "-o", "figures", "--layer", "conv*", "--width", "4", "--height", "2.5",
                  "--dpi", "100")
        data = (self.folder / "figures" / "spectrum-conv.weight.png").read_bytes()
        self.assertEqual(struct.unpack(">II", data[16:24]), (400, 250))

    def test_sizes_that_are_refused(self):
        for words, says in [(["--width", "0"], "above 0"), (["--dpi", "x"], "above 0"),
                            (["--width", "1000"], "pixels"), (["--dpi", "0.1"], "pixels"),
                            (["--width", "1000", "--format", "svg"], "inches"),
                            (["--format", "gif"], "png, svg, pdf")]:
            self.refused(2, "plot", *SOURCE, "-o", "none", *words, says=[says])
        self.assertFalse((self.folder / "none").exists())

    def test_figures_are_replaced_only_by_force(self):
        self.good("plot", *SOURCE, "-o", "figures")
        self.refused(1, "plot", *SOURCE, "-o", "figures", says=["exists"])
        self.good("plot", *SOURCE, "-o", "figures", "--force")


class Init(ProgramTest):
    def test_every_default_is_written_out(self):
        self.good("init", *SOURCE, "-o", "plan.json")
        config = json.loads((self.folder / "plan.json").read_text())
        self.assertEqual(config["r2m"], 1)
        self.assertEqual(config["base"], "base.safetensors")
        self.assertEqual(config["specialists"][1],
                         {"name": "efs", "path": "efs.safetensors", "weight": 1})
        self.assertEqual(config["keys"], {"strip_prefix": [], "rename": [], "exclude": [],
                                          "head": ["head.*", "classifier.*"]})
        self.assertEqual(config["residual"]["rank"], {"ratio": 0.1})
        self.assertEqual((config["norm_match"], config["eta"], config["alpha"]),
                         ("global", "unit", 0.6))

    def test_settings_are_kept_and_the_config_works_from_anywhere(self):
        (self.folder / "plans").mkdir()
        options = ["--preset", "paper", "--set", "alpha=0.25", "--set", "specialists.fr.weight=2"]
        self.good("init", *SOURCE, *options, "-o", "plans/plan.json")
        config = json.loads((self.folder / "plans/plan.json").read_text())
        self.assertEqual((config["base"], config["alpha"]), ("../base.safetensors", 0.25))
        one = self.json("merge", "plans/plan.json", "-o", "one.safetensors", "--json")
        two = self.json("merge", *SOURCE, *options, "-o", "two.safetensors", "--json")
        for key in ("eta", "core_norm", "residual_norm"):
            self.assertEqual(one[key], two[key])

    def test_a_config_is_replaced_only_by_force(self):
        self.good("init", *SOURCE, "-o", "plan.json")
        self.refused(1, "init", *SOURCE, "-o", "plan.json", says=["plan.json", "exists"])
        self.good("init", *SOURCE, "-o", "plan.json", "--force")

    def test_files_are_opened(self):
        self.refused(1, "init", "--base", "base.safetensors", "gone.safetensors", "-o", "plan.json",
                     says=["gone.safetensors"])


if __name__ == "__main__":
    unittest.main()
