"""The page of a run: complete, self-contained, escaped, repeatable, honest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from report_example import finished, summary

from neurocomp.report import RunResults, write_report
from neurocomp.report.markup import document, el
from neurocomp.report.page import page as page_of
from neurocomp.spec.target import load_target

SECTIONS = ["network", "search", "training", "mapping", "execution", "basis"]
FIGURES = ["network", "candidates", "accuracy", "training", "cores", "traffic", "raster"]
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """What a browser would see: nesting, ids, references, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        if tag not in VOID:
            self.open.append(tag)
        if named.get("id"):
            self.ids.append(str(named["id"]))
        self.loads += [str(v) for k, v in attrs if k in ("src", "href", "xlink:href", "srcset")]
        self.loads += re.findall(r"url\(([^)]*)\)", " ".join(str(v) for _, v in attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.loads += re.findall(r"url\(([^)]*)\)|@import", data)
        elif self.open and self.open[-1] != "script":
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def written(results: RunResults, folder: Path) -> tuple[str, Page]:
    """The page's source and how it reads."""
    path = write_report(results, folder)
    html = path.read_text(encoding="utf-8")
    return html, Page(html)


def read(results: RunResults) -> Page:
    """How the page reads without its pictures."""
    return Page(page_of(results, {}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report of a finished run."""
    path = tmp_path_factory.mktemp("run")
    assert write_report(finished(), path) == path / "report.html"
    return path


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    """Source of the finished run's page."""
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The finished run's page as a browser sees it."""
    return Page(html)


class TestFinished:
    def test_sections_stand_in_the_order_of_the_pipeline(self, page: Page) -> None:
        assert [a["id"] for tag, a in page.tags if tag == "section"] == SECTIONS
        links = [a["href"] for tag, a in page.tags if tag == "a"]
        assert links == [f"#{name}" for name in SECTIONS]

    def test_every_element_is_closed_and_ids_are_unique(self, page: Page) -> None:
        assert page.open == []
        assert len(page.ids) == len(set(page.ids))

    def test_nothing_is_loaded(self, html: str, page: Page) -> None:
        assert page.loads
        assert all(x.startswith(("#", "data:image/png;base64,")) for x in page.loads)
        assert "http" not in html
        assert not {"link", "iframe", "img", "object"} & {tag for tag, _ in page.tags}
        scripts = [a for tag, a in page.tags if tag == "script"]
        assert [a["type"] for a in scripts] == ["application/json"]

    def test_references_inside_the_page_lead_somewhere(self, page: Page) -> None:
        inside = {x.removeprefix("#") for x in page.loads if x.startswith("#")}
        assert inside <= set(page.ids)

    def test_headline(self, page: Page) -> None:
        assert (
            "The network fits loihi2 on 7 cores, classifies 97.2% of 360 test samples right in "
            "Lava, and fires every spike as the integer reference says."
        ) in page.words
        # 122,880 stored bits are 15 KiB; 72,000,000 SynOps over 360 samples are 200,000 each
        assert "Eq. 2; 15.0 KiB of synapse memory, one layer per core" in page.words
        assert "SynOps per sample measured 200,000" in page.words
        assert "no energy per operation is published for loihi2" in page.words

    def test_numbers_carry_their_basis(self, page: Page) -> None:
        kinds = {a["class"] for tag, a in page.tags if "tag " in str(a.get("class"))}
        assert {"tag exact", "tag measured", "tag inferred", "tag estimated", "tag none"} <= kinds
        assert "lava-dl netx/mnist/run.ipynb: 784 axons are 4.90 %" in page.words
        assert "medium, inferred" in page.words

    def test_the_layer_table_marks_what_binds(self, page: Page) -> None:
        marked = [a["title"] for tag, a in page.tags if tag == "td" and a.get("class") == "binds"]
        # 8000/16000 and 1024/4095
        assert marked == ["50.0% – binds this layer", "25.0% – binds this layer"]
        layers = page.words.split("Layers: used and limit")[1].split("Traffic")[0]
        assert "synapse words" in layers
        assert "out axons" not in layers  # no limit is known

    def test_pictures_have_names_and_captions(self, page: Page) -> None:
        pictures = [a for tag, a in page.tags if tag == "svg"]
        assert len(pictures) == len(FIGURES)
        assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
        assert sum(tag == "figcaption" for tag, _ in page.tags) == len(FIGURES)

    def test_the_summary_is_embedded(self, html: str) -> None:
        found = re.search(
            r'<script type="application/json" id="summary">(.*?)</script>', html, re.S
        )
        assert found is not None
        assert json.loads(found[1]) == finished().summary

    def test_dark_light_and_paper(self, html: str) -> None:
        assert "prefers-color-scheme:dark" in html
        assert "@media print" in html

    def test_chosen_rows_are_marked(self, page: Page) -> None:
        # the candidate in the ranking, and the policy that ran
        assert [a.get("class") for tag, a in page.tags if tag == "tr"].count("chosen") == 2


class TestFiles:
    def test_figures_are_valid_svg_with_text_as_text(self, folder: Path) -> None:
        files = sorted(p.name for p in (folder / "figures").iterdir())
        assert files == sorted(f"{name}.svg" for name in FIGURES)
        for name in files:
            root = ElementTree.parse(folder / "figures" / name).getroot()
            svg = "{http://www.w3.org/2000/svg}"
            assert root.tag == f"{svg}svg"
            assert next(iter(root)).tag == f"{svg}title"
            assert next(root.iter(f"{svg}text")).text

    def test_the_same_run_gives_the_same_bytes(self, folder: Path, tmp_path: Path) -> None:
        write_report(finished(), tmp_path)
        names = ["report.html", *(f"figures/{name}.svg" for name in FIGURES)]
        for name in names:
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
        assert sum(p.is_file() for p in tmp_path.rglob("*")) == len(names)


class TestMissing:
    KEYS = ("search", "best", "pareto", "accuracy", "mapping", "simulate")

    def stopped(self, *made: str, **parts: Any) -> RunResults:
        assert finished().graph is not None
        whole = summary(finished().graph)  # type: ignore[arg-type]
        kept = {k: v for k, v in whole.items() if k not in self.KEYS or k in made}
        return RunResults(summary=kept, **parts)

    def test_nothing_but_a_start(self, tmp_path: Path) -> None:
        html, page = written(self.stopped(), tmp_path)
        assert [a["id"] for tag, a in page.tags if tag == "section"] == SECTIONS
        assert "Not in this report: search, training, mapping, simulation." in page.words
        assert "No network was chosen yet; the run stopped before it was mapped" in page.words
        assert "The search has not finished." in page.words
        assert "<svg" not in html
        assert list((tmp_path / "figures").iterdir()) == []

    def test_after_the_search(self, tmp_path: Path) -> None:
        results = self.stopped("search", "best", "pareto", candidates=finished().candidates)
        _, page = written(results, tmp_path)
        assert "Not in this report: training, mapping, simulation." in page.words
        assert "Candidate b was chosen; the run stopped before it was mapped" in page.words
        assert "The chosen candidate has not been trained." in page.words
        assert "Nothing has been mapped onto cores." in page.words
        assert [p.name for p in (tmp_path / "figures").iterdir()] == ["candidates.svg"]
        assert "12 cores of loihi2, priced before training; not mapped yet" in page.words

    def test_after_the_mapping(self, tmp_path: Path) -> None:
        results = self.stopped("search", "best", "accuracy", "mapping")
        results.summary["accuracy"] = {"float": 0.9806, "integer": 0.9722, "lava": None}
        _, page = written(results, tmp_path)
        assert "Not in this report: simulation." in page.words
        assert "on 7 cores at 97.2% integer accuracy; it has not been executed" in page.words
        assert "The accuracy in Lava is not known" in page.words
        assert "The mapped network has not been executed in Lava." in page.words
        assert "The target's figures are not in this run." in page.words


class TestHonesty:
    def changed(self, stage: str, **changes: Any) -> RunResults:
        results = finished()
        row = {**results.summary[stage], **changes}
        return replace(results, summary={**results.summary, stage: row})

    def test_differing_spikes_are_said_first(self) -> None:
        page = read(self.changed("simulate", mismatches=7))
        assert "but 7 spikes differ from the integer reference." in page.words
        assert "7 spikes differ from the reference. The mapped network is not exact." in page.words

    def test_assumed_rates_are_marked(self) -> None:
        traffic = {**finished().summary["mapping"]["traffic"], "rates": "assumed"}
        page = read(self.changed("mapping", traffic=traffic))
        assert "every neuron is assumed to fire at one constant rate" in page.words
        assert "tag assumed" in {a.get("class") for _, a in page.tags}

    def test_fewer_samples_in_lava_are_said(self) -> None:
        page = read(self.changed("accuracy", lava=0.96))
        assert "Lava's accuracy is that of the samples executed there" in page.words

    def test_a_chip_with_event_costs_names_their_bases(self) -> None:
        page = read(replace(finished(), target=load_target("loihi1")))
        assert "event costs of loihi1 exist on the bases davies2018, sanafe" in page.words

    def test_what_the_run_was_started_with(self) -> None:
        results = finished()
        started = {**results.summary, "data": "digits", "seed": 4}
        page = read(replace(results, summary=started))
        assert "runs/example · data digits · seed 4" in page.words

    def test_the_baselines_tau_stands_beside_the_score(self) -> None:
        page = read(self.changed("search", count_tau=0.5))
        assert "Kendall τ, score with number of convolutions 0.5" in page.words


class TestEscaping:
    NASTY = "</script><b>&\"'<!--"

    def test_names_are_text(self, tmp_path: Path) -> None:
        results = finished()
        assert results.graph is not None
        populations = tuple(
            replace(p, name=self.NASTY) if p.name == "fc" else p for p in results.graph.populations
        )
        projections = tuple(
            replace(
                e,
                source=self.NASTY if e.source == "fc" else e.source,
                target=self.NASTY if e.target == "fc" else e.target,
            )
            for e in results.graph.projections
        )
        nasty = replace(
            results,
            summary={**results.summary, "recipe": self.NASTY, "run": self.NASTY},
            graph=results.graph.with_parts(populations, projections),
            candidates=[
                {**c, "rejected": c["rejected"] and self.NASTY} for c in results.candidates
            ],
            mapping=None,
            raster={},
        )
        html, page = written(nasty, tmp_path)
        assert "b" not in {tag for tag, _ in page.tags}
        assert self.NASTY in page.words
        found = re.search(r'id="summary">(.*?)</script>', html, re.S)
        assert found is not None
        assert json.loads(found[1])["recipe"] == self.NASTY
        svg = ElementTree.parse(tmp_path / "figures" / "network.svg")
        assert any(self.NASTY in str(t.text) for t in svg.iter() if t.tag.endswith("title"))

    def test_characters_that_no_page_can_hold(self) -> None:
        assert document(el("p", "a\x00b\ud800", title="\x1b")) == (
            '<!DOCTYPE html>\n<p title="\ufffd">a\ufffdb\ufffd</p>\n'
        )


def test_a_folder_that_cannot_be_made_is_the_callers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_report(finished(), tmp_path / "file")


def test_tables_load_no_matplotlib() -> None:
    code = "import sys, neurocomp.report; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
