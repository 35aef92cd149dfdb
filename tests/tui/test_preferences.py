"""Colours and keys of the user's: the file is followed, and what cannot be is said with its line."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from scripted_screen import ScriptTest  # noqa: E402


class Preferences(ScriptTest):
    def run_with(self, preferences, steps):
        """Plays the steps with that file; returns the program's end."""
        folder = self.room.path / "config" / "r2m"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "screen.conf").write_text(preferences)
        script = self.room.path / "steps.script"
        script.write_text(":wait\n" + steps)
        done = self.room.run("tui", "demo.json", "--script", script)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def messages(self, preferences):
        self.run_with(preferences, "type: :messages\nkeys: Enter\n:screendump said.txt\n")
        return "\n".join(self.room.screen("said.txt"))

    def test_a_key_does_what_the_file_says(self):
        self.run_with("bind rank-up-10 w # as I like it\n",
                      "keys: j j j w ?\n:screendump help.txt\nkeys: ?\n:screendump after.txt\n"
                      "keys: Esc >\n:screendump free.txt\n")
        self.assertIn("r=19", "\n".join(self.room.screen("after.txt")))
        self.assertIn("> is not bound here", "\n".join(self.room.screen("free.txt")))
        rows = [row.split() for row in self.room.screen("help.txt") if "Raise the rank by 10" in row]
        self.assertEqual([row[0] for row in rows], ["w"])

    def test_two_actions_may_exchange_keys(self):
        self.run_with("bind undo C-r\nbind redo u\n", "keys: j j j + C-r\n:screendump a.txt\n")
        self.assertIn("undo: ", "\n".join(self.room.screen("a.txt")))

    def test_a_clash_names_both_actions_and_the_line(self):
        text = self.messages("\n# mine\nbind rank-up Up\n")
        self.assertIn("screen.conf:3: Up means rank-up and up", text.replace("\n ", ""))

    def test_what_cannot_be_followed_is_said_and_reading_goes_on(self):
        text = self.messages("colour x\ntheme neon\ncolor header 400\ncolor nose 3\nmouse maybe\n"
                             "bind leap x\nbind quit\ngraph oil\nbind rank-up-10 w\n")
        for line in range(1, 9):
            self.assertIn(f"screen.conf:{line}: ", text)
        self.assertNotIn("screen.conf:9", text)

    def test_themes_are_chosen_while_running(self):
        for name in ("dark", "light", "monochrome", "colorblind"):
            self.run_with("", f"type: :theme {name}\nkeys: Enter\n:screendump a.txt\n")
            self.assertNotIn("no theme", "\n".join(self.room.screen("a.txt")))
        self.run_with("", "type: :theme neon\nkeys: Enter\n:screendump a.txt\n")
        self.assertIn("neon is no theme", "\n".join(self.room.screen("a.txt")))


if __name__ == "__main__":
    unittest.main()
