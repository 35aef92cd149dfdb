#!/usr/bin/python3
"""The parts of man/r2m.1 that repeat the program's tables: commands, figures, options, keys.

    manual.py PROGRAM      rewrites them between their marks
"""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path("man/r2m.1")
OPTION = r"^  (?:-(\S), |    )--(\S+)(?: ([A-Z]\S*|'.*?'))? +(.*)$"  # letter, name, argument, help
VIEWS = ["all", "layers", "specialists", "map", "plan", "export", "history", "steps"]


def text_of(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def escape(text):
    """Text as mdoc means it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^\.", r"\\&.", text)


def argument(word):
    """A word on a macro's line: what mdoc would read as punctuation stays a word."""
    return "\\&" + escape(word) if len(word) < 3 else escape(word)


def commands(program):
    """(name, synopsis, summary) of each command, from the overview."""
    return re.findall(r"^  r2m (\S+) (.*)\n      (.*)$", text_of(program, "--help"), re.M)


def options(program):
    """{(letter, name, argument, help): [commands]} in the order of the table."""
    found = {}
    for command in [name for name, *_ in commands(program)] + [""]:
        text = text_of(program, *filter(None, [command]), "--help")
        listed = text.split("Options:\n")[1].split("\n\n")[0]
        for row in re.findall(OPTION, listed, re.M):
            found.setdefault(row, []).append(command)
    return found


def keys(program):
    """{view or several: [(keys, help)]}, a key that means the same in several views once."""
    rows = {}
    for line in text_of(program, "tui", "--keys").splitlines():
        view, names, _, meaning = line.split("\t")
        rows.setdefault((names, meaning), []).append(view)
    sections = {}
    for row, views in rows.items():
        sections.setdefault(tuple(sorted(views, key=VIEWS.index)), []).append(row)
    return sections


def command_lines(program):
    for name, synopsis, summary in commands(program):
        yield f".It Cm {name} {escape(synopsis)}\\&"
        yield escape(summary[0].upper() + summary[1:]) + "."


def takers(names, everybody):
    """Who takes an option, in brackets; nothing where it is listed everywhere or without a command."""
    if set(names) == everybody or names == [""]:
        return []
    return [".Pq " + " , ".join(f"Cm {name}" for name in names if name)]


def option_lines(program):
    found = options(program)
    everybody = {name for names in found.values() for name in names}
    for (letter, name, value, meaning), names in sorted(found.items(), key=lambda item: item[0][1]):
        short = f"Fl {letter} , " if letter else ""
        yield f".It {short}Fl \\-{escape(name)}" + (f" Ar {escape(value)}" if value else "")
        yield escape(meaning[0].upper() + meaning[1:]) + "."
        yield from takers(names, everybody)


def figure_lines(program):
    listed = text_of(program, "plot", "--help").split("Figures:\n")[1]
    for name, meaning in re.findall(r"^  (\S+)\n      (.*)$", listed, re.M):
        yield f".It Pa {escape(name)}"
        yield escape(meaning[0].upper() + meaning[1:]) + "."


def key_lines(program):
    for views, rows in sorted(keys(program).items(), key=lambda item: VIEWS.index(item[0][0])):
        yield ".Ss " + ("Everywhere" if views == ("all",) else " and ".join(v.title() for v in views))
        yield ".Bl -tag -width Ds -compact"
        for names, meaning in rows:
            yield ".It " + " ".join(f"Ic {argument(name)}" for name in names.split())
            yield escape(meaning) + "."
        yield ".El"


PARTS = {"COMMANDS": command_lines, "FIGURES": figure_lines, "OPTIONS": option_lines, "KEYS": key_lines}


def fill(page, program):
    """The page with its marked parts made anew."""
    for name, lines in PARTS.items():
        begin, end = f'.\\" begin {name}: made by tests/manual.py', f'.\\" end {name}'
        head, rest = page.split(begin + "\n")
        page = head + "\n".join([begin, *lines(program), end]) + rest.split(end)[1]
    return page


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(), sys.argv[1]))
