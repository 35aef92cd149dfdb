"""Wrong use is one line, what to try, and exit 2; help, version and completion come from the same
tables as the parser."""

import re
import shutil
import subprocess
import unittest

from program_test import SOURCE, ProgramTest

COMMANDS = ["tui", "inspect", "analyze", "merge", "plot", "init"]
MERGE = ["merge", *SOURCE, "-o", "out.safetensors"]


class WrongUse(ProgramTest):
    def usage(self, *arguments, says=(), command=None):
        """Exactly one line and the one that tells what to try."""
        lines = self.refused(2, *arguments, says=says).splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertEqual(lines[1], f"Try 'r2m {command + ' ' if command else ''}--help'.")

    def test_words(self):
        self.usage("merg", says=["merge"])
        self.usage("merge", "--thread", "2", says=["--threads"], command="merge")
        self.usage("merge", "--zzzzzz", says=["--zzzzzz"], command="merge")
        self.usage("merge", "--hash", says=["inspect"], command="merge")
        self.usage("analyze", "-Z", says=["-Z"], command="analyze")

    def test_values(self):
        for bad in ("0", "-1", "two", "1e3", "", "99999999999"):
            self.usage(*MERGE, f"--threads={bad}", says=["--threads"], command="merge")
        self.usage(*MERGE, "--json=yes", says=["--json"], command="merge")
        self.usage("merge", *SOURCE, "-o", says=["-o"], command="merge")
        self.usage(*MERGE, "--color=red", says=["auto", "always", "never"], command="merge")
        self.usage(*MERGE, "--preset=none", says=["r2m", "paper", "script"], command="merge")
        self.usage("--completion", "csh", says=["bash", "zsh", "fish"])

    def test_what_is_missing(self):
        self.usage("inspect", command="inspect")
        self.usage("merge", *SOURCE, says=["-o"], command="merge")
        self.usage("plot", *SOURCE, says=["-o"], command="plot")
        self.usage("init", *SOURCE, says=["-o"], command="init")
        self.usage("init", "-o", "c.json", says=["--base"], command="init")
        self.usage("analyze", command="analyze")
        self.usage("analyze", "--base", "base.safetensors", says=["specialist"], command="analyze")
        self.usage("analyze", "fs.safetensors", "efs.safetensors", says=["--base"],
                   command="analyze")
        self.usage(says=["r2m.json"], command="tui")

    def test_settings(self):
        cases = {"alpha=strong": ["alpha", "strong", "number"], "alpha": ["="],
                 "alpha=nan": ["alpha"], "alpha=0x1": ["alpha"], "alpha=-1": ["alpha"],
                 "real.rank=4": ["real.rank", "3"], "real.rank=0": ["real.rank"],
                 "alhpa=1": ["alpha"], "norm_match=none_": ["global", "layer", "none"],
                 "residual.rank.best=1": ["best", "ratio", "energy", "gd"],
                 "residual.rank=half": ["half"], "residual.rank.ratio=2": ["ratio"],
                 "specialists.nobody.weight=1": ["nobody"], "specialists.fs.weight=-1": ["weight"],
                 "output.dtype=f8": ["f16"]}
        for setting, says in cases.items():
            with self.subTest(setting):
                self.refused(2, *MERGE, "--set", setting, says=says)

    def test_every_wrong_setting_is_listed(self):
        self.refused(2, *MERGE, "--set", "alpha=x", "--set", "real.center=maybe",
                     says=["alpha", "real.center"])

    def test_a_layer_that_nobody_has(self):
        self.refused(2, "plot", *SOURCE, "-o", "out", "--layer", "blocks.2.mpl.weight",
                     says=["blocks.2.mpl.weight", "blocks.2.mlp.weight"])

    def test_configs(self):
        cases = {'{"r2m": 1, "bass": "x"}': ["bass"], '{"r2m": 1, ': ["c.json"],
                 '{"r2m": 2}': ["r2m"], '{"r2m": 1, "alpha": "x"}': ["alpha"], "": ["c.json"],
                 '{"r2m": 1, "base": "base.safetensors"}': ["specialist"],
                 '{"r2m": 1, "specialists": [{"name": "a", "path": "fs.safetensors"}]}': ["base"]}
        for text, says in cases.items():
            with self.subTest(text):
                (self.folder / "c.json").write_text(text)
                self.refused(2, "analyze", "c.json", says=says)
        self.refused(1, "analyze", "missing.json", says=["missing.json"])

    def test_the_screen_without_a_terminal(self):
        self.refused(2, "tui", *SOURCE, says=["terminal"])
        self.refused(2, *SOURCE, says=["terminal"])

    def test_options_stand_anywhere_and_end(self):
        base, *rest = SOURCE[1:]
        first = self.good("--threads", "2", "analyze", "--json", "--base", base, *rest)
        self.assertEqual(first, self.good("analyze", f"--base={base}", *rest, "--json"))
        (self.folder / "-odd.safetensors").write_bytes((self.folder / rest[0]).read_bytes())
        self.assertIn("conv.weight", self.good("inspect", "--", "-odd.safetensors"))

    def test_control_characters_are_not_repeated(self):
        for arguments in (["\x1b[31m"], ["merge", "--\x1b[31m"], ["inspect", "\x1b[31m"],
                          ["analyze", "\x1b[31m.json"], [*MERGE, "--set", "\x1b[31m=1"],
                          [*MERGE, "--set", "alpha=\x1b[31m"], ["--base", "\x1b[31m", "b"],
                          ["merge", *SOURCE, "-o", "\x1b[31m/x.safetensors"]):
            done = self.run_program(*arguments)
            self.assertIn(done.returncode, (1, 2))
            self.assertNotIn("\x1b", done.stderr, arguments)


