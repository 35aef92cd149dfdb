"""r2m sweep: points and their records, evaluations that fail, resuming, searching."""

import csv
import json
import re
import signal
import subprocess
import sys
import unittest

import numpy as np

from program_test import R2M, SOURCE, ProgramTest

# The mean distance of the merged weights from the base, in plain Python; a line in calls for each call.
EVALUATION = """
import array, json, struct, sys
def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: array.array("f", data[slice(*entry["data_offsets"])])
            for name, entry in header.items()}
merged, base = read(sys.argv[1]), read("base.safetensors")
with open("calls", "a") as calls:
    calls.write(sys.argv[1] + chr(10))
away = [sum(abs(a - b) for a, b in zip(merged[name], base[name])) / len(base[name])
        for name in base]
print(json.dumps({"loss": sum(away) / len(away), "parts": {"first": away[0]}}))
"""
VARY = ["--vary", "alpha=0.2:1.0:0.4", "--vary", "residual.rank.ratio=0.1,0.5"]


class Sweep(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "evaluate.py").write_text(EVALUATION)
        self.evaluate = f"{sys.executable} -S evaluate.py {{}}"

    def sweep(self, *more, command=None, output="out"):
        return ["sweep", *SOURCE, "--eval", command or self.evaluate, "-o", output, *more]

    def records(self, output="out"):
        lines = (self.folder / output / "sweep.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def table(self, output="out"):
        with open(self.folder / output / "sweep.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        return [{key: row[key] for key in row if key != "seconds"} for row in rows]

    def calls(self):
        path = self.folder / "calls"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def left(self, output="out"):
        return sorted(path.name for path in (self.folder / output).iterdir())


class Grid(Sweep):
    def test_every_point_is_measured_and_the_best_is_a_config(self):
        told = self.json(*self.sweep(*VARY, "--metric", "loss", "--json"))
        records = self.records()
        self.assertEqual(len(records), 6)
        self.assertEqual({(r["settings"]["alpha"], r["settings"]["residual.rank.ratio"])
                          for r in records}, {(a, q) for a in (0.2, 0.6, 1) for q in (0.1, 0.5)})
        best = max(records, key=lambda record: record["metrics"]["loss"])
        self.assertEqual(told["best"]["settings"], best["settings"])
        self.assertEqual((told["points"], told["failed"]), (6, 0))
        self.assertEqual(self.left(), ["best.json", "sweep.csv", "sweep.jsonl", "sweep.png"])
        self.good("merge", "out/best.json", "-o", "again.safetensors")
        again = subprocess.run([*self.evaluate.format("again.safetensors").split()],
                               cwd=self.folder, capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(again.stdout)["loss"], best["metrics"]["loss"])

    def test_equal_plans_are_measured_once(self):
        """Averages look at no alpha: four points, three plans, and twice the same numbers."""
        vary = ["--vary", "method=average,task_arithmetic", "--vary", "task_arithmetic.lambda=0.3,0.5"]
        self.good(*self.sweep(*vary))
        self.assertEqual((len(self.records()), self.calls()), (4, 3))
        loss = {tuple(record["settings"].values()): record["metrics"]["loss"]
                for record in self.records()}
        self.assertEqual(loss["average", 0.3], loss["average", 0.5])
        self.assertNotEqual(loss["task_arithmetic", 0.3], loss["task_arithmetic", 0.5])
        self.good(*self.sweep(*vary[:3], "task_arithmetic.lambda=0.3,0.5,0.7"))
        self.assertEqual((len(self.records()), self.calls()), (6, 4))  # the average is known

    def test_the_chart_tells_the_best_and_what_failed(self):
        """Words as bars with their values, numbers as curves with a line at the best."""
        svg = self.folder / "out" / "sweep.svg"
        command = "test -e n && echo loss=0.1234 || { touch n; exit 1; } # {}"
        self.good(*self.sweep("--vary", "method=average,ties,cart", "--format", "svg", command=command))
        words = "".join(re.findall(r">([^<]+)<", svg.read_text()))
        for text in ("average failed", "ties 0.1234", "best 0.1234: method=ties; 1 point failed"):
            self.assertIn(text, words)
        self.good(*self.sweep(*VARY[:2], "--format", "svg", "--force"))
        words = "".join(re.findall(r">([^<]+)<", svg.read_text()))
        self.assertNotIn("failed", words)
        self.assertEqual(words.count("best"), 2)  # below the title, at the line
        self.run_program(*self.sweep(*VARY[:2], "--metric", "auc", "--format", "svg", "--force",
                                     command="exit 1 # {}"))
        self.assertIn("no point has this metric; 3 points failed", svg.read_text())

    def test_the_line_is_broken_where_a_point_failed(self):
        """Of five points the third fails: two pieces of line and a cross. Those of a grid that were
        not drawn have not failed: the line goes on."""
        def strokes():
            svg = (self.folder / "out" / "sweep.svg").read_text()
            curve = re.findall(r'stroke="#0072b2" stroke-width="1.2" points="([^"]*)"', svg)
            return [len(points.split()) for points in curve]

        command = "echo >> n; test $(wc -l < n) = 3 && exit 1; echo auc=$(wc -l < n) # {}"
        self.good(*self.sweep("--vary", "alpha=1:5:1", "--format", "svg", command=command))
        self.assertEqual(strokes(), [2] * 5)  # pieces, strokes of the cross, the legend
        self.good(*self.sweep("--vary", "alpha=1:5:1", "--vary", "core_scale=1:5:1", "--random", "9",
                              "--format", "svg", "--force", command="echo auc=1 # {}"))
        self.assertNotIn("failed", (self.folder / "out" / "sweep.svg").read_text())
        self.assertEqual(max(strokes()), sum(r["settings"]["core_scale"] == 1 for r in self.records()))

    def test_points_are_those_of_single_merges(self):
        self.good(*self.sweep(*VARY))
        for record in self.records():
            changes = [f"--set={key}={value}" for key, value in record["settings"].items()]
            self.good("merge", *SOURCE, *changes, "-o", "one.safetensors", "--force")
            done = subprocess.run([*self.evaluate.format("one.safetensors").split()],
                                  cwd=self.folder, capture_output=True, text=True, check=True)
            self.assertEqual(json.loads(done.stdout)["loss"], record["metrics"]["loss"])
            self.assertEqual(json.loads(done.stdout)["parts"]["first"],
                             record["metrics"]["parts.first"])

    def test_settings_of_the_core_and_methods_are_points_too(self):
        more = ["--vary", "real.center=true,false", "--vary", "method=r2m,average,ties"]
        self.good(*self.sweep(*more))
        rows = self.table()
        self.assertEqual(len(rows), 6)
        losses = {(row["real.center"], row["method"]): row["loss"] for row in rows}
        self.assertNotEqual(losses["true", "r2m"], losses["false", "r2m"])
        self.assertEqual(losses["true", "ties"], losses["false", "ties"])

    def test_several_at_a_time_give_the_same(self):
        self.good(*self.sweep(*VARY, "--vary", "real.center=false,true"))
        self.good(*self.sweep(*VARY, "--vary", "real.center=false,true", "-j", "3", output="three"))
        self.assertEqual(self.table(), self.table("three"))
        self.assertEqual(self.left(), self.left("three"))

    def test_lower_may_be_better(self):
        told = self.json(*self.sweep(*VARY, "--metric", "-loss", "--json"))
        self.assertEqual(told["best"]["metrics"]["loss"],
                         min(record["metrics"]["loss"] for record in self.records()))
        self.assertTrue(told["lower_is_better"])

    def test_unless_told_the_lowest_loss_is_best(self):
        told = self.json(*self.sweep(*VARY, "--json"))
        lowest = min(record["metrics"]["loss"] for record in self.records())
        self.assertEqual((told["lower_is_better"], told["best"]["metrics"]["loss"]), (True, lowest))
        self.assertFalse(self.json(*self.sweep(*VARY, "--metric", "loss", "--json"))["lower_is_better"])

    def test_random_points_are_reproducible(self):
        more = ["--vary", "alpha=0:1:0.01", "--random", "4", "--seed", "3"]
        self.good(*self.sweep(*more))
        self.good(*self.sweep(*more, output="again"))
        self.assertEqual(self.table(), self.table("again"))
        self.assertEqual(len(self.table()), 4)

    def test_without_evaluation_spectra_tell(self):
        self.good("sweep", *SOURCE, *VARY, "-o", "out")
        kept = {row["residual.rank.ratio"]: float(row["kept"]) for row in self.table()}
        self.assertLess(kept["0.1"], kept["0.5"])
        self.assertEqual(self.left(), ["sweep.csv", "sweep.jsonl", "sweep.png"])


    def test_only_what_is_merged_needs_room(self):
        """A tensor of the base alone is copied by a merge and nothing to an analysis."""
        large = np.zeros(1 << 25, np.float32)
        self.write("base", {**self.base, "text.weight": large})
        alone = ["sweep", *SOURCE, *VARY, "-o", "out", "--memory", "100M"]
        self.good(*alone)
        self.assertEqual(len(self.records()), 6)
        done = self.run_program(*self.sweep(*VARY, "--memory", "100M", output="two"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("the merge needs at least", done.stderr)


class Failures(Sweep):
    def failing(self, body, *more, code=0, vary=("--vary", "alpha=0.2,0.6")):
        (self.folder / "script.sh").write_text(body)
        done = self.run_program(*self.sweep(*vary, *more, command="sh script.sh {}"))
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn("r2m-sweep", " ".join(self.left()))
        return [record["error"] for record in self.records()], done.stderr

    def test_a_command_that_fails_is_a_record(self):
        errors, said = self.failing("echo loading; echo 'no such GPU' >&2; exit 3", code=1)
        self.assertEqual(self.records()[0]["output"], "loading\nno such GPU\n")
        self.assertEqual(errors, ["the evaluation ended with exit code 3; it ended with: no such GPU"] * 2)
        self.assertIn("no point has a metric", said)

    def test_one_good_point_is_enough(self):
        errors, _ = self.failing('if test -e n; then echo "auc: 0.5"; else echo > n; exit 1; fi')
        self.assertEqual([error is None for error in errors], [False, True])

    def test_no_metric_and_nan(self):
        errors, _ = self.failing("echo done", code=1)
        self.assertIn("no metric", errors[0])
        (self.folder / "out" / "sweep.jsonl").unlink()
        errors, _ = self.failing("echo auc: nan", code=1)
        self.assertIn("auc", errors[0])

    def test_a_metric_that_no_point_has_ends_the_sweep_at_the_first(self):
        """A typing mistake is told with the names that there are, and leaves no older answer."""
        def mistaken(*more):
            done = self.run_program(*self.sweep(*more, "--metric", "-los", "--json"))
            self.assertEqual(done.returncode, 1)
            self.assertIsNone(json.loads(done.stdout)["best"])
            self.assertIn("r2m: no point has the metric los\n", done.stderr)
            self.assertIn("there are loss, parts.first; did you mean loss?", done.stderr)
            self.assertNotIn("best.json", self.left())
            return self.calls()

        self.assertEqual(mistaken(*VARY), 1)
        self.good(*self.sweep(*VARY, "--metric", "loss"))
        self.assertIn("best.json", self.left())
        self.assertEqual(mistaken(*VARY), 6)
        self.assertEqual(mistaken("--vary", "alpha=0.3", "--vary", "residual.rank.ratio=0.1"), 6)

    def test_a_failed_point_does_not_tell_which_metrics_there_are(self):
        errors, said = self.failing("test -e n && echo 'auc: 0.5' && exit; touch n; exit 1",
                                    "--metric", "eer", code=1, vary=("--vary", "alpha=0.2,0.6,1"))
        self.assertEqual([error is None for error in errors], [False, True])
        self.assertIn("there are auc", said)

    def test_best_is_of_this_run(self):
        """Where spectra tell, and no metric is named, there is no answer."""
        self.good("sweep", *SOURCE, *VARY, "--metric", "kept", "-o", "out")
        self.assertIn("best.json", self.left())
        self.good("sweep", *SOURCE, *VARY, "-o", "out")
        self.assertNotIn("best.json", self.left())

    def test_a_point_with_a_metric_that_is_not_finite_is_not_the_best(self):
        errors, _ = self.failing("""test -e n && echo 'auc: 0.5' && exit
                                 touch n; echo 'auc: 0.9'; echo 'eer: nan'""")
        self.assertIn("eer", errors[0])
        self.assertEqual([row["auc"] for row in self.table()], ["", "0.5"])

    def test_a_hang_ends_at_the_limit(self):
        errors, _ = self.failing("sleep 600 & sleep 600", "--eval-timeout", "0.3", code=1,
                                 vary=("--vary", "alpha=0.2"))
        self.assertEqual(errors, ["the evaluation took more than 0.3 seconds"])

    def test_a_point_that_cannot_be_merged(self):
        self.good(*self.sweep("--vary", "real.rank=1,3", "--vary", "real.center=true"))
        errors = {record["settings"]["real.rank"]: record["error"] for record in self.records()}
        self.assertIsNone(errors[1])
        self.assertIn("real.rank", errors[3])

    def test_wrong_requests(self):
        out = ["-o", "out"]
        for code, more, says in [
                (2, ["--vary", "alpah=1"], "did you mean alpha?"),
                (2, ["--vary", "alpha=1:0:0.1", "--vary", "eta=x"], "eta: x is not allowed"),
                (2, ["--vary", "alpha=1:0:0.1", "--vary", "eta=x"], "--vary alpha=1:0:0.1: the range"),
                (2, ["--greedy", "5"], "--greedy needs an evaluation"),
                (2, [], "nothing is varied"),
                (2, ["--vary", "alpha=1", "--eval", "true"], "has no {}"),
                (2, ["--vary", "alpha=1", "--greedy", "3"], "--greedy searches ranks alone")]:
            self.refused(code, "sweep", *SOURCE, *out, *more, says=[says])
        self.refused(2, "sweep", *SOURCE, "--vary", "alpha=1", says=["-o DIR is missing"])


class Resume(Sweep):
    def test_nothing_is_done_twice(self):
        self.good(*self.sweep(*VARY))
        before = self.table()
        self.good(*self.sweep(*VARY))
        self.assertEqual(self.calls(), 6)
        self.assertEqual(self.table(), before)
        self.good(*self.sweep("--vary", "alpha=0.2:1.0:0.4", "--vary", "residual.rank.ratio=0.1,0.5,1"))
        self.assertEqual(self.calls(), 9)
        told = self.json(*self.sweep(*VARY, "--metric", "-loss", "--eval-timeout", "9", "--json"))
        self.assertEqual((self.calls(), told["metric"]), (9, "loss"))

    def test_a_killed_sweep_goes_on(self):
        path = self.folder / "out" / "sweep.jsonl"
        process = subprocess.Popen([R2M, *self.sweep(*VARY, "-j", "2")], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (path.exists() and path.read_text().count("\n") >= 2):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with open(path, "a") as file:
            file.write('{"sweep": "torn')
        done = self.run_program(*self.sweep(*VARY, "--color", "never"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("half written", done.stderr)
        self.good(*self.sweep(*VARY, output="whole"))
        self.assertEqual(self.table(), self.table("whole"))
        self.assertEqual(self.left(), self.left("whole"))

    def test_an_interrupted_sweep_keeps_what_it_has(self):
        command = f"sh -c 'test -e calls && exec sleep 600; exec {self.evaluate}'"
        process = subprocess.Popen([R2M, *self.sweep(*VARY, command=command)], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        path = self.folder / "out" / "sweep.jsonl"
        while process.poll() is None and not (path.exists() and path.read_text().count("\n") >= 1):
            pass
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(len(self.records()), 1)
        self.assertEqual(self.left(), ["best.json", "sweep.csv", "sweep.jsonl", "sweep.png"])

    def test_other_inputs_are_refused(self):
        self.good(*self.sweep(*VARY))
        again = self.sweep(*VARY, "--set", "core_scale=0.5")
        self.refused(1, *again, says=["belong to other inputs", "--force"])
        self.good(*again, "--force")
        self.assertEqual(len(self.records()), 6)

    def test_failed_points_are_tried_again_when_asked(self):
        failing = self.sweep(*VARY, command="test -e ok && echo auc=1 # {}")
        self.assertEqual(self.run_program(*failing).returncode, 1)
        (self.folder / "ok").touch()
        self.assertEqual(self.run_program(*failing).returncode, 1)
        self.good(*failing, "--retry")
        self.assertEqual([row["auc"] for row in self.table()], ["1"] * 6)


class Greedy(Sweep):
    def test_kinds_come_before_layers(self):
        self.good(*self.sweep("--greedy", "3", "--factors", "0.5,2", "--metric", "loss"))
        plan, *kinds = [record["settings"]["ranks"] for record in self.records()]
        self.assertEqual(plan, "plan")
        for ranks in kinds:
            self.assertIn("blocks.2.mlp.weight*", ranks)
            self.assertIn("blocks.10.mlp.weight*", ranks)

    def test_ranks_grow_as_long_as_it_pays(self):
        told = self.json(*self.sweep("--greedy", "12", "--metric", "loss", "--json"))
        records = self.records()
        self.assertLessEqual(len(records), 12)
        self.assertEqual(records[0]["settings"], {"ranks": "plan"})
        best = max(records, key=lambda record: record["metrics"]["loss"])
        self.assertEqual(told["best"]["settings"], best["settings"])
        self.assertGreater(best["metrics"]["loss"], records[0]["metrics"]["loss"])
        self.good("merge", "out/best.json", "-o", "again.safetensors")
        again = subprocess.run([*self.evaluate.format("again.safetensors").split()],
                               cwd=self.folder, capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(again.stdout)["loss"], best["metrics"]["loss"])

    def test_a_killed_search_goes_on_within_its_budget(self):
        """What was measured before the kill counts, and is not measured again."""
        path = self.folder / "out" / "sweep.jsonl"
        command = self.sweep("--greedy", "7", "--metric", "loss")
        process = subprocess.Popen([R2M, *command], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while process.poll() is None and not (path.exists() and path.read_text().count("\n") >= 3):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = self.records()
        self.good(*command)
        self.good(*self.sweep("--greedy", "7", "--metric", "loss", output="whole"))
        self.assertEqual(self.records()[:len(before)], before)
        self.assertEqual([(r["settings"], r["metrics"]) for r in self.records()],
                         [(r["settings"], r["metrics"]) for r in self.records("whole")])

    def test_no_ranks_are_measured_twice(self):
        """Where a factor changes nothing it is not taken: half of rank 1 is rank 1. The metric
        wants one layer of a kind to grow and the other one not."""
        script = self.folder / "evaluate.py"
        script.write_text(script.read_text().replace(
            "sum(away) / len(away)", "(lambda of: of['blocks.10.mlp.weight'] "
            "- 10 * of['blocks.2.mlp.weight'])(dict(zip(base, away)))"))
        self.good(*self.sweep("--greedy", "30", "--metric", "loss", "--set", "residual.rank=1"))
        tried = [record["settings"]["ranks"] for record in self.records()]
        self.assertTrue(any(ranks.startswith("blocks.10.mlp.weight*2") for ranks in tried), tried)
        self.assertFalse([ranks for ranks in tried if "*0.5" in ranks])

    def test_it_goes_the_same_way_again(self):
        whole = self.json(*self.sweep("--greedy", "9", "--json", output="whole"))
        self.good(*self.sweep("--greedy", "4"))
        part = self.json(*self.sweep("--greedy", "9", "--json"))
        self.assertEqual([r["settings"] for r in part["results"]],
                         [r["settings"] for r in whole["results"]])
        self.assertEqual(self.calls(), 18)


if __name__ == "__main__":
    unittest.main()
