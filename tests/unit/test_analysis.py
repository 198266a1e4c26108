"""Statistics against known answers: exact cases, and coverage by simulation with fixed seeds."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sim import analysis, luck
from sim.analysis import intervals, words

SAMPLES = 2000


def correlated(process, shape, rho):
    """Standard normals whose last axis is equicorrelated."""
    shared = luck.normals(1, f"{process} shared", (*shape[:-1], 1))
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * luck.normals(1, f"{process} own", shape)


def runs_of(**scenarios):
    """A runs table from {scenario: {outcome: values by replication}}; replication k has seed 100 + k."""
    parts = []
    for name, outcomes in scenarios.items():
        n = len(next(iter(outcomes.values())))
        ids = {"run_id": [f"{name}{k}" for k in range(n)], "scenario": name, "replication": range(n), "seed": range(100, 100 + n)}
        parts.append(pd.DataFrame({**ids, "seconds": 1.0, "status": "done", **outcomes}))
    return pd.concat(parts, ignore_index=True)


def daily_of(**scenarios):
    """A daily table from {scenario: supply of shape (replications, days)}."""
    parts = []
    for name, values in scenarios.items():
        n, days = values.shape
        ids = {
            "scenario": name,
            "replication": np.repeat(range(n), days),
            "seed": np.repeat(range(n), days),
            "day": np.tile(range(days), n),
        }
        parts.append(pd.DataFrame({**ids, "supply_account_days": values.ravel()}))
    return pd.concat(parts, ignore_index=True)


class TestIntervals:
    def test_t_interval_of_a_worked_sample(self):
        found = intervals.t_intervals([1.0, 2.0, 3.0, 4.0])
        half = 3.182446 * np.sqrt(5 / 3) / 2  # t(.975, 3) from a printed table
        assert found.value[0] == 2.5
        assert found.low[0] == pytest.approx(2.5 - half, rel=1e-6)
        assert found.high[0] == pytest.approx(2.5 + half, rel=1e-6)

    def test_t_interval_covers(self):
        found = intervals.t_intervals(3.0 + luck.normals(1, "t", (8, SAMPLES)))
        assert np.mean((found.low <= 3.0) & (found.high >= 3.0)) == pytest.approx(0.95, abs=0.016)

    def test_no_variance_gives_an_interval_of_no_width(self):
        found = intervals.t_intervals(np.full((5, 1), 0.1))
        assert found.value[0] == found.low[0] == found.high[0] == 0.1

    def test_one_replication_has_no_interval(self):
        found = intervals.t_intervals([2.0])
        assert found.value[0] == 2.0
        assert np.isnan(found.low[0])
        assert np.isnan(found.high[0])

    def test_ratio_interval_covers(self):
        x = correlated("ratio", (10, SAMPLES, 2), 0.7)
        a, b = 2.0 + 0.5 * x[..., 0], 5.0 + x[..., 1]
        found = intervals.ratio_intervals(a, b)
        assert np.mean((found.low <= 0.4) & (found.high >= 0.4)) == pytest.approx(0.95, abs=0.016)

    def test_ratio_interval_leaves_out_zero_exactly_when_the_numerator_does(self):
        a, b = 0.3 + luck.normals(2, "a", (9, 500)), 40.0 + luck.normals(2, "b", (9, 500))
        ratio, top = intervals.ratio_intervals(a, b), intervals.t_intervals(a)
        assert np.array_equal((ratio.low > 0) | (ratio.high < 0), (top.low > 0) | (top.high < 0))

    def test_ratio_over_an_unclear_denominator_has_no_interval(self):
        found = intervals.ratio_intervals([1.0, 2.0, 3.0], [-1.0, 1.0, 0.5])
        assert np.isnan(found.low[0])
        assert np.isnan(found.high[0])

    @pytest.mark.parametrize(("n", "m", "rho"), [(6, 30, 0.0), (6, 30, 0.8), (12, 20, 0.5)])
    def test_simultaneous_interval_covers_all_columns_together(self, n, m, rho):
        sets = 250
        x = correlated(f"family {n} {m} {rho}", (sets, n, m), rho)
        largest = (np.abs(x.mean(axis=1)) * np.sqrt(n) / x.std(axis=1, ddof=1)).max(axis=1)
        covered = np.mean([largest[k] <= intervals.max_t_critical(x[k], draws=400) for k in range(sets)])
        assert covered > 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / sets)

    def test_simultaneous_value_lies_between_student_and_bonferroni(self):
        x = luck.normals(3, "columns", (10, 56))
        critical = intervals.max_t_critical(x)
        assert intervals.t_critical(10) < critical <= intervals.t_critical(10, family=56)

    def test_columns_that_move_as_one_count_as_one(self):
        one = luck.normals(4, "one", (200, 1))
        critical = intervals.max_t_critical(one @ np.array([[1.0, -2.0, 0.5, 3.0]]))
        assert critical < intervals.t_critical(200) + 0.3 * (intervals.t_critical(200, family=4) - intervals.t_critical(200))

    def test_columns_without_variance_do_not_widen_the_others(self):
        one = luck.normals(4, "one", (10, 1))
        assert intervals.max_t_critical(np.hstack([one, np.zeros((10, 5))])) == intervals.t_critical(10)

    def test_few_replications_never_look_surer_than_more(self):
        x = luck.normals(4, "few", (12, 6))
        values = [intervals.max_t_critical(x[:n]) for n in range(2, 13)]
        assert values == sorted(values, reverse=True)
        assert values[0] == intervals.t_critical(2, family=6)
        assert all(value > intervals.t_critical(n) for n, value in enumerate(values, start=2))

    def test_equal_differences_count_in_a_small_family_and_zeros_do_not(self):
        x = np.array([[1.0, 5.0, 0.0], [2.0, 5.0, 0.0]])
        assert intervals.max_t_critical(x) == intervals.t_critical(2, family=2)

    def test_a_few_equal_differences_prove_nothing(self):
        assert not intervals.clear(0.7, 0.7, 2)
        assert intervals.clear(0.7, 0.7, intervals.FEW)
        assert intervals.clear(0.6, 0.7, 2)

    def test_simultaneous_value_is_the_same_every_time(self):
        x = luck.normals(5, "again", (7, 12))
        assert intervals.max_t_critical(x) == intervals.max_t_critical(x)

    def test_independent_columns_need_no_shrinkage_target_other_than_themselves(self):
        x = luck.normals(6, "shrink", (400, 5))
        alike = correlated("shrink", (400, 5), 0.9)
        assert intervals.shrinkage(_residuals(x)) > 0.5
        assert intervals.shrinkage(_residuals(alike)) < 0.01

    def test_variance_ratio_interval_covers(self):
        rho, hits = 0.8, 0
        for k in range(500):
            x = correlated(f"pairs {k}", (12, 2), rho)
            a, b = x[:, 0], 1.5 * x[:, 1]
            found = intervals.variance_ratio(a, b)
            truth = (1 + 1.5**2) / (1 + 1.5**2 - 2 * rho * 1.5)
            hits += found.low <= truth <= found.high
        assert hits / 500 == pytest.approx(0.95, abs=0.033)

    def test_variance_ratio_has_no_interval_where_the_sample_says_nothing_of_it(self):
        """Few pairs, and counts of few values that happen to lie on a line."""
        few = intervals.variance_ratio([1.0, 2.0, 4.0, 3.0], [1.0, 2.5, 3.0, 3.5])
        assert few.value > 1
        assert np.isnan([few.low, few.high]).all()
        line = intervals.variance_ratio([1.0, 2.0, 1.0, 2.0, 1.0, 2.0], [3.0, 6.0, 3.0, 6.0, 3.0, 6.0])
        assert np.isfinite(line.value)
        assert np.isnan([line.low, line.high]).all()
        same = intervals.variance_ratio([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
        assert same.value == np.inf
        assert np.isnan([same.low, same.high]).all()

    def test_variance_ratio_of_differences_that_do_not_vary(self):
        a = np.array([1.0, 2.0, 4.0])
        assert intervals.variance_ratio(a, a).value == np.inf
        assert np.isnan(intervals.variance_ratio([1.0, 1.0], [2.0, 2.0]).value)

    def test_equivalence_errs_at_its_margin_no_more_than_it_says(self):
        b = 10.0 + 0.5 * luck.normals(7, "b", (SAMPLES, 12))
        a = 1.03 * b + 0.3 * luck.normals(7, "a", (SAMPLES, 12))
        wrong = np.mean([analysis.tost(a[k], b[k], 0.03).equivalent for k in range(SAMPLES)])
        assert wrong < 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / SAMPLES)

    def test_equivalence_of_equal_and_of_unequal_series(self):
        b = 10.0 + luck.normals(8, "b", 40)
        noise = 0.1 * luck.normals(8, "noise", 40)
        near, far = analysis.tost(b + noise, b, 0.03), analysis.tost(1.1 * b + noise, b, 0.03)
        assert near.equivalent
        assert near.low > 0.97
        assert near.high < 1.03
        assert not far.equivalent
        assert far.p_value > 0.5
        assert analysis.tost(b, b, 0.03).equivalent
        assert not analysis.tost(1.05 * b, b, 0.03).equivalent


def _residuals(x):
    centred = x - x.mean(axis=0)
    return centred / np.sqrt((centred**2).sum(axis=0))


class TestComparison:
    def test_columns_are_those_agreed(self):
        table = analysis.comparison(runs_of(base={"price_yuan": [1.0, 2.0]}, other={"price_yuan": [2.0, 4.0]}), "base")
        assert list(table.columns) == list(analysis.COLUMNS)

    def test_paired_numbers_of_a_worked_example(self):
        before, after = np.array([10.0, 12.0, 14.0, 12.0]), np.array([13.0, 14.0, 18.0, 15.0])
        row = analysis.comparison(runs_of(base={"price_yuan": before}, other={"price_yuan": after}), "base").iloc[0]
        expected = stats.ttest_rel(after, before).confidence_interval(0.95)
        assert (row["baseline_mean"], row["mean"], row["difference"], row["relative"]) == (12.0, 15.0, 3.0, 0.25)
        assert (row["difference_low"], row["difference_high"]) == pytest.approx((expected.low, expected.high))
        assert (row["simultaneous_low"], row["simultaneous_high"]) == pytest.approx((expected.low, expected.high))
        assert row["relative_low"] < 0.25 < row["relative_high"]
        assert row["variance_ratio"] == pytest.approx((before.var(ddof=1) + after.var(ddof=1)) / (after - before).var(ddof=1))
        assert row["replications"] == 4

    def test_exact_zero_and_exact_constant(self):
        base = [0.1, 0.7, 0.3]
        table = analysis.comparison(
            runs_of(base={"price_yuan": base, "victims": [1.0, 2.0, 3.0]}, other={"price_yuan": base, "victims": [3.0, 4.0, 5.0]}), "base"
        ).set_index("outcome")
        ends = ["difference", "difference_low", "difference_high", "simultaneous_low", "simultaneous_high"]
        assert table.loc["price_yuan", [*ends, "relative", "relative_low", "relative_high"]].tolist() == [0.0] * 8
        assert table.loc["victims", ends].tolist() == [2.0] * 5

    def test_relative_intervals_that_cannot_be_are_left_out(self):
        before, after = np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 2.5])
        ratio = intervals.ratio_intervals(after - before, before)
        assert ratio.low[0] < -1.0
        row = analysis.comparison(runs_of(base={"victims": before}, other={"victims": after}), "base").iloc[0]
        assert row["relative"] == pytest.approx(ratio.value[0])
        assert row[["relative_low", "relative_high"]].isna().all()
        signed = {"base": {"dealer_profit_yuan": [*before, -0.5]}, "other": {"dealer_profit_yuan": [*after, -1.5]}}
        with_minus = analysis.comparison(runs_of(**signed), "base").iloc[0]
        assert with_minus["relative_low"] < -1.0 or np.isnan(with_minus["relative_low"])

    def test_relative_intervals_that_an_unclear_baseline_blows_up_are_left_out(self):
        before, steady = np.array([1.0, 4.0, 2.0]), np.array([5.0, 5.1, 4.9])
        cost = np.array([5000.0, 5100.0, 4900.0])  # nearly the same difference in each pair, over a baseline that is clear: narrow
        base, other = {"victims": before, "swept": cost}, {"victims": before + steady, "swept": cost + 200.0 * steady}
        blown, kept = (row for _, row in analysis.comparison(runs_of(base=base, other=other), "base").iterrows())
        assert blown["relative"] == pytest.approx(15 / 7)
        assert np.isnan(blown["relative_low"])
        assert kept["relative_low"] < 0.2 < kept["relative_high"]

    def test_order_of_rows_changes_nothing(self):
        x = luck.normals(9, "runs", (4, 8))
        runs = runs_of(base={"price_yuan": x[0], "victims": x[1]}, other={"price_yuan": x[2], "victims": x[3]})
        shuffled = runs.iloc[np.argsort(luck.uniforms(9, "order", len(runs)))]
        first = analysis.comparison(runs, "base", scenarios=["other"])
        pd.testing.assert_frame_equal(first, analysis.comparison(shuffled, "base", scenarios=["other"]))

    def test_more_statements_make_wider_simultaneous_intervals(self):
        x = luck.normals(10, "many", (7, 10))
        runs = runs_of(base={"price_yuan": x[0]}, **{f"p{k}": {"price_yuan": x[k]} for k in range(1, 7)})
        alone = analysis.comparison(runs, "base", scenarios=["p1"]).iloc[0]
        family = analysis.comparison(runs, "base").iloc[0]
        assert family["simultaneous_high"] > alone["simultaneous_high"]
        assert family["difference_high"] == alone["difference_high"]
        assert family["simultaneous_high"] > family["difference_high"]

    def test_only_pairs_that_both_finished_count(self):
        runs = runs_of(
            base={"price_yuan": [1.0, 2.0, 3.0, 4.0]}, other={"price_yuan": [2.0, 3.5, 4.0, 9.0]}, third={"price_yuan": [1.0] * 4}
        )
        runs.loc[(runs["scenario"] == "other") & (runs["replication"] == 3), ["status", "price_yuan"]] = ["failed", np.nan]
        table = analysis.comparison(runs, "base").set_index("scenario")
        assert table["replications"].to_dict() == {"other": 3, "third": 4}
        assert table.loc["other", "difference"] == pytest.approx(3.5 / 3)
        assert (table["simultaneous_low"] <= table["difference_low"]).all()

    def test_an_outcome_missing_in_a_run_is_left_out_of_its_row(self):
        runs = runs_of(base={"lifetime_days_stolen": [1.0, np.nan, 3.0]}, other={"lifetime_days_stolen": [2.0, 5.0, 3.5]})
        none = runs_of(base={"lifetime_days_stolen": [np.nan] * 2}, other={"lifetime_days_stolen": [np.nan] * 2})
        assert analysis.comparison(runs, "base").loc[0, ["replications", "difference"]].tolist() == [2, 0.75]
        assert analysis.comparison(none, "base").loc[0, "replications"] == 0

    def test_one_replication_has_differences_without_intervals(self):
        row = analysis.comparison(runs_of(base={"price_yuan": [4.0]}, other={"price_yuan": [5.0]}), "base").iloc[0]
        assert row["difference"] == 1.0
        assert row[["difference_low", "simultaneous_high", "relative_low"]].isna().all()

    def test_unpaired_seeds_are_an_error(self):
        runs = runs_of(base={"price_yuan": [1.0, 2.0]}, other={"price_yuan": [1.0, 2.0]})
        runs.loc[3, "seed"] = 999
        with pytest.raises(ValueError, match="different seeds"):
            analysis.comparison(runs, "base")

    def test_a_missing_baseline_or_scenario_is_an_error(self):
        runs = runs_of(base={"price_yuan": [1.0]}, other={"price_yuan": [1.0]})
        with pytest.raises(ValueError, match="baseline 'nothing'"):
            analysis.comparison(runs, "nothing")
        with pytest.raises(ValueError, match="'absent'"):
            analysis.comparison(runs, "base", scenarios=["absent"])

    def test_a_replication_twice_is_an_error(self):
        runs = runs_of(base={"price_yuan": [1.0]}, other={"price_yuan": [1.0]})
        with pytest.raises(ValueError, match="twice"):
            analysis.comparison(pd.concat([runs, runs]), "base")

    def test_precision_is_half_width_over_baseline(self):
        runs = runs_of(base={"price_yuan": [10.0, 10.0, 10.0]}, other={"price_yuan": [11.0, 12.0, 13.0]})
        share = analysis.precision(runs, "base", ["price_yuan"]).loc[0, "half_width_share"]
        assert share == pytest.approx(4.302653 / np.sqrt(3) / 10)
        assert analysis.precision_reached(runs, "base", ["price_yuan"], 0.25)
        assert not analysis.precision_reached(runs, "base", ["price_yuan"], 0.24)

    @pytest.mark.parametrize(("n", "change", "share"), [(2, 1.0, np.inf), (5, 1.0, 0.0), (2, 0.0, 0.0)])
    def test_a_few_equal_differences_reach_no_precision(self, n, change, share):
        runs = runs_of(base={"price_yuan": [10.0] * n}, other={"price_yuan": [10.0 + change] * n})
        assert analysis.precision(runs, "base", ["price_yuan"]).loc[0, "half_width_share"] == share

    @pytest.mark.parametrize(
        ("n", "width", "target", "then"),
        [
            (100, 0.0283, 0.02, 179),  # 199 would do, known to about 20
            (12, 0.0125, 0.01, 14),  # 18 would do, known to about 4
            (12, 0.02, 0.01, 24),  # 41 would do, known to about 14: at most twice as many
            (100, 0.0201, 0.02, 102),
            (3, np.inf, 0.02, 6),
            (1, np.nan, 0.02, 3),
            (150, 1.0, 0.02, 200),
            (199, 0.03, 0.02, 200),
        ],
    )
    def test_replications_come_near_what_is_needed_from_below(self, n, width, target, then):
        assert analysis.next_replications(n, width, target, 200) == then


class TestDisplacement:
    def runs(self, target, other, noise=1.0, n=10, process="displacement"):
        z = noise * luck.normals(11, process, (3, n))
        base = {"supply_registered": 500 + z[0], "supply_rented": 300 + z[1]}
        policy = {"supply_registered": 500 + z[0] + target + z[2], "supply_rented": 300 + z[1] + other - 0.3 * z[2]}
        for side in (base, policy):
            side["supply_account_days"] = side["supply_registered"] + side["supply_rented"]
        return runs_of(base=base, policy=policy)

    @pytest.mark.parametrize(("other", "index"), [(0.0, 0.0), (40.0, 0.4), (100.0, 1.0), (130.0, 1.3), (-25.0, -0.25)])
    def test_known_displacement(self, other, index):
        found = analysis.displacement_index(self.runs(-100.0, other), "base", "policy", ["registered"])
        assert found.value == pytest.approx(index, abs=0.02)
        assert found.low <= found.value <= found.high

    def test_interval_covers(self):
        hits = 0
        for k in range(400):
            found = analysis.displacement_index(self.runs(-10.0, 4.0, 3.0, 8, f"displacement {k}"), "base", "policy", ["registered"])
            hits += found is not None and found.low <= 0.4 <= found.high
        assert hits / 400 == pytest.approx(0.95, abs=0.036)

    def test_no_index_without_a_clear_change_in_the_target(self):
        runs = self.runs(0.0, 40.0)
        assert analysis.displacement_index(runs, "base", "policy", ["registered"]) is None
        assert np.isnan(analysis.displacement(runs, "base", {"policy": ["registered"]}).loc[0, "displacement_index"])

    def test_scenarios_without_targets_have_no_row(self):
        assert analysis.displacement(self.runs(-100.0, 0.0), "base", {"policy": [], "base": ["registered"]}).empty

    def test_synergy_is_what_exceeds_the_sum(self):
        z = luck.normals(12, "synergy", (4, 10))
        values = {"base": 100 + z[0], "a": 90 + z[0] + 0.1 * z[1], "b": 95 + z[0] + 0.1 * z[2], "both": 80 + z[0] + 0.1 * z[3]}
        table = analysis.synergy(runs_of(**{k: {"price_yuan": v} for k, v in values.items()}), "base", ["a", "b"], "both", ["price_yuan"])
        assert table.loc[0, ["combined", "sum_of_parts", "excess"]].tolist() == pytest.approx([-20, -15, -5], abs=0.3)
        assert table.loc[0, "excess_high"] < 0


class TestOverTime:
    def pulse(self, path):
        base = np.full((2, len(path)), 100.0) + np.array([[3.0], [-3.0]])
        return daily_of(base=base, purge=base * np.asarray(path))

    def test_recovery_counts_days_to_the_first_that_holds(self):
        path = [1.0] * 10 + [0.5] * 6 + [0.96] * 3 + [0.9] + [0.97] * 20
        assert analysis.recovery_days(self.pulse(path), "base", "purge", 9) == 11

    def test_exactly_the_share_is_not_above_it(self):
        path = [1.0] * 10 + [0.95] * 5 + [0.951] * 7
        assert analysis.recovery_days(self.pulse(path), "base", "purge", 9) == 6

    def test_no_recovery_before_the_end(self):
        assert analysis.recovery_days(self.pulse([1.0] * 10 + [0.5] * 10 + [1.0] * 6), "base", "purge", 9) is None

    def test_a_pulse_without_effect_takes_no_recovery(self):
        assert analysis.recovery_days(self.pulse([1.0] * 30), "base", "purge", 9) == 0
        assert analysis.recovery_days(self.pulse([1.0] * 12), "base", "purge", 9) == 0

    def test_a_pulse_that_acts_on_its_day_or_on_the_next(self):
        assert analysis.recovery_days(self.pulse([1.0] * 9 + [0.5] + [1.0] * 20), "base", "purge", 9) == 1
        assert analysis.recovery_days(self.pulse([1.0] * 10 + [0.5] + [1.0] * 20), "base", "purge", 9) == 2

    def test_days_before_the_policy_have_differences_of_exactly_zero(self):
        base = 100.1 + luck.normals(13, "base", (5, 60))
        policy = base.copy()
        policy[:, 30:] += 7.0 + luck.normals(13, "policy", (5, 30))
        table = analysis.daily_differences(daily_of(base=base, policy=policy), "base", ["supply_account_days"])
        assert (table.loc[table["day"] < 30, ["difference", "difference_low", "difference_high", "relative"]] == 0.0).all(axis=None)
        assert table.loc[table["day"] == 30, "difference"].item() == pytest.approx((policy - base)[:, 30].mean() / 7)
        assert table.loc[table["day"] == 59, "difference"].item() == pytest.approx((policy - base)[:, 53:].mean())
        late = table[table["day"] > 40]
        assert (late["difference_low"] > 0).all()
        assert late["relative"].mean() == pytest.approx(0.07, abs=0.01)

    def test_missing_days_are_an_error(self):
        daily = daily_of(base=np.ones((2, 5)), policy=np.ones((2, 5)))
        with pytest.raises(ValueError, match="lacks days"):
            analysis.daily_differences(daily.drop(index=3), "base", ["supply_account_days"])

    def test_mean_daily_averages_replications(self):
        table = analysis.mean_daily(daily_of(base=np.array([[1.0, 2.0], [3.0, 6.0]])), ["supply_account_days"])
        assert table["supply_account_days"].tolist() == [2.0, 4.0]
        assert table["replications"].tolist() == [2, 2]


class TestSweeps:
    def runs(self):
        z = luck.normals(14, "sweep", 6)
        rises = {"l0": -20.0, "l5": 30.0, "l10": -10.0}
        levels = {name: {"stock_rented": 100 + z + up + 0.2 * luck.normals(15, name, 6)} for name, up in rises.items()}
        return runs_of(base={"stock_rented": 100 + z}, **levels)

    def test_dose_response_has_the_baseline_at_its_level(self):
        dose = analysis.dose_response(self.runs(), "base", {"l0": 0.0, "l5": 0.5, "l10": 1.0}, 0.3, ["stock_rented"])
        assert dose["level"].tolist() == [0.0, 0.3, 0.5, 1.0]
        own = dose[dose["scenario"] == "base"].iloc[0]
        assert own[["difference", "difference_low", "simultaneous_high"]].tolist() == [0.0, 0.0, 0.0]
        assert own["mean"] == own["baseline_mean"]

    def test_range_where_renting_rises(self):
        dose = analysis.dose_response(self.runs(), "base", {"l0": 0.0, "l5": 0.5, "l10": 1.0}, 0.3, ["stock_rented"])
        ((low, high),) = analysis.rising_ranges(dose)
        assert low == 0.3
        assert 0.8 < high < 0.9
        assert analysis.rising_ranges(dose, "price_yuan") == []

    def test_interaction_names_both_levels(self):
        table = analysis.interaction(self.runs(), "base", {"l0": (0.0, 0.1), "l5": (0.5, 0.2)}, ["stock_rented"])
        assert table[["x", "y"]].to_numpy().tolist() == [[0.0, 0.1], [0.5, 0.2]]


class TestAnswer:
    def table(self):
        z = 0.1 * luck.normals(16, "answer", (6, 8))
        base = {"stock_rented": 100 + z[0], "price_yuan": 10 + z[1], "innocents_sanctioned": 2 + 0.1 * z[2], "owners_banned": 5 + z[3]}
        other = {"stock_rented": 150 + z[0], "price_yuan": base["price_yuan"], "innocents_sanctioned": 20 + z[4], "owners_banned": 5 + z[5]}
        return analysis.comparison(runs_of(base=base, policy=other), "base")

    def test_says_what_is_clear_what_is_not_and_what_is_exact(self):
        first, last = analysis.answer(self.table(), titles={"policy": "A policy"})
        assert first.startswith("A policy: rented accounts rise by 50")
        assert "the price exactly unchanged" in first
        assert "innocents sanctioned rise to 9.99 times (" in first
        assert "owners banned: no clear change (" in first
        assert "8 pairs" in last

    def test_says_how_much_is_displaced(self):
        runs = TestDisplacement().runs(-100.0, 40.0)
        table = analysis.comparison(runs, "base", ["supply_account_days"])
        lines = analysis.answer(table, analysis.displacement(runs, "base", {"policy": ["registered"]}))
        assert "of the supply that registered accounts lose, 40" in lines[1]
        assert "comes back through other channels" in lines[1]

    @pytest.mark.parametrize(
        ("target", "other", "words"),
        [
            (-100.0, 0.0, "lose, no clear part comes back through other channels (-"),
            (-100.0, -40.0, "other channels shrink too, by 3"),
            (100.0, 0.0, "registered accounts gain supply; other channels do not clearly change (-"),
            (100.0, -40.0, "registered accounts gain supply; other channels shrink, by "),
            (100.0, 40.0, "registered accounts gain supply; other channels grow too, by "),
            (0.0, 40.0, "the supply of registered accounts does not clearly change (-"),
        ],
    )
    def test_says_where_supply_goes(self, target, other, words):
        runs = TestDisplacement().runs(target, other, noise=5.0)
        table = analysis.comparison(runs, "base", ["supply_account_days"])
        line = analysis.answer(table, analysis.displacement(runs, "base", {"policy": ["registered"]}))[1]
        assert words in line
        assert ("-" in line) == ("clear" in line)  # amounts have a sign only where it is open

    def test_says_recovery(self):
        lines = analysis.answer(self.table(), recovery={"policy": 12})
        assert any("after 12 days" in line for line in lines)
        assert any("not recovered" in line for line in analysis.answer(self.table(), recovery={"policy": None}))
        assert any("never fell below 95 %" in line for line in analysis.answer(self.table(), recovery={"policy": 0}))
        assert any(line.endswith("after 1 day.") for line in analysis.answer(self.table(), recovery={"policy": 1}))

    def test_one_replication_claims_nothing(self):
        base, policy = {"price_yuan": [4.0], "stock_rented": [50.0]}, {"price_yuan": [5.0], "stock_rented": [10.0]}
        first, note = analysis.answer(analysis.comparison(runs_of(base=base, policy=policy), "base"))
        assert first == "policy: the price rises by 25 %; rented accounts fall by 80 %."
        assert note == "One pair of runs with the same luck: no intervals, so a difference may be chance."

    def test_equal_differences_are_not_stated_as_certain(self):
        runs = runs_of(base={"price_yuan": [4.0, 6.0], "victims": [0.0] * 2}, policy={"price_yuan": [5.0, 7.0], "victims": [0.5] * 2})
        first, note = analysis.answer(analysis.comparison(runs, "base"))
        assert (
            "the price rises by 1 yuan per effective account-day from 5, the same in all 2 pairs, too few to tell it from chance" in first
        )
        assert "victims rise by 0.5 people/day from 0, the same in all 2 pairs, too few to tell it from chance" in first
        assert "Brackets" not in note

    def test_the_note_explains_only_what_is_said(self):
        *_, note = analysis.answer(self.table())
        assert "Brackets" in note
        assert "Probably" not in note
        assert "units" not in note

    def test_effects_that_are_clear_only_alone_are_probable(self):
        table = self.table()
        table.loc[table["outcome"] == "innocents_sanctioned", "simultaneous_low"] = -1.0
        first, note = analysis.answer(table)
        assert "innocents sanctioned probably rise" in first
        assert "'Probably'" in note

    def test_a_baseline_of_zero_gives_amounts(self):
        policy = {"innocents_sanctioned": [2.0, 3.0, 4.0]}
        table = analysis.comparison(runs_of(base={"innocents_sanctioned": [0.0] * 3}, policy=policy), "base")
        first, note = analysis.answer(table)
        assert "rise by 3 users/day from 0 (0.516 to 5.48)" in first
        assert "'-' in the table" in note


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (-0.0008, "-0.0008"), (0.000837, "0.0008"), (0.00096, "0.001"), (0.00123, "0.00123"), (-0.00002, "-0.00002"),
            (1e-6, "0.000001"), (0.0, "0"), (0.45, "0.45"),
            (12.34, "12.3"), (1234.0, "1,234"), (1.234e6, "1.23 million"), (np.nan, "unknown"),
        ],
    )  # fmt: skip
    def test_small_numbers_are_written_without_an_exponent(self, value, text):
        assert words.number(value) == text

    def test_what_is_nearer_to_nothing_than_anybody_counts_has_an_exponent(self):
        assert words.number(-3e-12) == "-3e-12"
