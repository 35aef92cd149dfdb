"""Key !: the plan is merged to a temporary file and measured; the history keeps the metrics."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class EvaluateMethod(ScriptTest):
    def test_settings_of_a_method_without_a_core_change_meanwhile(self):
        self.play("evaluate-method.script")
        changed = "\n".join(self.room.screen("changed.txt"))
        self.assertRegex(changed, r"ties.density.*0\.4")
        self.assertNotIn("the core stays", changed)
        self.assertIn("auc 0.625", "\n".join(self.room.screen("measured.txt")))


class Evaluate(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("evaluate.script")

    def text(self, dump):
        return "\n".join(self.room.screen(dump))

    def test_without_a_command_it_says_what_to_do(self):
        self.assertIn(":set eval.command=CMD {}", self.text("none.txt"))

    def test_metrics_are_said_and_kept_beside_the_plan(self):
        self.assertIn("auc 0.625, eer 0.1", self.room.screen("measured.txt")[-2])
        rows = [row for row in self.room.screen("history.txt") if "auc 0.625" in row]
        self.assertEqual(len(rows), 2)  # of the plan before the ranks, and behind them
        self.assertIn("auc 0.625, eer 0.1", self.text("export.txt"))

    def test_a_failure_is_told_and_the_plan_stays(self):
        self.assertIn("exit code 7", self.text("failed.txt"))
        self.assertEqual(self.text("back.txt").count("auc 0.625"), 2)

    def test_no_file_is_left(self):
        left = {path.name for path in self.room.path.iterdir()}
        self.assertFalse([name for name in left if "evaluated" in name], left)


if __name__ == "__main__":
    unittest.main()
