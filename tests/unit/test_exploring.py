"""Experiments with a design: points and values, faults in the file, runs that are kept, a row a point."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim import luck
from sim.cli import main
from sim.exploring import points
from sim.exploring.carrying import carry_out, experiment, lay_out
from sim.exploring.design import SETTINGS, Design
from sim.exploring.factors import Factor
from sim.exploring.file import load_exploration
from sim.exploring.points import unit_points, values_of
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES, window_means
from sim.store import StoreError, write_table

ROOT = Path(__file__).parents[2]
SHIPPED = [
    ROOT / "scenarios" / "experiments" / name for name in ("supply_levers_factorial.toml", "screening_morris.toml", "package_shares.toml")
]
SMALL = 'name = "base"\n[run]\ndays = 20\nburn_in_days = 6\nsettle_days = 4\nreplications = 2\n[population]\nusers = 20_000\n'
HEAD = 'baseline = "base.toml"\noutcomes = ["stock_rented", "price_yuan"]\n'
TWO = '[[factors]]\nkey = "account_audit"\n[[factors]]\nkey = "parameters.renting.quit_per_day"\nlog = true\n'


def days_of(scenario, seed):
    """A model that takes no time: the outcome is the strength of an audit, the policy's or the standing one, and some luck."""
    policy = scenario.policies.get("account_audit")
    level = policy.strength if policy else scenario.levers["account_audit"]
    noise = luck.uniforms(seed, "stand-in", (scenario.run.days,))
    daily = dict.fromkeys(OUTCOMES, 100.0 * level + noise)
    return daily, window_means(daily, *scenario.run.window), 0.01


def fails_when_strict(scenario, seed):
    if "account_audit" in scenario.policies and scenario.policies["account_audit"].strength == 1.0 and seed == 2:
        raise ZeroDivisionError("too strict")
    return days_of(scenario, seed)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write experiment files into an empty folder, beside a small baseline."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "base.toml").write_text(SMALL)

    def write(design: str, factors: str = TWO, head: str = HEAD) -> Path:
        (tmp_path / "mine.toml").write_text(f"{head}{factors if factors.startswith('factors') else ''}[design]\n{design}\n")
        if not factors.startswith("factors"):
            with (tmp_path / "mine.toml").open("a") as file:
                file.write(factors)
        return tmp_path / "mine.toml"

    return write


FACTORS = [
    Factor("levers.account_audit", 0.0, 1.0),
    Factor("policies.a.start_day", 6, 9, whole=True),
    Factor("levers.ad_takedown", 0.2, 0.8),
]


@pytest.mark.parametrize("kind", [kind for kind in SETTINGS if kind not in {"one_at_a_time", "table", "plausible"}])
def test_a_design_has_as_many_points_as_it_says_and_the_same_each_time(kind):
    if kind in points.NEEDS_EXTRA:
        pytest.importorskip("SALib")
    design = Design(kind, points=8, trajectories=4, levels=4, seed=3)
    found = unit_points(design, FACTORS)
    assert found.shape == (design.count(FACTORS), 3)
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert np.array_equal(found, unit_points(design, FACTORS))
    if "seed" in SETTINGS[kind]:
        assert not np.array_equal(found, unit_points(Design(kind, points=8, trajectories=4, levels=4, seed=4), FACTORS))


def test_a_hypercube_meets_every_stratum_and_a_trajectory_moves_one_factor_at_a_time():
    cube = unit_points(Design("latin_hypercube", points=10), FACTORS)
    assert np.array_equal(np.sort((cube * 10).astype(int), axis=0), np.repeat(np.arange(10), 3).reshape(10, 3))
    pytest.importorskip("SALib")
    ways = unit_points(Design("morris", trajectories=5), FACTORS).reshape(5, 4, 3)
    assert ((np.diff(ways, axis=1) != 0).sum(axis=2) == 1).all()


def test_values_are_rounded_kept_in_range_whole_or_on_a_log_scale():
    assert [FACTORS[1].value(part) for part in (0.0, 0.4, 1.0)] == [6, 7, 9]
    assert isinstance(FACTORS[1].value(0.4), int)
    log = Factor("parameters.renting.quit_per_day", 0.01, 0.08, log=True)
    assert [log.value(part) for part in (0.0, 1 / 3, 1.0)] == [0.01, 0.02, 0.08]
    assert Factor("levers.account_audit", 0.0, 1.0).value(1 / 3) == 0.333333


