"""Scripted screens: what they show is what the other commands say, and every key is pressed."""

import json
import random
import re
import sys
import unittest
from pathlib import Path

import numpy as np

import safetensors_file

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import SAMPLES, SCRIPTS, ScriptTest, words_of  # noqa: E402

VIEWS = {"1": "layers", "2": "specialists", "3": "map", "4": "plan", "5": "export", "6": "history",
         "U": "steps"}


class Ranks(ScriptTest):
    NAME = "backbone.encoder.layers.0.mlp.fc1.weight"

    def setUp(self):
        super().setUp()
        self.play("ranks.script")

    def layer(self, config="demo.json"):
        layers = self.room.analyze(config)["layers"]
        return next(one for one in layers if one["name"] == self.NAME)

    def write_config(self, name, **residual):
        config = json.loads((self.room.path / "demo.json").read_text())
        config["residual"].update(residual)
        (self.room.path / name).write_text(json.dumps(config))

    def test_the_table_shows_what_analyze_says(self):
        layer = self.layer()
        words = words_of(self.room.screen("start.txt"), "mlp.fc1")
        self.assertEqual([int(w) for w in words[1:4]], [s["rank"] for s in layer["specialists"]])
        first = layer["specialists"][0]
        real = 100 * first["real"] / (first["real"] + first["fake"] + first["cross"])
        self.assertEqual(int(words[4]), round(real))

    def test_steps_change_rank_and_shares(self):
        rows = self.room.screen("stepped.txt")
        self.assertEqual(int(words_of(rows, "mlp.fc1")[1]), 9 + 1 + 1 + 10)
        self.write_config("stepped.json", overrides=[
            {"layer": self.NAME, "specialist": "fs", "rank": {"rank": 21}}])
        bars = [row.split("│", 1)[1] for row in rows if "│" in row][-3:]
        for row, one in zip(bars, self.layer("stepped.json")["specialists"]):
            self.assertEqual(int(row.split()[-1]), round(100 * one["share"]), row)
        self.assertEqual(int(words_of(self.room.screen("back.txt"), "mlp.fc1")[1]), 9)

    def test_an_energy_rule_gives_its_rank(self):
        rank = int(words_of(self.room.screen("energy.txt"), "mlp.fc1")[1])
        self.write_config("energy.json", overrides=[
            {"layer": self.NAME, "specialist": "fs", "rank": {"energy": 0.9}}])
        self.assertEqual(rank, self.layer("energy.json")["specialists"][0]["rank"])

    def test_reset_follows_the_default_rule(self):
        self.assertEqual(int(words_of(self.room.screen("reset.txt"), "mlp.fc1")[1]), 9)

    def test_scopes(self):
        words = words_of(self.room.screen("layer.txt"), "mlp.fc1")
        self.assertEqual(words[1:4], ["10", "10", "10"])
        marked = self.room.screen("marked.txt")
        self.assertEqual(words_of(marked, "•mlp.fc1")[1:4], ["24", "24", "24"])
        self.assertEqual(words_of(marked, "•mlp.fc2")[1:4], ["24", "24", "24"])
        self.assertEqual(words_of(marked, "self_attn.k_proj")[1:4], ["9", "9", "9"])

    def test_an_automatic_rule_for_all(self):
        self.write_config("gd.json", rank={"gd": True})
        expected = [s["rank"] for s in self.layer("gd.json")["specialists"]]
        words = words_of(self.room.screen("all.txt"), "•mlp.fc1")
        self.assertEqual([int(w) for w in words[1:4]], expected)

    def test_a_proposal_is_taken_and_says_why(self):
        self.write_config("auto.json", rank={"auto": True})
        cells = self.layer("auto.json")["specialists"]
        rows = self.room.screen("proposed.txt")
        words = words_of(rows, "•mlp.fc1")
        self.assertEqual([int(w) for w in words[1:4]], [one["rank"] for one in cells])
        self.assertRegex(rows[22], r"auto \d+: \d+ of 96 above noise 0\.\d+, like \S+ of equal energy; keeps \d+%")

    def test_a_wrong_rule_is_said_and_the_prompt_stays(self):
        row = self.room.screen("refused.txt")[22]
        self.assertIn("rank (64, 10%", row)
        self.assertIn("nonsense", row)
        self.assertIn("\"nonsense\" is not a rule", self.room.screen("refused.txt")[23])

    def test_search_moves_to_the_row(self):
        rows = self.room.screen("found.txt")
        self.assertIn("rows with \"v_proj\"", rows[22])
        styles = (self.room.path / "found.txt").read_text().split("--- styles\n")[1].split("\n")
        selected = [i for i, row in enumerate(styles) if row.startswith("##")]
        self.assertEqual(len(selected), 1)
        self.assertIn("v_proj", rows[selected[0]])


