"""Every bad input of the project's table has a test that names it: S for safetensors, X for indexes
of shards, Z for zip archives, P for pickles, L for torch's old format, F for other files, O for
what no file alone can show."""

import re
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]

# The numbers of each letter; those that the table does not have are left out.
ROWS = {
    "S": [n for n in range(1, 81) if n != 7],
    "X": range(2, 17),
    "Z": range(1, 60),
    "P": range(1, 76),
    "L": range(1, 13),
    "O": range(1, 13),
}
OTHERS = ["F_*", "F_st_named", "F_pth_named"]


def rows():
    for letter, numbers in ROWS.items():
        for number in numbers:
            yield f"{letter}{number}" if letter == "O" else f"{letter}{number:02d}"
    yield from OTHERS


def sources():
    """All tests without the comment at the head of a file, which may speak of ranges."""
    for file in TESTS.rglob("test_*"):
        if file.suffix not in (".c", ".py") or file == Path(__file__).resolve():
            continue
        text = file.read_text()
        yield re.sub(r"\A/\*.*?\*/|\A\"\"\".*?\"\"\"", "", text, flags=re.S)


class Rows(unittest.TestCase):
    def test_every_row_has_a_test(self):
        named = set(re.findall(r"\b[SXZPLOF]\d+\b|\bF_[a-z_]+\b|F_\*", "\n".join(sources())))
        self.assertEqual([row for row in rows() if row not in named], [])
        self.assertEqual(len(list(rows())), 255)


if __name__ == "__main__":
    unittest.main()
