"""Help and messages: sentences are wrapped, never cut; the foot of the screen says what works here."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402

KEYS_WIDTH = 12


class Help(ScriptTest):
    def sentences(self, view):
        """What the key table says of a view, reasons why not left out."""
        rows = [row.split("\t") for row in self.room.run("tui", "--keys").stdout.splitlines()]
        return [help for where, _, _, help in rows if where in ("all", view)]

    def wrapped(self, dump):
        """The sentences of a dump, lines without keys joined to those before."""
        found = []
        for row in self.room.screen(dump)[2:-2]:
            keys, text = row[1:1 + KEYS_WIDTH].strip(), row[2 + KEYS_WIDTH:]
            if keys:
                found.append(text)
            elif text:
                found[-1] += " " + text
        return found

    def test_sentences_are_wrapped(self):
        """On a screen as high as Help is long, which shows every line."""
        for width in (60, 80):
            self.play_steps(f":resize {width} 160", "keys: ?", ":screendump help.txt")
            found = self.wrapped("help.txt")
            self.assertEqual([text.split(" (nothing")[0] for text in found], self.sentences("layers"))
            self.assertLessEqual(max(map(len, self.room.screen("help.txt"))), width)

    def test_the_cursor_stays_at_its_key_when_lines_change(self):
        self.play_steps(":resize 60 16", "keys: ? / ", "type: marked ones", "keys: Enter",
                        ":resize 200 16", "keys: y", ":screendump wide.txt")
        self.assertIn("copied: a  What rank keys change", self.room.screen("wide.txt")[-2])

    def test_messages_end_with_a_word(self):
        self.play_steps(":resize 60 16", "keys: :", "type: set method=none", "keys: Enter Esc",
                        "keys: :", "type: messages", "keys: Enter", ":screendump messages.txt")
        rows = self.room.screen("messages.txt")
        first = next(row for row in rows[2:] if row.strip())
        self.assertTrue(first.endswith("…"), first)
        border = next(i for i, row in enumerate(rows) if "──" in row)
        whole = " ".join(" ".join(rows[border + 1:border + 5]).split())
        self.assertTrue((whole + " ").startswith(first.strip()[:-1] + " "), (whole, first))

    def test_help_after_messages_is_help_again(self):
        self.play_steps("keys: x :", "type: messages", "keys: Enter 6 ?", ":screendump help.txt")
        self.assertIn("What they do here", self.room.screen("help.txt")[1])


class Foot(ScriptTest):
    def foot(self, *steps, size="200 24"):
        self.play_steps(f":resize {size}", *steps, ":screendump foot.txt")
        return self.room.screen("foot.txt")[-1].split()

    def test_what_lies_over_a_view_leads_back(self):
        for key, own in (("?", "?:help"), ("M", "M:names"), ("U", "U:steps")):
            foot = self.foot(f"keys: {key}")
            self.assertIn("q:back", foot)
            self.assertNotIn("q:quit", foot)
            self.assertNotIn(own, foot)

    def test_what_does_nothing_now_is_not_offered(self):
        self.assertNotIn("u:undo", self.foot("keys: 1"))
        self.assertIn("u:undo", self.foot("keys: +"))
        self.assertNotIn("u:undo", self.foot("keys: + u"))

    def test_an_empty_history_offers_to_measure(self):
        foot = self.foot("keys: 6", size="60 16")
        self.assertEqual(foot[0], "!:measure")
        for hint in ("Enter:restore", "m:metric", "x:against", "o:output", "s:sort"):
            self.assertNotIn(hint, foot)
        self.assertIn("no plan was measured", " ".join(self.said("keys: 6 Enter")))
        self.assertIn("s:sort", self.foot("keys: 1"))

    def test_a_comparison_offers_the_way_back(self):
        foot = self.foot("keys: 4 c", "keys: Enter", ":wait")
        self.assertEqual(foot[0], "c:compare")
        for hint in ("Enter:change", "Right:step", "d:default", "P:preset"):
            self.assertNotIn(hint, foot)
        self.assertIn("c goes back", " ".join(self.said("keys: 4 c", "keys: Enter", ":wait", "keys: d")))
        self.assertEqual(self.foot("keys: 4 c", "keys: Enter", ":wait", "keys: c")[0], "Enter:change")

    def test_what_changes_nothing_is_no_step(self):
        self.assertNotIn("u:undo", self.foot("keys: 4 d"))
        self.assertIn("this is the default", " ".join(self.said("keys: 4 d")))
        self.assertIn("u:undo", self.foot("keys: 4 l d"))
        self.assertIn("no row here to copy", " ".join(self.said("keys: 6 y")))

    def said(self, *steps):
        self.foot(*steps)
        return self.room.screen("foot.txt")[-2].split()


if __name__ == "__main__":
    unittest.main()
