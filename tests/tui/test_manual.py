"""The manual says what the program's tables say: commands, options, keys, config fields."""

import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import manual  # noqa: E402

R2M = os.path.abspath(os.environ.get("R2M", "build/r2m"))
PAGES = [ROOT / "man/r2m.1", ROOT / "man/r2m-config.5"]
NOT_INSTALLED = "referenced manual not found"  # by mandoc, until both pages are installed


def words(text):
    return " ".join(text.split())


def rendered(page):
    text = subprocess.run(["mandoc", "-Tascii", "-Owidth=1000", page], check=True, text=True,
                          capture_output=True).stdout
    return words(re.sub(".\b", "", text))


class Manual(unittest.TestCase):
    def test_made_parts_are_those_of_the_program(self):
        page = PAGES[0].read_text()
        self.assertEqual(manual.fill(page, R2M), page, "run tests/manual.py PROGRAM")

    def test_every_key_and_option_is_there(self):
        page = PAGES[0].read_text()
        rows = manual.text_of(R2M, "tui", "--keys").splitlines()
        self.assertGreater(len(rows), 30)
        for row in rows:
            self.assertIn(manual.escape(row.split("\t")[3]) + ".", page)
        for command, *_ in manual.commands(R2M):
            for name in re.findall(r"^  .{4}--(\S+)", manual.text_of(R2M, command, "--help"), re.M):
                self.assertIn(f"Fl \\-{manual.escape(name)}", page)
        self.assertEqual(len(manual.commands(R2M)), 9)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_has_nothing_to_say(self):
        done = subprocess.run(["mandoc", "-Tlint", *PAGES], capture_output=True, text=True)
        said = [line for line in done.stdout.splitlines() if NOT_INSTALLED not in line]
        self.assertEqual(said, [])

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_every_config_field_is_there(self):
        page = rendered(PAGES[1])
        listed = manual.text_of(R2M, "init", "--help").split("for --set:\n")[1]
        fields = re.findall(r"^  (\S+): .*\n      (.*)$", listed, re.M)
        rules = re.findall(r"^  (\w+): (.*)$", listed.split("residual.rank.RULE")[1], re.M)
        self.assertGreater(len(fields), 10)
        self.assertEqual(len(rules), 8)
        for name, meaning in fields:
            self.assertRegex(page, re.escape(name) + r" \([^)]*\) " + re.escape(words(meaning)))
        for name, meaning in rules:
            self.assertRegex(page, rf'\{{"{name}": \S+\}} ' + re.escape(words(meaning)))


if __name__ == "__main__":
    unittest.main()
