#!/usr/bin/python3
"""Pictures of the real screen: runs a command in tmux, presses keys, draws the cells it reads as SVG.

    screenshot.py OUT.svg COLUMNSxROWS KEYS -- COMMAND...

KEYS are tmux key names separated by spaces. The picture is made when the screen stays unchanged for a
second. Each character stands at its own cell, so any font will do.
"""

import re
import subprocess
import sys
import time
from html import escape

CELL_W, CELL_H, SIZE = 8.4, 17, 14
BASE16 = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#cccccc",
          "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]
BACK, FORE = "#16181d", "#d8dade"


def palette(index):
    if index < 16:
        return BASE16[index]
    if index >= 232:
        return "#" + f"{8 + 10 * (index - 232):02x}" * 3
    index -= 16
    return "#" + "".join(f"{(0, 95, 135, 175, 215, 255)[c]:02x}"
                         for c in (index // 36, index // 6 % 6, index % 6))


def apply_sgr(style, codes):
    """style after the SGR codes; style: dict of fg, bg, bold, dim, reverse, underline."""
    flags = {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}
    codes = [int(c or 0) for c in codes.split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = {}
        elif code in flags:
            style = style | {flags[code]: True}
        elif code in (38, 48) and codes[:1] == [5]:
            style = style | {"fg" if code == 38 else "bg": palette(codes[1])}
            codes = codes[2:]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = style | {"fg": palette(code - 30 if code < 90 else code - 82)}
        elif 40 <= code <= 47:
            style = style | {"bg": palette(code - 40)}
        elif code in (39, 49):
            style = {k: v for k, v in style.items() if k != ("fg" if code == 39 else "bg")}
    return style


def cells(text):
    """Rows of (character, style)."""
    style, rows = {}, []
    for line in text.split("\n"):
        row = []
        for sgr, character in re.findall(r"\x1b\[([\d;]*)m|(.)", line):
            if character:
                row.append((character, style))
            else:
                style = apply_sgr(style, sgr)
        rows.append(row)
    return rows


def svg(rows, columns):
    width, height = columns * CELL_W + 20, len(rows) * CELL_H + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
           f'font-family="DejaVu Sans Mono, monospace" font-size="{SIZE}">',
           f'<rect shape-rendering="crispEdges" width="100%" height="100%" rx="6" fill="{BACK}"/>']
    for y, row in enumerate(rows):
        for x, (character, style) in enumerate(row):
            fore, back = style.get("fg", FORE), style.get("bg")
            if style.get("reverse"):
                fore, back = back or BACK, fore
            left, top = 10 + x * CELL_W, 10 + y * CELL_H
            if back:
                out.append(f'<rect shape-rendering="crispEdges" x="{left:.1f}" y="{top}" width="{CELL_W + .1:.1f}" height="{CELL_H}" '
                           f'fill="{back}"/>')
            if character != " ":
                extra = ' font-weight="bold"' if style.get("bold") else ""
                extra += ' opacity="0.6"' if style.get("dim") else ""
                out.append(f'<text x="{left:.1f}" y="{top + 13}" fill="{fore}"{extra}>'
                           f'{escape(character)}</text>')
    return "\n".join([*out, "</svg>\n"])


def tmux(*arguments):
    return subprocess.run(["tmux", "-L", "r2m-shot", *arguments], check=True, capture_output=True,
                          text=True).stdout


def stable_screen():
    last, since = None, time.monotonic()
    while time.monotonic() - since < 1:
        screen = tmux("capture-pane", "-p", "-e", "-t", "shot")
        if screen != last:
            last, since = screen, time.monotonic()
        time.sleep(0.05)
    return last


def main():
    out, size, keys = sys.argv[1:4]
    command = sys.argv[sys.argv.index("--") + 1:]
    columns, rows = size.split("x")
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "shot", "-x", columns, "-y", rows,
         "env", "TERM=screen-256color", "LC_ALL=C.UTF-8", *command)
    try:
        stable_screen()
        for key in keys.split():
            tmux("send-keys", "-t", "shot", key)
        screen = stable_screen()
    finally:
        tmux("kill-server")
    with open(out, "w", encoding="utf-8") as file:
        file.write(svg(cells(screen.rstrip("\n")), int(columns)))


if __name__ == "__main__":
    main()
