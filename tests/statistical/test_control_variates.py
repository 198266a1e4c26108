"""What a control variate takes away is found where it is planted, and nothing where there is none."""

from __future__ import annotations

import csv

import control_variates
import numpy as np
import pytest

from sim import conduct, luck
from sim import jobs as jobs_module
from sim.comparison import Runs
from sim.outcomes import OUTCOMES, window_means
from sim.plan import Plan
from sim.scenario import scenario_from

RUN = {"days": 60, "burn_in_days": 40, "settle_days": 5}


@pytest.mark.parametrize("r", [0.3, 0.6, 0.95])
def test_a_planted_covariate_leaves_one_less_the_square_of_its_correlation(r):
    x, noise = luck.normals(3, "planted", (2, 4000))
    found = control_variates.variance_left(7.0 + r * x + np.sqrt(1.0 - r * r) * noise, 100.0 - 3.0 * x, 400)
    assert found.correlation == pytest.approx(-r, abs=0.05)
    assert found.left == pytest.approx(1.0 - r * r, abs=0.05)
    assert found.low < 1.0 - r * r < found.high < 1.0


def test_a_covariate_that_says_nothing_leaves_all_on_average():
    """Also of few pairs, of which each takes up a part of the variance by chance: 1 with a standard error of .009."""
    differences, covariates = luck.normals(3, "nothing", (2, 400, 8))
    left = [control_variates.variance_left(d, x, 10).left for d, x in zip(differences, covariates, strict=True)]
    assert np.mean(left) == pytest.approx(1.0, abs=0.03)
    assert max(left) <= 7 / 6
    d, x = luck.normals(3, "nothing", (2, 400))
    assert control_variates.variance_left(d, x, 400).high > 1.0


def test_the_interval_is_the_same_each_time():
    d, x = luck.normals(4, "again", (2, 30))
    assert control_variates.variance_left(d, x) == control_variates.variance_left(d, x)


def planted(scenario, seed):
    """Days on which supply after the policy follows what its market had before it, and nothing else does."""
    known, *chance = luck.normals(seed, "market", (1 + len(OUTCOMES),))
    daily = {name: np.full(scenario.run.days, 100.0 + known) for name in OUTCOMES}
    for policy in scenario.policies.values():
        for name, other in zip(OUTCOMES, chance, strict=True):
            daily[name][policy.first_day :] += 5.0 + (known if name == "supply_account_days" else other)
    return daily, window_means(daily, *scenario.run.window), 0.01


def test_the_table_is_that_of_a_results_directory(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jobs_module, "simulate", planted)
    monkeypatch.setattr(Runs, "write_figures", lambda *_: None)
    data = {"name": "base", "run": RUN}
    policy = {**data, "name": "policy", "policies": {"account_audit": {"strength": 0.5, "start_day": 42}}}
    scenarios = {one["name"]: scenario_from(one, one["name"]) for one in (data, policy)}
    about = {"command": "compare", "name": "planted", "outcomes": ("price_yuan",), "headline": ("price_yuan",)}
    plan = Plan(**about, scenarios=scenarios, replications=40, seed=1, baseline="base")
    conduct.carry_out(plan, tmp_path / "results", share_burn_in=False)
    assert control_variates.main([str(tmp_path / "results"), "--out", str(tmp_path / "table.csv")]) == 0
    assert capsys.readouterr().out.count("\n") == 10
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == control_variates.HEAD
    assert {(row["scenario"], row["first_day"], row["last_day"], row["pairs"]) for row in rows} == {
        ("policy", "0", "41", "40"),
        ("policy", "12", "41", "40"),
    }
    left = {row["outcome"]: (float(row["left"]), float(row["left_high"])) for row in rows}
    assert left["supply_account_days"] == pytest.approx((0.0, 0.0), abs=1e-9)
    assert all(value > 0.7 and high > 0.97 for name, (value, high) in left.items() if name != "supply_account_days")


def test_what_holds_no_comparison_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jobs_module, "simulate", planted)
    monkeypatch.setattr(Runs, "write_figures", lambda *_: None)
    conduct.run(scenario_from({"name": "base", "run": RUN}, "base"), 1, out=tmp_path / "results")
    with pytest.raises(SystemExit):
        control_variates.main([str(tmp_path / "results")])
    assert "holds no comparison" in capsys.readouterr().err
