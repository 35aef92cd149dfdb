"""r2m report: what stands in it agrees with the analysis, the page needs nothing beside it, names
cannot break out of it, and the folder appears whole or not at all."""

import csv
import hashlib
import html.parser
import json
import re
import resource
import shutil
import subprocess
import unittest

import numpy as np

from program_test import SOURCE, SPECIALISTS, ProgramTest

FILES = ["analysis.json", "config.json", "files.sha256", "layers.csv", "report.html", "report.md"]
HOSTILE = 'a|b`<script>alert("1")</script>&\'*_[x](y)'


class Page(html.parser.HTMLParser):
    """The page as elements and text; every element that must be closed is."""

    EMPTY = {"meta", "img", "br"}

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.tables, self.addresses = [], [], "", [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        self.addresses += [attributes[a] for a in ("src", "href", "data", "action") if a in attributes]
        if tag not in self.EMPTY:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def table(self, title):
        """The table whose first title is this, as a list of dicts."""
        rows = next(rows for rows in self.tables if rows[0][0] == title)
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def number(text):
    return float(text.replace("\xa0%", "").replace(" %", ""))


class Report(ProgramTest):
    def report(self, *more, source=SOURCE):
        self.good("report", *source, "-o", "out", *more)
        return self.folder / "out"

    def page(self):
        return Page((self.folder / "out/report.html").read_text())

    def test_the_folder(self):
        said = self.good("report", *SOURCE, "-o", "out").split()
        self.assertEqual(said, ["out/report.html", "out/report.md"])
        folder = self.folder / "out"
        self.assertEqual(sorted(p.name for p in folder.iterdir() if p.is_file()), FILES)
        self.assertEqual((folder / "analysis.json").read_text(),
                         self.good("analyze", *SOURCE, "--json"))
        self.assertEqual([p for p in self.files() if p.endswith("r2m-part")], [])

    def test_numbers_are_those_of_the_analysis(self):
        analysis = json.loads((self.report() / "analysis.json").read_text())
        page = self.page()
        for row, one in zip(page.table("specialist"), analysis["specialists"], strict=True):
            self.assertEqual(row["specialist"], one["name"])
            for title, key, factor in (("norm", "norm", 1), ("norm of T(R)", "residual_norm", 1),
                                       ("scale", "scale", 1), ("Real share", "real_share", 100),
                                       ("share before", "share_before", 100),
                                       ("share after", "share_after", 100)):
                self.assertAlmostEqual(number(row[title]), factor * one[key],
                                       delta=0.06 if factor > 1 else 6e-4 * one[key], msg=title)
        norms = np.array([one["norm"] for one in analysis["specialists"]])
        cosines = [[number(row[name]) for name in SPECIALISTS] for row in page.table("cosine")]
        np.testing.assert_allclose(cosines, analysis["cos_task_vectors"], atol=6e-5)
        self.assertIn(f"eta is {analysis['eta']:.4g}", page.text)
        self.assertEqual(len(norms), 3)

    def test_the_formula_adds_up(self):
        self.report("--set", "alpha=0.7")
        eta = re.search(r"eta +=.* = ([\d.]+) × ([\d.]+) / ([\d.]+) = ([\d.]+)", self.page().text)
        alpha, core, nbar, result = map(float, eta.groups())
        self.assertEqual(alpha, 0.7)
        self.assertAlmostEqual(alpha * core / nbar, result, delta=1e-3 * result)
        scales = re.findall(r"‖T\(R\)‖ = ([\d.]+) +s = ([\d.]+)", self.page().text)
        self.assertEqual(len(scales), 3)
        for norm, scale in scales:
            self.assertAlmostEqual(float(norm) * float(scale), nbar, delta=1e-3 * nbar)

    def test_layers(self):
        analysis = json.loads((self.report() / "analysis.json").read_text())
        layers = {layer["name"]: layer for layer in analysis["layers"]}
        rows = self.page().table("layer")
        self.assertEqual(len(rows), sum(l["role"] == "matrix" for l in layers.values()))
        for row in rows:
            layer = layers[row["layer"]]
            cells = layer["specialists"]
            self.assertEqual(row["ranks"], " / ".join(str(cell["rank"]) for cell in cells))
            self.assertAlmostEqual(number(row["kept"]), 100 * np.mean([c["kept"] for c in cells]),
                                   delta=0.06)
            leader = max(cells, key=lambda cell: cell["share"])
            self.assertEqual(row["leads"], leader["name"])
            self.assertAlmostEqual(number(row["share"]), 100 * leader["share"], delta=0.06)
        with open(self.folder / "out/layers.csv", newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        self.assertEqual(len(table), 3 * sum(bool(l["specialists"]) for l in layers.values()))
        for row in table:
            cell = next(c for c in layers[row["layer"]]["specialists"]
                        if c["name"] == row["specialist"])
            self.assertEqual(float(row["norm"]), cell["norm"])
            self.assertEqual(float(row["share"]), cell["share"])

    def test_inputs_and_their_hashes(self):
        self.report()
        rows = self.page().table("what")
        self.assertEqual([row["what"] for row in rows], ["base", *SPECIALISTS])
        for row in rows:
            content = (self.folder / row["file"]).read_bytes()
            self.assertEqual(row["sha256"], hashlib.sha256(content).hexdigest())
            self.assertEqual(int(row["bytes"]), len(content))

    def test_every_shard_is_an_input(self):
        names = sorted(self.base)
        files = {"model-1.safetensors": names[:3], "model-2.safetensors": names[3:]}
        model = self.folder / "model"
        model.mkdir()
        for file, held in files.items():
            self.write(f"model/{file[:-12]}", {name: self.base[name] for name in held})
        index = {"weight_map": {name: file for file, held in files.items() for name in held}}
        (model / "model.safetensors.index.json").write_text(json.dumps(index))
        self.report(source=["--base", "model", *SOURCE[2:]])
        rows = [row for row in self.page().table("what") if row["what"] == "base"]
        self.assertEqual([row["file"] for row in rows], ["model.safetensors.index.json", *files])
        for row in rows:
            self.assertEqual(row["sha256"],
                             hashlib.sha256((model / row["file"]).read_bytes()).hexdigest())

    def test_settings_with_their_meaning(self):
        self.report("--set", "alpha=0.25", "--set", "norm_match=layer")
        rows = {row["setting"]: row for row in self.page().table("setting")}
        self.assertEqual((rows["alpha"]["value"], rows["alpha"]["default"]), ("0.25", "0.6"))
        self.assertEqual(rows["norm_match"]["value"], "layer")
        self.assertNotIn("ties.density", rows)
        self.assertTrue(all(row["meaning"] for row in rows.values()))

    def test_another_method(self):
        self.report("--set", "method=ties")
        page = self.page()
        self.assertIn("by TIES", page.text)
        self.assertIn("ties.density", {row["setting"] for row in page.table("setting")})

    def test_it_can_be_done_again(self):
        folder = self.report("--set", "alpha=0.3")
        for name in ("merge", "report"):
            self.assertIn(f"r2m {name} config.json", (folder / "report.md").read_text())
        shutil.copytree(folder, self.folder / "first")
        self.good("report", "first/config.json", "-o", "second")
        for name in ("report.html", "report.md", "layers.csv"):
            self.assertEqual((folder / name).read_bytes(),
                             (self.folder / "second" / name).read_bytes(), name)

    def test_warnings_say_what_to_do(self):
        self.report("--set", "real.center=true")
        text = (self.folder / "out/report.md").read_text()
        self.assertIn("### The Real core has collapsed", text)
        self.assertIn("**What to do:** ", text)
        self.assertIn("`--set real.center=false`", text)

    def test_the_page_needs_nothing_beside_it(self):
        self.report()
        text = (self.folder / "out/report.html").read_text()
        page = self.page()
        self.assertEqual(page.open, [])
        self.assertEqual(page.named("script") + page.named("link") + page.named("iframe"), [])
        for address in page.addresses:
            self.assertRegex(address, r"^(data:image/svg\+xml;base64,|#section-\d+$)")
        for image in page.named("img"):
            self.assertTrue(image["alt"])
        self.assertGreater(len(page.named("img")), 5)
        self.assertNotIn("://", re.sub(r'base64,[^"]*', "", text))
        self.assertEqual({a["href"][1:] for a in page.named("a")},
                         {h["id"] for h in page.named("h2")})
        self.assertIn("width=device-width", text)

    def test_the_page_is_valid(self):
        """Also with nothing to tell: one specialist that is the base, on many layers."""
        many = {f"blocks.{i}.weight": np.eye(8, dtype=np.float32) for i in range(20)}
        for name in ("plain", "same"):
            self.write(name, many)
        for source in (SOURCE, ["--base", "plain.safetensors", "same.safetensors"]):
            page = self.report("--force", source=source) / "report.html"
            done = subprocess.run(["tidy", "-quiet", "-errors", page], capture_output=True,
                                  text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_links_of_the_text_lead_to_files(self):
        folder = self.report()
        links = re.findall(r"!\[[^\n]*\]\(([^)\n]*)\)", (folder / "report.md").read_text())
        self.assertGreater(len(links), 5)
        self.assertEqual(sorted(links), sorted(f"figures/{p.name}"
                                               for p in (folder / "figures").iterdir()))

    def test_names_cannot_break_out(self):
        shape = (12, 12)
        random = np.random.default_rng(3)
        for name in ("base", "one", "two"):
            self.write(name, {HOSTILE: random.standard_normal(shape).astype(np.float32)})
        self.report(source=["--base", "base.safetensors", '<b>x|"y=one.safetensors',
                            "two.safetensors"])
        page = self.page()
        self.assertEqual(page.named("script") + page.named("b"), [])
        self.assertEqual(page.table("layer")[0]["layer"], HOSTILE)
        self.assertEqual(page.table("specialist")[0]["specialist"], '<b>x|"y')
        text = (self.folder / "out/report.md").read_text()
        outside = re.sub(r"```.*?```", "", text, flags=re.S)
        outside = re.sub(r"(?<!\\)(`+) ?.*?\1(?!`)", "", outside)  # what is no code
        self.assertNotRegex(outside, r"(?<!\\)<")
        for line in text.splitlines():
            if "&\'*" in line and line.startswith("|"):  # its row has as many cells as the others
                self.assertEqual(len(re.findall(r"(?<!\\)\|", line)), 9, line)

    def test_the_same_bytes_twice(self):
        first = {p.name: p.read_bytes() for p in self.report().rglob("*") if p.is_file()}
        self.good("report", *SOURCE, "-o", "out", "--force", "--threads", "3")
        again = {p.name: p.read_bytes() for p in (self.folder / "out").rglob("*") if p.is_file()}
        self.assertEqual(first, again)

    def test_what_is_there_is_not_destroyed(self):
        (self.folder / "out").mkdir()
        self.report()  # an empty folder may be filled
        (self.folder / "out/notes.txt").write_text("mine")
        self.refused(1, "report", *SOURCE, "-o", "out", says=["not empty", "--force"])
        self.good("report", *SOURCE, "-o", "out", "--force")
        self.assertEqual((self.folder / "out/notes.txt").read_text(), "mine")
        self.refused(1, "report", *SOURCE, "-o", "fs.safetensors", says=["is not a folder"])

    def test_a_smaller_report_takes_the_place_of_a_larger_one(self):
        folder = self.report()
        figures = {p.name for p in (folder / "figures").iterdir()}
        (folder / "figures/energy-3.svg").write_text("changed by somebody")
        (folder / "figures/mine.svg").write_text("mine")
        (folder / "files.sha256").write_text(  # names that lead elsewhere are left alone
            (folder / "files.sha256").read_text() +
            "".join(f"{hashlib.sha256(b'mine').hexdigest()}  {name}\n"
                    for name in ("figures/../notes.txt", "notes.txt", "figures/", "")))
        (folder / "notes.txt").write_text("mine")
        self.report("--force", source=SOURCE[:3])
        left = {p.name for p in (folder / "figures").iterdir()}
        links = re.findall(r"!\[[^\n]*\]\(figures/([^)\n]*)\)", (folder / "report.md").read_text())
        self.assertEqual(left, {*links, "energy-3.svg", "mine.svg"})
        self.assertLess(left, figures | {"mine.svg"})
        self.assertIn("energy-2.svg", figures)
        self.assertEqual((folder / "notes.txt").read_text(), "mine")
        subprocess.run(["sha256sum", "-c", "--quiet", "files.sha256"], cwd=folder, check=True)

    def test_disk_full_in_the_middle(self):
        """A limit on the size of files is a full disk without root."""
        for size in (2000, 40000):  # the first figure, and the page
            def limit(most=size):
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            self.refused(1, "report", *SOURCE, "-o", "out", says=["out."], preexec_fn=limit)

    def test_where_nothing_can_be_written(self):
        self.refused(1, "report", *SOURCE, "-o", "missing/out", says=["missing/out"])
        self.refused(1, "report", *SOURCE, "-o", "/proc/out", says=["/proc/out"])
        (self.folder / "broken").symlink_to("nowhere")
        self.refused(1, "report", *SOURCE, "-o", "broken", says=["leads nowhere"])
        self.refused(2, "report", *SOURCE, says=["-o DIR is missing"])
        (self.folder / "out").mkdir()
        (self.folder / "out/figures").write_text("in the way")
        self.refused(1, "report", *SOURCE, "-o", "out", "--force", says=["out/figures"])


if __name__ == "__main__":
    unittest.main()
