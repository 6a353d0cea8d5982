"""Limits of a joint search, held against the network that was trained and mapped."""

from __future__ import annotations

from typing import Any

import pytest

from neurocomp.errors import FitError, InputError
from neurocomp.flow.limits import limits_row, require_kept
from neurocomp.flow.options import make_options
from neurocomp.report import limits_table, paper_table

FIGURES: dict[str, Any] = {"size_mb": 0.001, "bit_synops": 650.0, "timesteps": 3}
MAPPED: dict[str, Any] = {"n_cores": 5, "traffic": {"messages_per_step": 40.0}}
LIMITS = {"bits": 9000.0, "bit_synops": 600.0, "cores": 5.0, "messages": 100.0}
JUDGED = {"bits": 8000.0, "bit_synops": 590.0, "cores": 4.0, "messages": None}


class TestRow:
    def test_by_hand(self) -> None:
        """0.001 MB are 8000 bits; 3 steps of 40 messages are 120."""
        assert limits_row(LIMITS, JUDGED, FIGURES, MAPPED) == {
            "bits": {"limit": 9000.0, "judged": 8000.0, "final": 8000, "kept": True},
            "bit_synops": {"limit": 600.0, "judged": 590.0, "final": 650.0, "kept": False},
            "cores": {"limit": 5.0, "judged": 4.0, "final": 5, "kept": True},
            "messages": {"limit": 100.0, "judged": None, "final": 120.0, "kept": False},
        }

    def test_a_baseline_is_not_judged_before(self) -> None:
        row = limits_row({"cores": 4.0}, {}, FIGURES, MAPPED)
        assert row == {"cores": {"limit": 4.0, "judged": None, "final": 5, "kept": False}}


class TestRequireKept:
    def test_a_limit_between_judged_and_final(self) -> None:
        """600²/650 = 553.8; 100²/120 = 83.3."""
        said = (
            r"run/x: .*bit_synops: 650 after training, 600 allowed, 8.3% more; messages: 120 after "
            r"training, 100 allowed, 20.0% more\); all results are kept; search again .*"
            r"--max-bit-synops 553, `messages: 83` under joint.budgets in the recipe$"
        )
        with pytest.raises(FitError, match=said):
            require_kept(limits_row(LIMITS, JUDGED, FIGURES, MAPPED), "run/x")

    def test_no_lower_limit_than_one(self) -> None:
        """2²/5 = 0.8, and no option takes 0."""
        with pytest.raises(FitError, match=r"--max-cores 1$"):
            require_kept(limits_row({"cores": 2.0}, JUDGED, FIGURES, MAPPED), "run/x")

    def test_kept(self) -> None:
        require_kept(limits_row({"cores": 5.0}, JUDGED, FIGURES, MAPPED), "run/x")
        require_kept({}, "run/x")  # not a joint search, or not mapped yet


class TestTables:
    def test_a_row_per_limit(self) -> None:
        made = limits_table({"limits": limits_row(LIMITS, JUDGED, FIGURES, MAPPED)})
        assert made.rows[0] == ("weight bits", 9000.0, 8000.0, 8000, "yes")
        assert made.rows[3] == ("messages per image", 100.0, None, 120.0, "no")
        assert limits_table({}).rows == ()

    def test_a_baseline_beyond_the_limits_is_marked(self) -> None:
        row = {
            "name": "spikedhs", "fault": None, "accuracy": {"float": 1.0, "integer": 1.0},
            "limits": limits_row(LIMITS, {}, FIGURES, MAPPED), **FIGURES, "stored_bytes": 8,
            "cores": 5, "weight_bits": [8], "stored_bit_synops": 1.0, "additions": 1.0,
            "multiplications": 1.0, "energy_mj": 1.0, "design_hours": 1.0,
        }  # fmt: skip
        given = {
            "figures": row, "accuracy": row["accuracy"], "mapping": MAPPED, "baselines": [row],
        }  # fmt: skip
        made = paper_table(given)
        assert made.rows[1][0] == "spikedhs (beyond the limits: bit_synops, messages)"


class TestUnread:
    @pytest.mark.parametrize(
        ("option", "flag"),
        [
            ({"strategy": "tpe"}, "--strategy"),
            ({"evaluator": "train"}, "--evaluator"),
            ({"candidates": 5}, "--candidates"),
            ({"evaluations": 5}, "--evaluations"),
            ({"objectives": ["score"]}, "--objective"),
            ({"budgets": {"params": 1.0}}, "--budget"),
            ({"max_params": 10}, "--max-params"),
            ({"storage": "sqlite:///x.db"}, "--storage"),
        ],
    )
    def test_refused_by_name(self, option: dict[str, Any], flag: str) -> None:
        with pytest.raises(InputError, match=f"litesnn-digits: a joint .* read {flag}; its limits"):
            make_options("loihi2", "litesnn-digits", **option)

    def test_all_are_named(self) -> None:
        with pytest.raises(InputError, match="does not read --strategy, --max-params;"):
            make_options("loihi2", "litesnn-digits", strategy="tpe", max_params=10)

    def test_other_recipes_read_them(self) -> None:
        made = make_options("loihi2", "spikernel-digits", strategy="tpe", max_params=10)
        assert made.recipe.search.max_params == 10
