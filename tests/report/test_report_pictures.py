"""Pictures of a report: where things stand, what they say, and that they are plain valid SVG."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_example import candidate, finished

from neurocomp.ir import Graph, Input, LoihiLif, Population, Projection, Slice, skip, whole
from neurocomp.mapping.model import CoreAddress, Partition, Placement
from neurocomp.report import RunResults
from neurocomp.report.charts import accuracy_chart, candidates_chart, pareto, training_chart
from neurocomp.report.coremap import core_map
from neurocomp.report.floor import grid_of
from neurocomp.report.links import links_picture
from neurocomp.report.markup import el, svg_file, svg_inline
from neurocomp.report.network import lanes_of, network_picture
from neurocomp.report.raster import binned, raster_chart
from neurocomp.report.style import ACCENT, theme
from neurocomp.spec.target import DeadCore, load_target

points = st.tuples(st.integers(0, 20), st.integers(0, 20))


def words(svg: Element | None) -> list[str]:
    """Every line of text in a picture, titles left out."""
    assert svg is not None
    return ["".join(t.itertext()) for t in svg.iter("text")]


def titles(svg: Element | None) -> list[str]:
    """Every tooltip in a picture."""
    assert svg is not None
    return [str(t.text) for t in svg.iter("title")]


class TestCharts:
    def test_accuracy_says_each_value(self) -> None:
        said = words(accuracy_chart(finished()))
        assert {"98.06%", "97.22%", "float, trained", "Lava, mapped"} <= set(said)

    def test_accuracy_before_lava_has_two_bars(self) -> None:
        accuracy = {"float": 0.9806, "integer": 0.9722, "lava": None}
        said = words(accuracy_chart(RunResults(summary={"accuracy": accuracy})))
        assert "integer reference" in said
        assert "Lava, mapped" not in said

    def test_training_names_its_phases(self) -> None:
        assert {"float", "quantisation-aware"} <= set(words(training_chart(finished())))

    def test_candidates_name_all_kinds(self) -> None:
        said = words(candidates_chart(finished()))
        assert {"within the limits", "rejected before scoring", "Pareto front", "chosen"} <= set(
            said
        )

    def test_all_candidates_rejected(self) -> None:
        rows = [candidate("a", score=None, rejected="r", stored_bits=None, cores=None)]
        said = words(candidates_chart(RunResults(summary={}, candidates=rows)))
        assert "rejected before scoring" in said
        assert "within the limits" not in said

    @pytest.mark.parametrize("chart", [accuracy_chart, training_chart, candidates_chart])
    def test_nothing_made_nothing_drawn(self, chart: object) -> None:
        assert callable(chart)
        assert chart(RunResults(summary={})) is None

    def test_pareto_by_hand(self) -> None:
        # (3, 5) costs more than (2, 5) for nothing; (4, 1) is beaten by all
        assert pareto([(4, 1), (1, 2), (3, 5), (2, 5), (6, 7), (1, 1)]) == [(1, 2), (2, 5), (6, 7)]

    @given(st.lists(points, min_size=1, max_size=12))
    @settings(max_examples=60, deadline=None)
    def test_pareto_is_what_nothing_beats(self, given: list[tuple[int, int]]) -> None:
        def beaten(p: tuple[int, int]) -> bool:
            return any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in given)

        assert pareto(given) == sorted({p for p in given if not beaten(p)})

    def test_the_users_settings_change_nothing(self) -> None:
        usual = accuracy_chart(finished())
        with matplotlib.rc_context({"axes.facecolor": "red", "svg.fonttype": "path"}):
            other = accuracy_chart(finished())
        assert usual is not None
        assert other is not None
        assert svg_file(usual) == svg_file(other)


class TestRaster:
    def test_blocks_count_their_spikes(self) -> None:
        results = finished()
        spikes = results.raster["fc"]
        said = "\n".join(words(raster_chart(results)))
        assert "12 neurons" in said
        assert f"{spikes.sum()} spikes · {spikes.mean():.1%}" in said

    def test_a_membrane_readout_has_no_block(self) -> None:
        assert "out" not in words(raster_chart(finished()))

    def test_label_and_prediction_stand_over_the_input(self) -> None:
        said = words(raster_chart(replace(finished(), label=3, prediction=8)))
        assert "label 3, read out as 8" in said

    def test_colour_images(self) -> None:
        image = np.arange(3 * 4 * 4).reshape(3, 4, 4)
        assert raster_chart(replace(finished(), sample=image)) is not None

    def test_names_are_not_read_as_mathematics(self) -> None:
        results = finished()
        assert results.graph is not None
        populations = tuple(
            replace(p, name="$fc$") if p.name == "fc" else p for p in results.graph.populations
        )
        projections = tuple(
            replace(e, source=e.source.replace("fc", "$fc$"), target=e.target.replace("fc", "$fc$"))
            for e in results.graph.projections
        )
        raster = {("$fc$" if n == "fc" else n): s for n, s in results.raster.items()}
        graph = results.graph.with_parts(populations, projections)
        assert "$fc$" in words(raster_chart(replace(results, graph=graph, raster=raster)))

    def test_rows_are_shares_of_neighbours(self) -> None:
        # 5 neurons in 2 rows: the first 3 and the last 2, one step
        spikes = np.array([[1, 0, 1, 0, 1]], bool).reshape(1, 5, 1, 1)
        assert binned(spikes, 2).tolist() == [[2 / 3], [1 / 2]]

    def test_few_neurons_keep_a_row_each(self) -> None:
        spikes = np.array([[1, 0], [1, 1]], bool).reshape(2, 2, 1, 1)
        assert binned(spikes, 64).tolist() == [[1.0, 1.0], [0.0, 1.0]]


def chain(n: int, skips: list[tuple[int, int]]) -> tuple[Graph, dict[str, int]]:
    """Populations 0 … n − 1 in a chain with further projections, and their depths."""
    names = [f"p{i}" for i in range(n)]
    populations = tuple(
        Population(name, (1, 2, 2), LoihiLif(64) if i else Input()) for i, name in enumerate(names)
    )
    edges = [*((i, i + 1) for i in range(n - 1)), *skips]
    projections = tuple(
        Projection(f"e{k}", names[a], names[b], skip(1), weight=np.full((1, 1, 1, 1), 2))
        for k, (a, b) in enumerate(edges)
    )
    graph = Graph("chain", populations, projections, output=names[-1], timesteps=2)
    return graph, {name: i for i, name in enumerate(names)}


class TestNetwork:
    def test_every_population_and_projection_is_there(self) -> None:
        results = finished()
        assert results.graph is not None
        said, tips = words(network_picture(results)), "\n".join(titles(network_picture(results)))
        assert "4×8×8 · 256 neurons" in said
        assert "2×8×8 · 4-bit values" in said
        assert "5 · 5 neurons · output" in said
        assert "average 2×2 /2, 8 bit" in said
        for e in results.graph.projections:
            assert f"{e.name}: {e.source} → {e.target}" in tips

    def test_long_names_are_cut_but_kept_in_the_tooltip(self) -> None:
        graph, _ = chain(2, [])
        name = "a" * 40
        long = replace(graph.populations[1], name=name)
        edge = replace(graph.projections[0], target=name)
        graph = replace(graph, populations=(graph.populations[0], long), projections=(edge,))
        svg = network_picture(RunResults(summary={}, graph=replace(graph, output=name)))
        assert f"1  {'a' * 21}…" in words(svg)
        assert any(t.startswith(name) for t in titles(svg))

    def test_feedback_is_dashed_and_says_its_delay(self) -> None:
        graph, _ = chain(3, [])
        back = replace(graph.projections[1], name="back", source="p2", target="p1", delay=2)
        graph = replace(graph, projections=(*graph.projections, back))
        svg = network_picture(RunResults(summary={}, graph=graph))
        assert "skip, 8 bit, delay 2" in words(svg)
        assert svg is not None
        assert sum("dasharray" in p.get("style", "") for p in svg.iter("path")) == 1

    def test_skips_of_a_cell_take_the_inner_lanes_first(self) -> None:
        graph, depth = chain(4, [(0, 2), (1, 3), (0, 3)])
        lanes = lanes_of(graph, depth)
        # e3 spans rows 0–2 and is first: right, inside. e4 (1–3) meets it: left, inside.
        # e5 (0–3) meets both: right, outside
        assert {k: (v.side, v.index) for k, v in lanes.items()} == {
            "e3": (1, 0), "e4": (-1, 0), "e5": (1, 1),
        }  # fmt: skip

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(2, 4)), max_size=8))
    @settings(max_examples=40, deadline=None)
    def test_no_two_arrows_share_a_stretch_of_a_lane(self, jumps: list[tuple[int, int]]) -> None:
        graph, depth = chain(10, [(a, a + d) for a, d in jumps])
        lanes = lanes_of(graph, depth)
        assert len(lanes) == len(jumps)
        for lane in set(lanes.values()):
            held = [e for e in graph.projections if lanes.get(e.name) == lane]
            spans = sorted((depth[e.source], depth[e.target]) for e in held)
            assert all(b < c for (_, b), (c, _) in pairwise(spans))


class TestCoreMap:
    def test_every_core_says_what_it_holds(self) -> None:
        tips = titles(core_map(finished()))
        assert sum(t.endswith(": free") for t in tips) == 128 - 7
        (stem,) = (t for t in tips if t.startswith("chip 0, core 0:"))
        assert stem.startswith("chip 0, core 0: stem [0:2, 0:8, 0:8]; fullest: ")

    def test_a_core_with_two_populations_has_both_numbers(self) -> None:
        svg = core_map(finished())
        assert "6,7" in words(svg)

    def test_of_many_populations_two_numbers_stand_on_the_core(self) -> None:
        results = finished()
        assert results.mapping is not None
        assert results.graph is not None
        cores = (tuple(whole(p) for p in reversed(results.graph.neurons)),)
        places = Placement((CoreAddress(0, 0),))
        mapping = replace(results.mapping, partition=Partition(cores), placement=places)
        said = words(core_map(replace(results, mapping=mapping)))
        assert said[:2] == ["chip 0: 1 of 128 cores", "1,2…"]

    def test_legend_counts_cores(self) -> None:
        said = words(core_map(finished()))
        at = said.index("stem")
        assert said[at - 1 : at + 2] == ["1", "stem", "2 cores"]

    def test_dead_cores_are_hatched(self) -> None:
        results = finished()
        assert results.target is not None
        target = results.target.model_copy(update={"dead_cores": (DeadCore(chip=0, core=5),)})
        svg = core_map(replace(results, target=target))
        assert "chip 0, core 5: dead" in titles(svg)
        assert "chip 0: 7 of 127 cores" in words(svg)

    def test_only_used_chips_are_drawn(self) -> None:
        results = finished()
        mapping = results.mapping
        assert mapping is not None
        addresses = tuple(CoreAddress(i % 5, i) for i in range(mapping.n_cores))
        moved = replace(mapping, placement=Placement(addresses))
        board = load_target("kapoho-point")
        said = words(core_map(replace(results, mapping=moved, target=board)))
        assert [s for s in said if s.startswith("chip")] == [
            "chip 0: 2 of 128 cores", "chip 1: 2 of 128 cores", "chip 2: 1 of 128 cores",
            "chip 3: 1 of 128 cores", "chip 4: 1 of 128 cores",
        ]  # fmt: skip

    def test_small_cores_carry_no_number(self) -> None:
        results = finished()
        assert results.target is not None
        columns = results.target.mesh.columns.model_copy(update={"value": 40})
        mesh = results.target.mesh.model_copy(update={"columns": columns})
        svg = core_map(replace(results, target=results.target.model_copy(update={"mesh": mesh})))
        assert "6,7" not in words(svg)

    def test_cores_stand_where_the_target_numbers_them(self) -> None:
        # loihi1: 4 cores per tile (2×2), 4 rows of tiles; core 22 is the third of tile 5,
        # tile 5 is column 1, row 1; the chip is 8 tiles = 16 cores wide: 330/16 = 20.6 per core
        grid = grid_of(load_target("loihi1"))
        pitch = 330 / 16
        assert grid.pitch == pytest.approx(pitch)
        assert grid.at(22) == pytest.approx((2 * pitch + 4, 2 * pitch + 4 + pitch))
        assert grid.size == pytest.approx((8 * (2 * pitch + 4), 4 * (2 * pitch + 4)))

    def test_one_slice_on_many_cores(self) -> None:
        results = finished()
        mapping = results.mapping
        assert mapping is not None
        cores = tuple((Slice("stem", (0, y, 0), (4, y + 1, 8)),) for y in range(8))
        addresses = tuple(CoreAddress(0, y) for y in range(8))
        spread = replace(mapping, partition=Partition(cores), placement=Placement(addresses))
        said = words(core_map(replace(results, mapping=spread)))
        assert said[said.index("stem") + 1] == "8 cores"


class TestInline:
    def test_ids_and_references_get_the_prefix(self) -> None:
        svg = el("svg", el("path", id="a", style="fill:url(#b)"), el("use"))
        svg[1].set("xlink:href", "#a")
        inside = svg_inline(svg, "pic", {})
        assert inside[0].get("id") == "pic-a"
        assert inside[0].get("style") == "fill:url(#pic-b)"
        assert inside[1].get("xlink:href") == "#pic-a"
        assert svg[0].get("id") == "a"

    def test_colours_become_the_pages(self) -> None:
        inside = svg_inline(el("svg", style=f"fill:{ACCENT}"), "p", theme())
        assert inside.get("style") == f"fill:var(--accent, {ACCENT})"

    def test_embedded_images_stay(self) -> None:
        svg = raster_chart(finished())
        assert svg is not None
        inside = svg_inline(svg, "r", theme())
        links = [n.get("xlink:href", "") for n in inside.iter("image")]
        assert links
        assert all(re.match("data:image/png;base64,", link) for link in links)


class TestLinks:
    def two_cores(self, tile: int, spikes: list[list[int]]) -> RunResults:
        """A chain of two neurons on tiles 0 and ``tile``; spikes per step of each."""
        graph, _ = chain(3, [])
        one = tuple(replace(p, shape=(1, 1, 1)) for p in graph.populations)
        graph = graph.with_parts(one, graph.projections)
        mapping = finished().mapping
        assert mapping is not None
        cores = tuple((Slice(name, (0, 0, 0), (1, 1, 1)),) for name in ("p1", "p2"))
        places = Placement((CoreAddress(0, 0), CoreAddress(0, tile)))
        mapping = replace(mapping, partition=Partition(cores), placement=places)
        raster = {
            name: np.array(fired, bool).reshape(-1, 1, 1, 1)
            for name, fired in zip(("p1", "p2"), spikes, strict=True)
        }
        return replace(finished(), graph=graph, mapping=mapping, raster=raster)

    def test_messages_go_along_the_row_first(self) -> None:
        # tile 17 of the 8×16 mesh is column 1, row 1; 3 spikes in 4 steps make 0.75 per step
        tips = titles(links_picture(self.two_cores(17, [[1, 0, 1, 1], [1, 1, 1, 1]])))
        assert tips[1:] == [
            "tile 0,0 → 1,0: 0.75 messages per step",
            "tile 1,0 → 1,1: 0.75 messages per step",
        ]

    def test_the_widest_line_is_said(self) -> None:
        svg = links_picture(self.two_cores(2, [[1, 1, 0, 0], [0, 0, 0, 0]]))
        assert "widest line: 0.5 messages per step" in words(svg)

    def test_silence_makes_no_picture(self) -> None:
        assert links_picture(self.two_cores(2, [[0, 0], [0, 0]])) is None

    def test_only_the_used_part_of_the_mesh_is_drawn(self) -> None:
        svg = links_picture(self.two_cores(2, [[1, 1], [0, 0]]))
        assert svg is not None
        assert len(list(svg.iter("rect"))) == 3  # column 0, rows 0 to 2