class RosterPlaces(ScriptTest):
    """Who was switched off comes back in its place, with its overrides."""

    OVERRIDES = [("*fc1*", None, {"energy": 0.9}), ("*layers.0.mlp.fc1*", "fr", {"rank": 5}),
                 ("*q_proj*", "efs", {"rank": 3}), ("*fc2*", None, {"ratio": 0.2}),
                 ("*fc2*", "fr", {"gd": True}), ("*layers.0*", "fs", {"rank": 2})]

    def test_places_and_overrides(self):
        config = json.loads((self.room.path / "demo.json").read_text())
        config["residual"]["overrides"] = [
            {"layer": layer, **({"specialist": name} if name else {}), "rank": rank}
            for layer, name, rank in self.OVERRIDES]
        config["specialists"][1]["weight"] = 2
        (self.room.path / "demo.json").write_text(json.dumps(config))
        self.play("roster.script")
        off = [row.split()[0] for row in self.room.screen("off.txt")[2:5]]
        self.assertEqual(off, ["efs", "fs", "fr"])
        whole = self.room.run("init", "demo.json", "-o", "whole.json")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        before = json.loads((self.room.path / "whole.json").read_text())
        self.assertEqual(len(before["residual"]["overrides"]), len(self.OVERRIDES))
        for name in ("one.json", "both.json"):
            self.assertEqual(json.loads((self.room.path / name).read_text()), before, name)


class Roster(ScriptTest):
    """Specialists switched off, added and taken out while the program runs."""

    def setUp(self):
        super().setUp()
        self.play("specialists.script")

    def names(self, screen):
        rows = self.room.screen(screen)[2:8]
        return [row.split()[0] for row in rows[:next(i for i, row in enumerate(rows) if "──" in row)]]

    def row_of(self, screen, name):
        return words_of(self.room.screen(screen), name)

    def write_config(self, name, keep):
        config = json.loads((self.room.path / "demo.json").read_text())
        config["specialists"] = [one for one in config["specialists"] if one["name"] in keep]
        (self.room.path / name).write_text(json.dumps(config))

    def test_what_is_off_takes_no_part(self):
        self.assertEqual(self.names("off.txt"), ["fs", "efs", "fr"])
        self.assertEqual(self.row_of("off.txt", "fr"), ["fr", "off"])
        self.write_config("two.json", ["fs", "efs"])
        for one in self.room.analyze("two.json")["specialists"]:
            words = self.row_of("off.txt", one["name"])
            self.assertAlmostEqual(float(words[3]), one["residual_norm"], 3)
            self.assertAlmostEqual(float(words[5]), 100 * one["share_before"], 1)
        self.assertIn("switched off", self.room.screen("refused.txt")[-2])

    def test_it_comes_back_as_it_was(self):
        self.assertEqual(self.names("on-again.txt"), ["fs", "fr", "efs"])
        self.assertEqual(self.row_of("on-again.txt", "fr")[-1], "1")
        self.assertEqual(self.names("back.txt"), ["fs", "fr", "efs"])
        self.assertIn("demo.json ", self.room.screen("back.txt")[0])

    def test_a_path_is_completed_and_added(self):
        self.assertIn("extra=fr.safetensors", self.room.screen("completed.txt")[-2])
        self.assertEqual(self.names("added.txt")[:3], ["fs", "efs", "extra"])
        self.assertIn("e…a", self.room.screen("layers.txt")[1])

    def test_what_cannot_be_opened_changes_nothing(self):
        self.assertIn("nothing.safetensors", " ".join(self.room.screen("missing.txt")[-3:]))
        self.assertEqual(self.names("missing.txt"), self.names("added.txt"))

    def test_paths_that_were_typed_stay(self):
        self.assertIn("elsewhere.pth", "\n".join(self.room.screen("export.txt")))

    def test_one_has_to_stay(self):
        self.assertEqual(self.names("taken.txt")[:2], ["efs", "extra"])
        self.assertIn("has to stay", self.room.screen("last.txt")[-2])


