"""merge --eval: the command runs on the merged file, its metrics are shown, its failures told."""

import json
import unittest

from program_test import SOURCE, ProgramTest

MERGE = ["merge", *SOURCE, "-o", "out.safetensors"]


class Eval(ProgramTest):
    def test_metrics_stand_in_both_forms(self):
        shown = self.good(*MERGE, "--eval", "test -s {} && echo auc: 0.75 && echo eer = 0.1")
        self.assertIn("auc 0.75\neer 0.1\n", shown)
        document = json.loads(self.good(*MERGE, "--force", "--json", "--eval", 'wc -c < {} | sed "s/^/size: /"'))
        self.assertEqual(document["metrics"], {"size": document["bytes"]})

    def test_the_merged_bytes_are_the_same(self):
        self.good(*MERGE)
        alone = (self.folder / "out.safetensors").read_bytes()
        self.good(*MERGE, "--force", "--eval", "echo auc: 1; : {}", "--set", "eval.metric=auc")
        self.assertEqual(alone, (self.folder / "out.safetensors").read_bytes())

    def test_without_it_nothing_changes(self):
        self.assertNotIn("metrics", json.loads(self.good(*MERGE, "--json")))

    def test_a_failure_leaves_the_merge(self):
        for command, says in (("exit 3; {}", "exit code 3"), ("sleep 100; : {}", "0.1 seconds"),
                              ("echo no number {}", "no metric"), ("echo auc: nan {}; echo auc: nan", "auc"),
                              ("no-such-program {}", "not found")):
            with self.subTest(command):
                done = self.run_program(*MERGE, "--force", "--eval", command, "--eval-timeout", "0.1"
                                        if "sleep" in command else "100")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(says, done.stderr)
                self.assertIn("sha256", done.stdout)
                self.assertTrue((self.folder / "out.safetensors").exists())

    def test_wrong_commands_are_told_before_anything_runs(self):
        self.refused(2, *MERGE, "--eval", "echo auc: 1", says=["eval.command", "{}"])
        self.refused(2, *MERGE, "--eval-timeout", "0", says=["eval.timeout", "above 0"])
        self.refused(2, *MERGE, "--set", "eval.metric=-", says=["eval.metric"])
        self.assertFalse((self.folder / "out.safetensors").exists())

    def test_adapters_are_no_checkpoint_to_measure(self):
        """What a config says of evaluations is for merges."""
        adapters = ["--adapters", "-o", "adapters"]
        self.refused(2, "merge", *SOURCE, *adapters, "--eval", "echo auc: 1; : {}",
                     says=["--adapters", "nor --eval"])
        self.good("init", *SOURCE, "-o", "c.json", "--eval", "touch ran; : {}")
        self.good("merge", "c.json", *adapters)
        self.assertFalse((self.folder / "ran").exists())

    def test_a_config_keeps_it(self):
        self.good("init", *SOURCE, "-o", "c.json", "--eval", "echo loss: 0.5; : {}", "--eval-timeout", "60",
                  "--set", "eval.metric=-loss")
        document = json.loads((self.folder / "c.json").read_text())
        self.assertEqual(document["eval"], {"command": "echo loss: 0.5; : {}", "timeout": 60, "metric": "-loss"})
        self.assertIn("loss 0.5", self.good("merge", "c.json", "-o", "out.safetensors"))
        document["eval"] = {"timeout": "x", "command": 3, "colour": 1}
        (self.folder / "d.json").write_text(json.dumps(document))
        self.refused(2, "analyze", "d.json", says=["eval.timeout", "eval.command", "eval.colour"])


if __name__ == "__main__":
    unittest.main()