class Help(ProgramTest):
    def test_overview(self):
        text = self.good("--help")
        for command in COMMANDS:
            self.assertIn(f"r2m {command}", text)
        self.assertEqual(text, self.good("-h"))

    def test_every_command(self):
        for command in COMMANDS:
            text = self.good(command, "--help")
            self.assertIn(f"r2m {command}", text.splitlines()[0])
            self.assertLessEqual(max(map(len, text.splitlines())), 100)
            self.assertEqual(text, self.good("--help", command))

    def test_listed_options_are_taken(self):
        """Each option of --help is known to its command: the refusal is never "unknown"."""
        for command in COMMANDS:
            for option in re.findall(r"^ .*?(--[a-z-]+)", self.good(command, "--help"), re.M):
                done = self.run_program(command, option)
                self.assertNotIn("unknown", done.stderr, (command, option))

    def test_version(self):
        lines = self.good("--version").splitlines()
        self.assertRegex(lines[0], r"^r2m \d+\.\d+\.\d+$")
        for library in ("openblas", "cairo", "libpng", "cjson", "ncurses"):
            self.assertRegex(lines[1], library + r" \d")
        self.assertIn("MIT", lines[2])

    def test_keys_of_the_screen(self):
        rows = [line.split("\t") for line in self.good("tui", "--keys").splitlines()]
        self.assertGreater(len(rows), 30)
        self.assertEqual({len(row) for row in rows}, {4})

    def test_completion(self):
        for shell in ("bash", "zsh", "fish"):
            text = self.good("--completion", shell)
            for word in [*COMMANDS, "dry-run", "norm_match=", "paper"]:
                self.assertIn(word, text, shell)
            if shutil.which(shell):
                done = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)

    def complete(self, *words):
        """What bash would offer behind these words."""
        script = self.good("--completion", "bash") + (
            f"\nCOMP_WORDS=({' '.join(repr(word) for word in words)})\n"
            f"COMP_CWORD={len(words) - 1}\n_r2m 2> /dev/null\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"")
        return subprocess.run(["bash", "-c", script], text=True, capture_output=True,
                              check=True).stdout.split()

    @unittest.skipUnless(shutil.which("bash"), "bash is not here")
    def test_completion_in_bash(self):
        self.assertEqual(self.complete("r2m", "mer"), ["merge"])
        self.assertEqual(self.complete("r2m", "merge", "--dry"), ["--dry-run"])
        self.assertEqual(self.complete("r2m", "merge", "--preset", "p"), ["paper"])
        self.assertEqual(self.complete("r2m", "merge", "--set", "alp"), ["alpha="])
        self.assertEqual(self.complete("r2m", "merge", "--set", "residual.rank.a"),
                         ["residual.rank.auto=true"])
        self.assertEqual(self.complete("r2m", "merge", "--spectr"), [])
        self.assertEqual(self.complete("r2m", "plot", "--figure", "map-k"), ["map-kept"])


if __name__ == "__main__":
    unittest.main()