class Methods(ScriptTest):
    """The Plan view shows what the method looks at, and its formula."""

    def setUp(self):
        super().setUp()
        self.play("methods.script")

    def test_only_what_applies_is_listed(self):
        r2m, ties, cart = ("\n".join(self.room.screen(f"{name}.txt")) for name in ("r2m", "ties", "cart"))
        self.assertIn("core_scale", r2m)
        self.assertNotIn("ties.density", r2m)
        self.assertIn("ties.density", ties)
        self.assertNotIn("core_scale", ties)
        self.assertNotIn("residual.rank", ties)
        self.assertIn("trimmed tau", ties)
        self.assertIn("cart.ratio", cart)
        self.assertIn("T_r(tau - mean)", cart)

    def test_numbers_of_cart_are_those_of_analyze(self):
        config = json.loads((self.room.path / "demo.json").read_text())
        (self.room.path / "cart.json").write_text(json.dumps({**config, "method": "cart"}))
        for one in self.room.analyze("cart.json")["specialists"]:
            row = next(row for row in self.room.screen("cart.txt") if f"│ {one['name']} " in row)
            self.assertIn(f"{one['residual_norm']:.4g}", row.split())

    def test_rank_keys_say_why_they_rest(self):
        self.assertIn("R2M's", self.room.screen("refused.txt")[-2])
        self.assertEqual(self.room.screen("back.txt")[0].split()[1], "demo.json")


