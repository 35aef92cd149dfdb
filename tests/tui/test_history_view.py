"""View 6: measured plans with settings and metrics, sorted, plotted, restored, kept for later."""

import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import Room, ScriptTest  # noqa: E402

# What a plan "measures": its merged config, which is in the file's metadata.
MEASURE = """
config=$(head -c 20000 "$1" | tr -d '\\\\' | grep -ao '"method": *"[a-z_0-9]*"\\|"alpha": *[0-9.]*\\|"ratio": *[0-9.]*' |
         tr -d '"\\n ')
case $config in
  method:average*) echo "auc: 0.7"; echo "eer: 0.3"; echo "an average" >&2;;
  *ratio:0.3*) echo "no number for this"; exit 3;;
  *alpha:0.9*) echo "auc: 0.9"; echo "eer: 0.1";;
  *) echo "auc: 0.8"; echo "eer: 0.2";;
esac
"""


class History(ScriptTest):
    def setUp(self):
        super().setUp()
        (self.room.path / "measure.sh").write_text(MEASURE)
        self.play("history.script")

    def table(self, dump):
        """Words of the rows below the header, as far as the table goes."""
        rows = self.room.screen(dump)
        rows = [row.split("│")[0] for row in rows[2:]]
        return [row.replace(">", "").split() for row in rows if row.strip().startswith((">", "1", "0"))
                and ":" in row]

    def text(self, dump):
        return "\n".join(self.room.screen(dump))

    def test_nothing_measured_says_how(self):
        self.assertIn(":set eval.command=CMD {}", self.text("empty.txt"))

    def test_plans_with_metrics_and_the_settings_that_differ(self):
        header = self.room.screen("latest.txt")[1].split()
        for title in ("auc", "eer", "alpha", "method"):
            self.assertIn(title, " ".join(header))
        rows = self.table("latest.txt")
        self.assertEqual([row[2] for row in rows], ["failed", "0.7", "*0.9", "0.8"])
        self.assertEqual([row[3] for row in rows], ["-", "0.3", "*0.1", "0.2"])  # lower is better
        self.assertTrue(self.room.screen("latest.txt")[2].startswith("> "))  # the present plan

    def test_sorted_by_any_column_and_turned(self):
        self.assertEqual([row[2] for row in self.table("sorted.txt")],
                         ["*0.9", "0.8", "0.7", "failed"])
        self.assertEqual([row[2] for row in self.table("turned.txt")],
                         ["0.7", "0.8", "*0.9", "failed"])

    def test_a_metric_against_a_setting(self):
        self.assertIn("auc against", self.text("wide.txt"))
        first = next(row for row in self.room.screen("wide.txt") if " against " in row)
        second = next(row for row in self.room.screen("against.txt") if " against " in row)
        self.assertNotEqual(first, second)
        self.assertIn("eer against", self.text("metric.txt"))

    def test_what_was_printed(self):
        self.assertIn("What the evaluation printed", self.text("output.txt"))
        self.assertIn("exit code 3", self.text("output.txt"))
        self.assertIn("no number for this", self.text("output.txt"))

    def test_a_plan_comes_back(self):
        self.assertIn("method=average", self.text("restored.txt"))
        row = next(row for row in self.room.screen("restored.txt") if "average" in row)
        self.assertTrue(row.startswith("> "), row)
        row = next(row for row in self.room.screen("undone.txt") if "average" in row)
        self.assertFalse(row.startswith("> "), row)

    def test_forgotten_ones_are_gone(self):
        self.assertEqual(len(self.table("forgotten.txt")), 3)
        self.assertEqual(len(self.table("two.txt")), 2)
        kept = (self.room.path / "state/r2m/measured.jsonl").read_text().splitlines()
        self.assertEqual(len(kept), 2)

    def again(self, name="again.txt", source=("demo.json",), keys=""):
        script = self.room.path / "again.script"
        script.write_text(f":wait\n:screendump first.txt\nkeys: 6 {keys}\n:screendump {name}\n"
                          "keys: q y\n")
        done = self.room.run("tui", *source, "--script", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.table(name)

    def test_later_sessions_know_them(self):
        self.assertEqual(len(self.again()), 2)
        other = ["--base", "base.safetensors", "fs.safetensors", "fr.safetensors"]
        self.assertEqual(self.again(source=other), [])  # other files, other plans

    def test_the_cursor_stays_where_a_plan_is_forgotten(self):
        path = self.room.path / "state/r2m/measured.jsonl"
        one = json.loads(path.read_text().splitlines()[0])
        plans = [{**one, "config": re.sub('"alpha": [0-9.]+', f'"alpha": {alpha}', one["config"]),
                  "metrics": {"auc": alpha}} for alpha in (0.1, 0.2, 0.3, 0.4)]
        path.write_text("".join(json.dumps(plan) + "\n" for plan in plans))
        self.assertEqual([row[2] for row in self.again(keys="j d")], ["*0.4", "0.2", "0.1"])
        self.assertRegex(self.text("again.txt"), r"forgotten +2/3")

    def test_a_later_failure_hides_no_success(self):
        """Of the same plan, measured and then tried in vain, both are listed; of one that was tried
        in vain and then measured, the measurement."""
        path = self.room.path / "state/r2m/measured.jsonl"
        measured = json.loads(path.read_text().splitlines()[0])
        failed = {**measured, "metrics": {}, "error": "no GPU", "when": measured["when"] + 60}
        again = {**measured, "metrics": {"auc": 0.95}, "when": measured["when"] + 120}

        def listed(*lines):
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            return [row[2].strip("*") for row in self.again()]

        value = str(measured["metrics"]["auc"])
        self.assertEqual(listed(measured, failed, failed), ["failed", value])
        self.again(keys="Enter")
        self.assertEqual([row[:2] for row in self.room.screen("again.txt")[2:4]], ["> ", "> "])
        self.assertEqual(listed(measured, failed, again), ["0.95"])
        self.assertEqual(listed(failed, measured), [value])

    def test_a_failure_is_said_where_there_is_nothing_to_plot(self):
        room = Room()
        self.addCleanup(room.folder.cleanup)
        script = room.path / "failed.script"
        script.write_text(":wait\nkeys: :\ntype: set eval.command=false {}\nkeys: Enter !\n:wait\n"
                          "keys: 6\n:screendump failed.txt\n:quit\n")
        done = room.run("tui", "demo.json", "--script", script)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = " ".join(" ".join(room.screen("failed.txt")[:-2]).split())
        self.assertIn("failed: ", text)
        self.assertIn("; o shows what was printed", text)

    def test_foreign_lines_are_told_and_left_alone(self):
        path = self.room.path / "state/r2m/measured.jsonl"
        lines = path.read_text().splitlines()
        broken = json.loads(lines[0])
        broken["config"] = broken["config"].replace('"alpha"', '"alhpa"')
        strange = ["not json", "{}", json.dumps(broken), '{"r2m": 2, "files": "x"}', "[" * 5000]
        path.write_text("\n".join([*strange, *lines]) + "\n" + lines[0][:100])
        self.assertEqual(len(self.again()), 2)
        self.assertIn("6 lines are no measured plans", " ".join(self.text("first.txt").split()))
        self.assertIn("not json", path.read_text())

    def test_a_folder_that_cannot_be_written(self):
        path = self.room.path / "state/r2m"
        (path / "measured.jsonl").unlink()
        (path / "measured.jsonl.lock").unlink()
        path.rename(self.room.path / "state/other")
        path.write_text("a file in its place")
        script = self.room.path / "again.script"
        script.write_text(":wait\nkeys: :\ntype: set eval.command=echo auc: 1 {}\nkeys: Enter !\n:wait\n"
                          ":screendump said.txt\nkeys: 6\n:screendump again.txt\nkeys: q y\n")
        done = self.room.run("tui", "demo.json", "--script", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.table("again.txt")), 1)


if __name__ == "__main__":
    unittest.main()
