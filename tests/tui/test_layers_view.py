"""The table of the Layers view: its numbers, its order, its filter, its marks."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class Table(ScriptTest):
    def setUp(self):
        super().setUp()
        self.play("layers.script")
        self.layers = [one for one in self.room.analyze()["layers"] if one["role"] == "matrix"]

    def table(self, name):
        """Rows of cells of the table, with the titles first."""
        return [row.split("│")[0].rstrip() for row in self.room.screen(name)[1:-2]]

    def layer_rows(self, name):
        """Words of the rows of layers that stand in no module."""
        return [row.split() for row in self.table(name)[1:] if row and "(" not in row]

    def columns(self, name):
        titles = self.table(name)[0].replace("▼", " ").replace("▲", " ").split()
        return {title: i for i, title in enumerate(titles)}

    def test_every_number_is_that_of_analyze(self):
        at = self.columns("wide.txt")
        self.assertEqual(list(at), ["Layer", "shape", "fs", "fr", "efs", "Re%", "kept%", "share%",
                                    "stable", "|tau|", "|T(R)|", "D", "dominance"])
        rows = self.layer_rows("wide.txt")
        self.assertEqual(len(rows), len(self.layers))
        for words, layer in zip(rows, self.layers):
            first = layer["specialists"][0]
            energy = first["real"] + first["fake"] + first["cross"]
            self.assertEqual(words[at["shape"]], f"{layer['rows']}×{layer['cols']}")
            self.assertEqual([int(words[at[one["name"]]]) for one in layer["specialists"]],
                             [one["rank"] for one in layer["specialists"]])
            for title, value, delta in (("Re%", 100 * first["real"] / energy, 0.51),
                                        ("kept%", 100 * first["kept"], 0.51),
                                        ("share%", 100 * first["share"], 0.51),
                                        ("stable", first["stable_rank"], 0.051)):
                self.assertAlmostEqual(float(words[at[title]]), value, delta=delta)
            for title, value in (("|tau|", first["norm"]), ("|T(R)|", first["residual_norm"])):
                self.assertLess(abs(float(words[at[title]]) / value - 1), 0.006)

    def test_a_module_sums_its_layers_up(self):
        at = self.columns("wide.txt")
        row = next(row for row in self.table("wide.txt") if "layers.0 (6)" in row).split()
        block = [one["specialists"] for one in self.layers if "layers.0." in one["name"]]
        self.assertEqual(len(block), 6)
        total = sum(one["contribution"] for cells in block for one in cells)
        mine = sum(cells[0]["contribution"] for cells in block)
        norm = sum(cells[0]["norm"] ** 2 for cells in block) ** 0.5
        # the label is two words, but a module has no shape and no stable rank
        self.assertAlmostEqual(float(row[at["share%"]]), 100 * mine / total, delta=0.51)
        self.assertLess(abs(float(row[at["|tau|"] - 1]) / norm - 1), 0.006)

    def test_the_columns_sort(self):
        self.assertIn("efs▼", self.table("sorted.txt")[0].replace(" ", ""))
        rank = self.columns("sorted.txt")["efs"]
        ranks = [int(words[rank]) for words in self.layer_rows("sorted.txt")]
        self.assertEqual(ranks, sorted(ranks, reverse=True))
        turned = [int(words[rank]) for words in self.layer_rows("turned.txt")]
        self.assertEqual(turned, sorted(ranks))
        self.assertEqual(self.table("ordered.txt"), self.table("wide.txt"))

    def test_the_filter_lists_what_fits(self):
        names = [words[0] for words in self.layer_rows("filtered.txt")]
        self.assertEqual(len(names), 6)
        self.assertTrue(self.table("filtered.txt")[0].startswith("\\fc !layers.3"))
        self.assertEqual(len(self.layer_rows("kind.txt")), 4)
        self.assertTrue(self.table("kind.txt")[0].startswith("\\kind:mlp.fc1 role"))
        self.assertEqual(self.layer_rows("kind.txt"), self.layer_rows("same.txt"))
        self.assertEqual(self.layer_rows("none.txt"), ["no layer fits; Esc lists all".split()])
        self.assertEqual(self.table("all.txt")[1:], self.table("wide.txt")[1:])

    def test_a_range_is_marked(self):
        marked = [row for row in self.table("range.txt") if "•" in row]
        self.assertEqual(len(marked), 3 + 1, marked)  # the module, whose two layers are
        self.assertIn("3 layers marked", self.room.screen("range.txt")[22])

    def test_vectors_are_listed_with_their_role(self):
        rows = self.layer_rows("vectors.txt")
        self.assertTrue(any(words[0].endswith("bias") and words[1] == "vector" for words in rows))


class Filter(ScriptTest):
    def setUp(self):
        super().setUp()
        done = self.room.script("filter.script")
        self.assertEqual(done.returncode, 0, done.stderr)

    def ends(self, name):
        """The status and the footer."""
        return [row.strip() for row in self.room.screen(name)[-2:]]

    def test_tab_lists_kinds_once_and_whole(self):
        offered = self.ends("kinds.txt")[1].split()
        self.assertEqual(len(offered), len(set(offered)))
        self.assertTrue(all(one.startswith("kind:") for one in offered[:-1]), offered)
        self.assertEqual(len(offered) - 1 + int(offered[-1]), 8)
        self.assertRegex(self.ends("fields.txt")[1], r"^method=  real\.rank=.*  \+\d+$")

    def test_a_filter_that_is_cancelled_moves_nothing(self):
        self.assertIn(" 3/31", self.ends("left.txt")[0])

    def test_an_empty_list_says_so(self):
        self.assertIn("no layer fits", self.room.screen("none.txt")[2])
        self.assertIn("0 layers are listed", self.ends("none.txt")[0])

    def test_a_refusal_ends_with_its_prompt(self):
        self.assertIn('"zz" is not a rule', self.ends("refused.txt")[1])
        self.assertNotIn("not a rule", "".join(self.ends("dropped.txt")))
        self.assertNotIn("no command", "".join(self.ends("asked.txt")))

    def test_the_key_that_pastes_is_named(self):
        self.assertIn("P pastes", self.ends("copied.txt")[0])


if __name__ == "__main__":
    unittest.main()