def test_a_grid_has_every_combination(written):
    asked = load_exploration(written('kind = "grid"\nlevels = 3'))
    values = values_of(asked)
    assert len(values) == asked.count == 9
    assert {point["policies.account_audit.strength"] for point in values} == {0.0, 0.5, 1.0}
    assert sorted({point["parameters.renting.quit_per_day"] for point in values}) == [0.01, 0.0282843, 0.08]


def test_one_at_a_time_begins_with_the_scenario_as_it_is(written):
    done = experiment(written('kind = "one_at_a_time"'), how=days_of)
    table = done.points
    assert table["point"].tolist() == [0, 1, 2, 3, 4]
    assert table["policies.account_audit.strength"].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert table["parameters.renting.quit_per_day"].tolist() == [0.05, 0.05, 0.05, 0.01, 0.08]


def test_days_are_factors_of_whole_numbers(written):
    factors = '[[factors]]\nkey = "policies.account_audit.start_day"\nlow = 6\nhigh = 15\nlevels = 4\n'
    written('kind = "grid"')
    Path("base.toml").write_text(SMALL + "[policies.account_audit]\nstrength = 0.5\n")
    layout = lay_out(load_exploration(written('kind = "grid"', factors)))
    days = [scenario.policies["account_audit"].start_day for scenario in layout.plan.scenarios.values()]
    assert days == [6, 9, 12, 15]


def test_points_are_means_with_their_standard_error(written):
    done = sim.experiment(written('kind = "factorial"'), replications=3, how=days_of)
    assert list(done.points)[:4] == ["point", "scenario", "policies.account_audit.strength", "parameters.renting.quit_per_day"]
    runs = done.runs[done.runs["scenario"] == "point_3"]["stock_rented"]
    row = done.points[done.points["point"] == 3].iloc[0]
    assert row["stock_rented"] == pytest.approx(runs.mean())
    assert row["stock_rented_standard_error"] == pytest.approx(runs.std() / 3**0.5)
    assert row["replications"] == 3
    strict = done.points["policies.account_audit.strength"] == 1.0
    by_seed = done.runs.pivot_table(index="replication", columns="scenario", values="stock_rented")
    assert np.allclose(by_seed["point_3"] - by_seed["point_1"], 100.0)  # the same luck at every point
    assert (done.points["stock_rented"] > 100.0).tolist() == strict.tolist()


def test_runs_are_interleaved_by_replication(written):
    jobs = lay_out(load_exploration(written('kind = "factorial"'))).plan.jobs
    assert [job.replication for job in jobs] == [0] * 4 + [1] * 4
    assert {job.seed for job in jobs[:4]} == {1}


def test_policies_are_run_at_every_point_and_at_the_ledgers(written):
    Path("other.toml").write_text('extends = "base.toml"\n[policies.ad_takedown]\nstrength = 0.9\n')
    factors = '[[factors]]\nkey = "parameters.renting.quit_per_day"\n'
    done = experiment(written('kind = "factorial"', factors, HEAD + 'scenarios = ["other.toml"]\n'), how=days_of)
    assert done.points["policy"].tolist() == ["base", "other"] * 3
    assert done.points["point"].tolist() == [0, 0, 1, 1, 2, 2]
    assert set(done.points["scenario"]) == set(done.runs["scenario"])


def test_a_factor_does_not_undo_a_policy(written):
    Path("other.toml").write_text('extends = "base.toml"\n[policies.account_audit]\nstrength = 0.9\n')
    with pytest.raises(ScenarioError, match=r"factors: policies.account_audit.strength: is set by other, whose value it would replace"):
        load_exploration(written('kind = "factorial"', TWO, HEAD + 'scenarios = ["other.toml"]\n'))


