"""Tables of a report as plain data, worked out by hand from the example's rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_example import candidate, candidates, finished, map_row

from neurocomp.ir import Conv, Dense, Graph, Input, LoihiLif, Population, Projection, skip
from neurocomp.report import (
    core_table,
    cost_table,
    layer_table,
    legend,
    mismatch_table,
    policy_table,
    ranking_table,
    rejection_table,
)
from neurocomp.report.wiring import operation, projection_table


class TestLayers:
    def test_use_of_each_limited_resource_and_what_binds(self) -> None:
        table = layer_table(map_row())
        assert table.headers == (
            "layer", "shape", "parameters", "bits", "cores", "neurons /4,095",
            "synapse words /16,000", "in axons /16,000", "binds",
        )  # fmt: skip
        # stem: 8000/16000 words = 50 % is more than 128/4095 neurons = 3 %
        # fc: 1024/4095 neurons = 25 % is more than 1600/16000 words = 10 %
        assert table.rows == (
            ("stem", "2×8×8", 38, 8, 2, 128, 8000, 2, "synapse words 50%"),
            ("fc", "1024×1×1", 131072, 4, 1, 1024, 1600, 96, "neurons 25%"),
        )

    def test_without_any_limit_nothing_binds(self) -> None:
        row = map_row()
        row["layers"] = [{**row["layers"][0], "used": {"neurons": [5, None]}}]
        assert layer_table(row) == (
            ("layer", "shape", "parameters", "bits", "cores", "binds"),
            (("stem", "2×8×8", 38, 8, 2, "–"),),
        )

    def test_what_is_not_exact_says_so(self) -> None:
        row = map_row()
        assert legend(row) == ""
        bases = {"neurons": "lower bound", "synapse_words": "unknown", "in_axons": "upper bound"}
        row["layers"][0]["basis"] = {**row["layers"][0]["basis"], **bases}
        assert layer_table(row).rows[0][5:8] == ("≥ 128", "8,000 ?", "≤ 2")
        assert layer_table(row).rows[1][5:8] == (1024, 1600, 96)
        assert legend(row) == "≤ at most, ≥ at least, ? not known"


class TestSearch:
    def test_ranking_is_by_score_with_the_count_beside_it(self) -> None:
        table = ranking_table(candidates(), 3)
        assert [(row[0], row[1], row[2]) for row in table.rows] == [
            ("b", 160.0, 5),
            ("c", 150.0, 4),
            ("d", 120.0, 4),
        ]

    def test_equal_scores_stand_by_name(self) -> None:
        rows = [candidate("y"), candidate("x")]
        assert [row[0] for row in ranking_table(rows, 2).rows] == ["x", "y"]

    def test_rejections_are_counted_by_reason(self) -> None:
        assert rejection_table(candidates()).rows == (
            ("more than 64 cores", 2),
            ("more than 50,000 parameters", 1),
        )

    def test_nothing_rejected(self) -> None:
        assert rejection_table([candidate("a")]).rows == ()


def test_policies_side_by_side() -> None:
    table = policy_table({"compiler": map_row("compiler", 9), "balanced": map_row()})
    assert table.rows == (
        ("compiler", 1, 9, 6, 61.5, 140.25, 12.0),
        ("balanced", 1, 7, 6, 61.5, 140.25, 12.0),
    )


def test_cores_in_the_order_of_their_places() -> None:
    results = finished()
    assert results.graph is not None
    assert results.mapping is not None
    assert results.target is not None
    table = core_table(results.graph, results.mapping, results.target)
    # stem stands in halves of its 4 channels on cores 0 and 3; fc and out share core 18
    assert [row[:3] for row in table.rows][:3] == [
        ("0 / 0", "stem [0:2, 0:8, 0:8]", 128),
        ("0 / 3", "stem [2:4, 0:8, 0:8]", 128),
        ("0 / 6", "n1", 256),
    ]
    assert table.rows[-1][:3] == ("0 / 18", "fc, out", 17)
    # two neuron groups of 8 are 25 %, more than any other share of this small core
    assert table.rows[-1][3] == "neuron groups 25%"


def test_mismatches_by_population() -> None:
    rows = [{"name": "stem", "spikes": 12, "mismatches": 3}]
    assert mismatch_table({"layers": rows}).rows == (("stem", 12, 3),)


def two(op: Conv | Dense, source: tuple[int, int, int], target: tuple[int, int, int]) -> Graph:
    """An input and one population, joined by an untrained projection."""
    return Graph(
        "two",
        (Population("in", source, Input()), Population("n", target, LoihiLif(64))),
        (Projection("e", "in", "n", op),),
        output="n",
        timesteps=2,
    )


class TestWiring:
    @pytest.mark.parametrize(
        ("op", "source", "target", "words"),
        [
            (Conv((3, 3), padding=(1, 1)), (2, 4, 4), (6, 4, 4), "conv 3×3"),
            (Conv((5, 3), stride=(2, 2), padding=(2, 1)), (2, 4, 4), (6, 2, 2), "conv 5×3 /2"),
            (Conv((1, 1), groups=2), (4, 4, 4), (6, 4, 4), "2-group conv 1×1"),
            (skip(4), (4, 4, 4), (4, 4, 4), "depthwise 1×1"),  # not given: to be trained
            (Dense(), (4, 1, 1), (6, 1, 1), "dense"),
        ],
    )
    def test_operation_in_words(
        self,
        op: Conv | Dense,
        source: tuple[int, int, int],
        target: tuple[int, int, int],
        words: str,
    ) -> None:
        graph = two(op, source, target)
        assert operation(graph, graph.projections[0]) == words

    def test_skips_and_pooling_of_an_integer_graph(self) -> None:
        graph = finished().graph
        assert graph is not None
        said = {e.name: operation(graph, e) for e in graph.projections}
        assert said["stem-n1.skip"] == "skip"
        assert said["n1-n2.pool"] == "average 3×3"
        assert said["concat-pool"] == "average 2×2 /2"

    def test_rows_have_weights_live_share_and_waiting_steps(self) -> None:
        graph = finished().graph
        assert graph is not None
        table = projection_table(graph)
        rows = {row[0]: row for row in table.rows}
        # stem is at depth 1 and concat at 4: a message that takes 1 step waits 2 more;
        # 6 output channels × 4 input channels × 3×3 taps = 216 weights
        assert rows["stem-concat"][:4] == ("stem-concat", "conv 3×3", 4, 216)
        assert rows["stem-concat"][5] == 2
        assert rows["fc-out"][3] == 12 * 5
        # 30 % of 400 weights are masked, and more are rounded to zero at 2 bits
        assert 0 < int(str(rows["stem-n2.conv5"][4])) <= 80

    def test_an_untrained_projection_has_no_live_share(self) -> None:
        table = projection_table(two(Dense(), (4, 1, 1), (6, 1, 1)))
        assert table.rows == (("e", "dense", 8, 24, None, 0),)

    def test_live_share_is_of_all_weights(self) -> None:
        import numpy as np

        graph = two(Dense(), (4, 1, 1), (1, 1, 1))
        e = replace(graph.projections[0], weight=np.array([[0, 2, 0, 0]]))
        table = projection_table(graph.with_parts(graph.populations, (e,)))
        assert table.rows[0][4] == 25


class TestCosts:
    def test_a_row_for_each_basis(self) -> None:
        table = cost_table(map_row())
        assert table.headers == (
            "basis",
            "neurons nJ",
            "synapses nJ",
            "messages nJ",
            "mesh nJ",
            "total nJ",
            "busiest core µs",
            "step µs",
            "without a price",
        )
        name, without = "loihi1 equivalent energy, davies2018", "message out, message in"
        assert table.rows == ((name, 2.0, 3.0, 0.0, 0.5, 5.5, 4.0, 4.5, without),)

    def test_power_where_a_step_rate_was_asked_for(self) -> None:
        row = map_row()
        cost = row["costs"]["loihi1_equivalent_energy"]["davies2018"]
        cost["power_mw"] = {"steps_per_second": 1000.0, "dynamic": 0.25, "static": None}
        table = cost_table(row)
        assert table.headers[-3:] == ("dynamic mW", "static mW", "without a price")
        assert table.rows[0][-3:] == (0.25, None, "message out, message in")