class Views(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("views.script")

    def assert_numbers(self, shown, expected, digits):
        """shown are decimals of expected with that many significant digits or decimals."""
        for text, value, places in zip(shown, expected, digits):
            self.assertAlmostEqual(float(text), value, delta=places, msg=f"{shown} {expected}")

    def test_a_picture_needs_a_terminal(self):
        self.assertIn("a picture needs a terminal", self.room.screen("picture.txt")[22])

    def test_help_and_export_are_searched(self):
        for screen, expected in (("help-found.txt", "clipboard"), ("export-found.txt", "demo-figures")):
            text, styles = (self.room.path / screen).read_text().split("--- styles\n")
            chosen = [row for row, style in zip(text.split("\n"), styles.split("\n"))
                      if "#" in style[:4] and expected in row]
            self.assertEqual(len(chosen), 1, text)

    def test_specialists_show_what_analyze_says(self):
        rows = self.room.screen("specialists.txt")
        for one in self.room.analyze()["specialists"]:
            words = words_of(rows, one["name"])
            expected = [100 * one["real_share"], one["residual_norm"], one["scale"],
                        100 * one["share_before"], 100 * one["share_after"]]
            self.assert_numbers(words[2:7], expected, [0.051, 1e-3, 6e-4, 0.051, 0.051])

    def test_cosines_are_those_of_analyze(self):
        rows = self.room.screen("specialists.txt")
        cosines = self.room.analyze()["cos_task_vectors"]
        start = next(i for i, row in enumerate(rows) if "Cosines of task vectors" in row)
        for i, line in enumerate(cosines):
            words = rows[start + 2 + i].split()
            self.assert_numbers(words[1:4], line, [0.0051] * 3)

    def test_a_weight_changes_the_shares(self):
        weighted = words_of(self.room.screen("weighted.txt"), "fs")
        report = self.room.analyze("demo.json", "--set", "specialists.fs.weight=2.5")
        one = report["specialists"][0]
        self.assertEqual(float(weighted[8]), 2.5)
        self.assertAlmostEqual(float(weighted[6]), 100 * one["share_after"], delta=0.051)

    def test_names_are_shown_as_they_met_the_base(self):
        rows = self.room.screen("match.txt")
        match = self.room.analyze()["match"]
        for one in match:
            total = one["matched"] + len(one["specialist_only"])
            self.assertIn(f"{one['matched']} of {total} match as they are",
                          " ".join(words_of(rows, one["name"])))
        shown = [row.split()[-1] for row in rows if "only here" in row]
        self.assertEqual(shown, [name for one in match for name in one["specialist_only"]])

    def test_the_map_shows_the_shares(self):
        layer = self.room.analyze()["layers"]
        layer = next(one for one in layer if one["name"].endswith("layers.0.mlp.fc1.weight"))
        row = next(row for row in self.room.screen("map.txt") if "0.mlp.fc1" in row)
        numbers = [int(n) for n in re.findall(r"[ ░▒▓█]{3} +(\d+)\b", row)][:3]
        self.assertEqual(numbers, [round(100 * s["share"]) for s in layer["specialists"]])

    def test_alpha_shows_in_the_formula(self):
        report = self.room.analyze("demo.json", "--set", "alpha=0.5")
        text = "\n".join(self.room.screen("alpha.txt"))
        eta = float(re.search(r"eta = alpha \|core\| / nbar.*?= ([\d.]+)\s*$", text,
                              re.S | re.M).group(1).split()[0])
        numbers = re.search(r"= ([\d.]+) × ([\d.]+) / ([\d.]+) = ([\d.]+)", text)
        self.assertEqual(float(numbers[1]), 0.5)
        self.assertAlmostEqual(float(numbers[4]), report["eta"], delta=1e-3)
        self.assertGreater(eta, 0)

    def test_a_preset_is_applied_and_computed_anew(self):
        text = "\n".join(self.room.screen("paper.txt"))
        self.assertRegex(text, r"real\.center +true \*")
        self.assertRegex(text, r"residual\.against +projection \*")
        report = self.room.analyze("demo.json", "--preset", "paper")
        core = re.search(r"\|core\| = ([\d.]+(?:e-?\d+)?)", text)
        self.assertAlmostEqual(float(core[1]), report["real"]["core_norm"], delta=1e-3)

    def test_commands(self):
        self.assertRegex("\n".join(self.room.screen("unmatched.txt")), r"norm_match +none \*")
        self.assertIn(":set norm_match", self.room.screen("completed.txt")[22])
        self.assertIn("preset paper", "\n".join(self.room.screen("messages.txt")))
        self.assertIn("Next choice", "\n".join(self.room.screen("help.txt")))

    def test_leaving_unsaved_needs_a_yes(self):
        self.assertIn("1 Layers", self.room.screen("stayed.txt")[0])


class OtherFormats(ScriptTest):
    """Another program's file is opened, and never written over."""

    def test_the_config_goes_beside_it(self):
        text = "model: base.safetensors\nweight_root: .\ntasks: [fs, fr, efs]\nprior: 0.25\n"
        (self.room.path / "theirs.yaml").write_text(text)
        (self.room.path / "theirs.script").write_text(
            ":wait\nkeys: 5\n:screendump export.txt\ntype: :write\nkeys: Enter\n:quit\n")
        done = self.room.run("tui", "theirs.yaml", "--script", "theirs.script")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("theirs.json", self.room.screen("export.txt")[2])
        self.assertEqual((self.room.path / "theirs.yaml").read_text(), text)
        config = json.loads((self.room.path / "theirs.json").read_text())
        self.assertEqual((config["alpha"], len(config["specialists"])), (0.25, 3))


class Export(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("export.script")

    def test_the_merged_file_is_that_of_merge(self):
        text = "\n".join(self.room.screen("merged.txt"))
        self.assertIn("read back and verified", text)
        shown = re.search(r"sha256 ([0-9a-f]{64})", text)[1]
        done = self.room.run("merge", "out.json", "-o", "again.safetensors", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["sha256"], shown)
        self.assertEqual((self.room.path / "again.safetensors").read_bytes(),
                         (self.room.path / "demo-merged.safetensors").read_bytes())

    def test_what_it_takes_is_known_before(self):
        text = " ".join(" ".join(self.room.screen("before.txt")).split())
        done = self.room.run("merge", "demo.json", "-o", "again.safetensors", "--dry-run", "--json")
        estimate = json.loads(done.stdout)
        self.assertIn(f"{estimate['tensors']} tensors, 1.9 MB of the free ", text)
        self.assertRegex(text, r"Memory [\d.]+ MB, about \d+ s\.")

    def test_paths_are_completed(self):
        self.assertIn("path: efs.safetensors", self.room.screen("completed.txt")[22])

    def test_overwriting_is_asked(self):
        row = self.room.screen("asked.txt")[22]
        self.assertRegex(row, r"Overwrite demo-merged\.safetensors \(1\.9 MB\)\? y/N")

    def test_the_config_has_the_change(self):
        config = json.loads((self.room.path / "out.json").read_text())
        self.assertEqual(config["residual"]["overrides"],
                         [{"layer": "backbone.encoder.layers.0.mlp.fc1.weight",
                           "specialist": "fs", "rank": {"rank": 10}}])
        self.assertNotIn("*", self.room.screen("config.txt")[0])

    def test_adapters_are_those_of_merge(self):
        self.assertIn("3 adapters written", "\n".join(self.room.screen("adapters.txt")))
        done = self.room.run("merge", "out.json", "-o", "again", "--adapters")
        self.assertEqual(done.returncode, 0, done.stderr)
        written = [path for path in (self.room.path / "demo-adapters").rglob("*.*")]
        self.assertEqual(len(written), 6)
        for path in written:
            again = self.room.path / "again" / path.parent.name / path.name
            self.assertEqual(path.read_bytes(), again.read_bytes())

    def test_figures_and_report(self):
        figures = list((self.room.path / "demo-figures").glob("*.png"))
        self.assertGreater(len(figures), 10)
        self.assertIn(f"{len(figures)} figures written", "\n".join(self.room.screen("figures.txt")))
        report = self.room.path / "demo-report"
        self.assertEqual(len(json.loads((report / "analysis.json").read_text())["specialists"]), 3)
        self.assertIn("</html>", (report / "report.html").read_text())
        self.assertIn("report.html and report.md written", "\n".join(self.room.screen("report.txt")))
        self.assertRegex(self.room.screen("report-asked.txt")[22], r"Overwrite demo-report .*y/N")
        other = self.room.path / "other"  # as :report writes it
        self.assertEqual((report / "report.md").read_text(), (other / "report.md").read_text())


class Errors(ScriptTest):
    def test_what_cannot_be_is_said(self):
        before = (SAMPLES / "fs.safetensors").read_bytes()
        self.play("errors.script")
        said = {"rank": "real.rank: 5 is not in 1 to 3", "input": "is one of the inputs",
                "alpha": "allowed is a number from 0 to 10", "folder": "missing",
                "command": "nothing is no command", "unbound": "+ is not bound here"}
        for name, text in said.items():
            rows = self.room.screen(name + ".txt")
            self.assertIn(text, rows[22])
            self.assertNotIn("*", rows[0], name)  # the plan is as it was
        self.assertEqual((SAMPLES / "fs.safetensors").read_bytes(), before)

    def test_a_value_that_is_not_finite_ends_the_analysis(self):
        content = bytearray((SAMPLES / "fs.safetensors").read_bytes())
        length = int.from_bytes(content[:8], "little")
        name = "backbone.encoder.layers.1.mlp.fc1.weight"
        tensor = json.loads(content[8:8 + length])[name]
        start = 8 + length + tensor["data_offsets"][0]
        content[start:start + 4] = bytes.fromhex("0000c07f" if tensor["dtype"] == "F32"
                                                 else "007e007e")
        (self.room.path / "nan.safetensors").write_bytes(content)
        (self.room.path / "nan.script").write_text(
            ":wait\n:screendump layers.txt\nkeys: 5 Enter\n:wait\n:screendump export.txt\n"
            "keys: :\ntype: messages\nkeys: Enter Up\n:screendump messages.txt\n")
        done = self.room.run("tui", "--base", "base.safetensors", "nan.safetensors",
                             "fr.safetensors", "--script", "nan.script")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("error: nan.safetensors: tensor", self.room.screen("layers.txt")[22])
        self.assertIn("nothing is written", self.room.screen("export.txt")[22])
        self.assertIn(name, "\n".join(self.room.screen("messages.txt")))
        self.assertFalse((self.room.path / "r2m-merged.safetensors").exists())


class Everywhere(ScriptTest):
    def test_without_utf8_the_screen_is_ascii(self):
        self.play("views.script", locale="C")
        for dump in self.room.path.glob("*.txt"):
            self.assertTrue(dump.read_bytes().isascii(), dump.name)

    def test_rows_fit_the_screen(self):
        self.play("ranks.script")
        for dump in self.room.path.glob("*.txt"):
            rows = self.room.screen(dump.name)
            self.assertEqual(len(rows), 24, dump.name)
            self.assertLessEqual(max(map(len, rows)), 80, dump.name)

    def test_every_size_and_number_of_specialists(self):
        sizes = ["60 16", "80 24", "81 24", "132 43", "200 60", "500 200"]
        steps = [":wait"] + [line for size in sizes for line in
                             [f":resize {size}", "keys: 1 2 3 4 5 ? Esc 1",
                              f":screendump {size.replace(' ', 'x')}.txt"]]
        (self.room.path / "sizes.script").write_text("\n".join(steps) + "\n")
        files = ["fs.safetensors"] * 12
        for count in (1, 12):
            names = [f"s{i}={file}" for i, file in enumerate(files[:count])]
            done = self.room.run("tui", "--base", "base.safetensors", *names, "--script",
                                 "sizes.script")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for size in sizes:
                rows = self.room.screen(size.replace(" ", "x") + ".txt")
                self.assertEqual(len(rows), int(size.split()[1]))
                self.assertIn("q:quit", rows[-1])

    def test_any_name_on_any_screen(self):  # O12
        names = ["wide.\u5bbd" * 300, "long." * 700, "\x1b[2J\u202eback.weight", "\u0301" * 50, ""]
        tensors = {name: np.eye(3, dtype=np.float32) for name in names}
        safetensors_file.write(self.room.path / "odd.safetensors", tensors)
        other = {name: 2 * values for name, values in tensors.items()}
        safetensors_file.write(self.room.path / "other.safetensors", other)
        sizes = ["1 1", "2 1", "60 16", "80 24"]
        steps = [":wait"] + [line for size in sizes for line in
                             [f":resize {size}", "keys: 1 2 3 4 5 ? Esc 1",
                              f":screendump {size.replace(' ', 'x')}.txt"]]
        (self.room.path / "odd.script").write_text("\n".join(steps) + "\n")
        done = self.room.run("tui", "--base", "odd.safetensors", "other.safetensors", "--script",
                             "odd.script")
        self.assertEqual(done.returncode, 0, done.stderr)
        for size in sizes:
            rows = self.room.screen(size.replace(" ", "x") + ".txt")
            self.assertEqual(len(rows), int(size.split()[1]))
            self.assertFalse(any(ord(c) < 32 for row in rows for c in row))

    def test_random_keys_can_all_be_undone(self):
        """Keys that change the plan, in a fixed random order, at changing sizes; then undo."""
        pick = random.Random(7)
        changing = ["+", "-", ">", "<", "a", "]", "[", "Space", "*", "z", "Z", "d", "Down", "PgDn",
                    "G", "g", "Up", "v", "s", "S", "K", "t", "E", "%", "X", "i", "o", ".", "V",
                    "A", "c", "p", "P", "U", "l", "Tab", "x", "e", "2", "1", "4", "Right", "Left", "3", "m",
                    "u", "C-r", "?", "Esc"]
        steps = [":wait", "keys: 5 g e C-u", "type: before.json", "keys: Enter Enter 1"]
        for _ in range(60):
            steps.append("keys: " + " ".join(pick.choice(changing) for _ in range(8)))
            steps.append(f":resize {pick.randint(10, 220)} {pick.randint(3, 70)}")
            if pick.random() < 0.2:
                steps.append(":wait")
        steps += ["keys: Esc Esc 5 g e C-u", "type: middle.json", "keys: Enter Enter 1",
                  "keys: " + "u " * 500, ":wait", ":resize 80 24",
                  "keys: 5 g e C-u", "type: after.json", "keys: Enter Enter", ":screendump end.txt"]
        (self.room.path / "random.script").write_text("\n".join(steps) + "\n")
        done = self.room.run("tui", "demo.json", "--script", "random.script")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("after.json written", "\n".join(self.room.screen("end.txt")))
        self.assertNotEqual((self.room.path / "before.json").read_bytes(),
                            (self.room.path / "middle.json").read_bytes())
        self.assertEqual((self.room.path / "before.json").read_bytes(),
                         (self.room.path / "after.json").read_bytes())

    def test_a_wrong_script_is_an_error_with_its_line(self):
        (self.room.path / "bad.script").write_text(":wait\nkeys: Down Nonsense\n")
        done = self.room.run("tui", "demo.json", "--script", "bad.script")
        self.assertEqual(done.returncode, 2)
        self.assertIn("bad.script:2", done.stderr)

    def test_every_key_is_pressed_by_a_script(self):
        listing = self.room.run("tui", "--keys").stdout.splitlines()
        pressed = set()
        for script in SCRIPTS.glob("*.script"):
            view = "layers"
            for line in script.read_text().splitlines():
                if not line.startswith("keys: "):
                    continue
                for key in line[6:].split():
                    pressed.add((view, key.lower() if len(key) > 1 else key))
                    view = VIEWS.get(key, view)
        self.assertGreater(len(listing), 40)
        missing = []
        for line in listing:
            view, keys, action, _ = line.split("\t")
            for key in keys.split():
                key = key.lower() if len(key) > 1 else key
                views = VIEWS.values() if view == "all" else [view]
                if not any((one, key) in pressed for one in views):
                    missing.append((view, key, action))
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