def test_runs_are_kept_and_go_on(written, tmp_path):
    file, out = written('kind = "latin_hypercube"\npoints = 4'), tmp_path / "out"
    first = experiment(file, out=out, how=days_of)
    assert {path.name for path in out.iterdir()} == {"manifest.json", "parts", "points.csv", "points.parquet", "runs.parquet"}
    calls = []

    def counted(scenario, seed):
        calls.append(seed)
        return days_of(scenario, seed)

    again = experiment(file, out=out, how=counted, replications=3)
    assert calls == [3] * 4
    assert again.points["replications"].tolist() == [3] * 4
    assert first.runs["stock_rented"].isin(again.runs["stock_rented"]).all()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["command"] == "experiment"
    assert manifest["design"]["kind"] == "latin_hypercube"
    assert len(manifest["design"]["points"]) == 4
    pd.testing.assert_frame_equal(pd.read_csv(out / "points.csv"), again.points, check_dtype=False)
    with pytest.raises(StoreError, match="experiment with a design"):
        sim.open_results(out)


def test_the_last_replication_has_no_seed_above_the_greatest(written):
    with pytest.raises(ScenarioError, match=f"seed = {2**53}: must be at most {2**53 - 2} here"):
        experiment(written('kind = "factorial"'), replications=3, seed=2**53, how=days_of)


def test_days_are_written_when_asked_for(written, tmp_path):
    file, out = written('kind = "factorial"', head=f"{HEAD}daily = true\n"), tmp_path / "out"
    experiment(file, out=out, how=days_of)
    assert len(pd.read_parquet(out / "daily.parquet")) == 4 * 2 * 20
    heard = []
    for _ in range(2):
        experiment(written('kind = "factorial"'), out=out, how=days_of, progress=lambda state: heard.append(state.stage))
    assert not (out / "daily.parquet").exists()
    assert [stage for stage in heard if "days" in stage] == [
        "the days that were there are taken away; daily = true in the file makes them again"
    ]


def test_a_failed_run_is_recorded_and_the_others_are_kept(written, tmp_path):
    done = experiment(written('kind = "factorial"'), out=tmp_path / "out", how=fails_when_strict)
    assert [failure.seed for failure in done.failures] == [2, 2]
    assert done.points["replications"].tolist() == [2, 2, 1, 1]
    failures = json.loads((tmp_path / "out" / "manifest.json").read_text())["failures"]
    assert all("too strict" in failure["traceback"] for failure in failures)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_gives_the_points(written, suffix):
    table = pd.DataFrame({"account_audit": [0.0, 0.25, 1.0], "parameters.renting.quit_per_day": [0.01, 0.05, 0.08]})
    (table.to_csv(f"t.{suffix}", index=False) if suffix == "csv" else write_table(Path(f"t.{suffix}"), table))
    done = experiment(written(f'kind = "table"\nfile = "t.{suffix}"', ""), how=days_of)
    assert done.points["policies.account_audit.strength"].tolist() == [0.0, 0.25, 1.0]
    assert done.points["parameters.renting.quit_per_day"].tolist() == [0.01, 0.05, 0.08]


def test_a_factor_that_is_the_index_of_a_table_is_not_lost(written):
    table = pd.DataFrame({"account_audit": [0.0, 0.25], "ad_takedown": [0.5, 0.6]})
    table.set_index("account_audit").to_parquet("t.parquet")
    done = experiment(written('kind = "table"\nfile = "t.parquet"', ""), how=days_of)
    assert done.points["policies.account_audit.strength"].tolist() == [0.0, 0.25]
    assert done.points["policies.ad_takedown.strength"].tolist() == [0.5, 0.6]


def test_readmes_experiment_is_one(tmp_path, monkeypatch):
    (text,) = re.findall(r"```toml\n(# audit_and_demand\.toml\n.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "audit_and_demand.toml").write_text(text)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    done = sim.experiment("audit_and_demand.toml", replications=1, how=days_of)
    assert len(done.points) == 24
    assert done.points["parameters.market.demand_elasticity"].between(0.6, 1.4).all()


def test_all_faults_of_a_file_are_told_at_once(written):
    factors = (
        '[[factors]]\nkey = "acount_audit"\n[[factors]]\nkey = "parameters.rentings.quit_per_day"\n'
        '[[factors]]\nkey = "ad_takedown"\nlow = 2.0\n'
        '[[factors]]\nkey = "policies.ad_takedown.start_day"\n[[factors]]\nkey = "account_audit"\nlevels = 3\nhi = 1\n'
    )
    with pytest.raises(ScenarioError) as told:
        load_exploration(written('kind = "latin_hypercub"', factors, HEAD.replace("price_yuan", "prize_yuan")))
    message = str(told.value)
    for words in (
        'kind = "latin_hypercub": did you mean "latin_hypercube"?', 'did you mean "account_audit"?', 'did you mean "renting"?',
        "low = 2.0: must be a number from 0.0 to 1.0", "low: is missing; it must be a whole number from 0 to 20000",
        "high: is missing", 'hi = 1: no such key; did you mean "high"?', 'did you mean "price_yuan"?',
    ):  # fmt: skip
        assert words in message, message
    assert "mine.toml [[factors]] 3: low" in message


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ('kind = "sobol"', "design.points: is missing"),
        ('kind = "sobol"\npoints = 12', "must be a power of 2, such as 8 or 16"),
        ('kind = "factorial"\nlevels = 3', "does not go with factorial, which takes no setting"),
        ('kind = "grid"', "levels: is missing; a grid needs it"),
        ('kind = "morris"\nlevels = 5', "must be even"),
        ('kind = "grid"\nlevels = 500', "asks for 250,000 points; at most 20,000 are allowed"),
        ('kind = "table"', "do not go with the design table"),
        ("points = 8", "kind: is missing; it must be one of grid, factorial"),
    ],
)
def test_a_design_that_makes_no_sense_is_told(written, design, words):
    with pytest.raises(ScenarioError) as told:
        load_exploration(written(design))
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("account_audit,ad_takedwn\n0,0\n", 'did you mean "ad_takedown"?'),
        ("account_audit\n0.5\n0.6\n0.50\n", "row 3: is the point of row 1, with the same runs: leave it out"),
        ("account_audit\n0.5\nhigh\n1.5\n", 'row 2: policies.account_audit.strength = "high": must be a number'),
        ("account_audit\n0.5\n1.5\n", "must be a number from 0.0 to 1.0"),
        ("account_audit,ad_takedown\n0.5\n", "has 1 cells, but there are 2 columns"),
        ("account_audit\n", "has no row"),
    ],
)
def test_a_table_that_makes_no_sense_is_told(written, table, words):
    Path("t.csv").write_text(table)
    with pytest.raises(ScenarioError) as told:
        load_exploration(written('kind = "table"\nfile = "t.csv"', ""))
    assert words in str(told.value)
    with pytest.raises(ScenarioError, match=r'no such file; did you mean "t.csv"\?'):
        load_exploration(written('kind = "table"\nfile = "s.csv"', ""))


def test_a_missing_extra_is_told_in_one_line(written, monkeypatch):
    def missing(_name):
        raise ImportError

    monkeypatch.setattr(points, "import_module", missing)
    with pytest.raises(ScenarioError, match=r"pip install 'abm\[analysis\]'") as told:
        experiment(written('kind = "morris"'), how=days_of)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_valid(path, capsys):
    assert main(["check", str(path)]) == 0
    assert "valid" in capsys.readouterr().out


def test_command_writes_a_row_a_point_and_says_where(written, tmp_path, capsys):
    factors = '[[factors]]\nkey = "account_audit"\n'
    assert main(["experiment", str(written('kind = "factorial"', factors)), "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert "account audit" in out
    assert "points.csv" in err
    assert len(pd.read_csv(tmp_path / "results" / "mine" / "points.csv")) == 2


def test_command_refuses_bad_input_and_writes_nothing(written, tmp_path, capsys):
    assert main(["experiment", str(written('kind = "grid"'))]) == 2
    assert main(["experiment", "base.toml"]) == 2
    assert "design: is missing" in capsys.readouterr().err
    assert main(["compare", str(written('kind = "factorial"'))]) == 2
    assert "use: abm experiment" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_failed_run_makes_exit_code_1(written, monkeypatch, capsys):
    monkeypatch.setattr("sim.jobs.simulate", fails_when_strict)
    assert main(["experiment", str(written('kind = "factorial"')), "--workers", "1", "-q"]) == 1
    assert "too strict" in capsys.readouterr().err


def test_workers_must_be_a_number(written):
    with pytest.raises(ScenarioError, match="workers"):
        carry_out(lay_out(load_exploration(written('kind = "factorial"'))), workers=0)
