"""Committed figures: every one in the table, each what its command draws; the test says which differ."""

from __future__ import annotations

import os
import re
import shutil
from io import BytesIO
from pathlib import Path

import browsing
import numpy as np
import pandas as pd
import pytest
import typer.main
from comparing import unlike
from drawing import GROUPS, REFERENCE, ROOT, film_kept, read
from figures import FIGURES, JOBS
from PIL import Image, PngImagePlugin
from rebuild import NOT_DRAWN, main, redraw, run

from sim.cli import app
from sim.conduct import compare
from sim.exhibits import EXHIBITS, answers, gallery
from sim.exhibits.numbers import per_cent, share
from sim.exhibits.speed import speed
from sim.headlines import headlines
from sim.scenario import load_scenario

README = (ROOT / "README.md").read_text(encoding="utf-8")
KINDS = {".png", ".svg", ".gif", ".mp4"}
SLOW = {"supply_squeeze", "dashboard"}
"""Groups that take more than a few seconds to draw."""


def test_every_committed_figure_is_in_the_table():
    committed = {path.relative_to(REFERENCE).as_posix() for path in REFERENCE.rglob("*") if path.suffix in KINDS}
    assert committed == set(FIGURES)


def test_the_table_names_commands_that_exist_and_tables_that_are_there():
    commands = set(typer.main.get_command(app).commands)
    assert {name for name, _ in FIGURES.values()} == set(JOBS) == set(GROUPS)
    for name, job in JOBS.items():
        assert job.command[0] in commands or (ROOT / job.command[1]).is_file(), name
        assert all((ROOT / word).is_file() for word in job.command if word.endswith(".toml")), name
        assert all((REFERENCE / name / file).is_file() for file in job.keeps), name
    assert all(about.endswith(".") for _, about in FIGURES.values())


def test_each_job_draws_its_figures():
    for name, draw in GROUPS.items():
        assert set(draw(REFERENCE)) == {path for path, (job, _) in FIGURES.items() if job == name}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in GROUPS])
def test_figures_are_what_their_tables_draw(name, tmp_path):
    differ = {path: how for path, how in redraw([name], target=tmp_path).items() if how}
    if any(how.startswith(NOT_DRAWN) for how in differ.values()) and os.environ.get("ABM_BROWSER") != "required":
        pytest.skip(f"{differ}")
    assert not differ, "run `make gallery`"


def test_a_picture_that_needs_a_browser_is_left_and_told_where_there_is_none(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(browsing, "chromium", lambda: None)
    shutil.copyfile(REFERENCE / "dashboard.png", tmp_path / "dashboard.png")
    why = "not drawn: there is no chromium"
    assert redraw(["dashboard"], tmp_path, tmp_path) == {"dashboard.png": why}
    assert (tmp_path / "dashboard.png").read_bytes() == (REFERENCE / "dashboard.png").read_bytes()
    assert main(["--check", "--only", "dashboard"]) == 0  # nothing that could be drawn differs
    assert capsys.readouterr().out == f"dashboard.png: {why}\n0 figures drawn, 0 the same to the pixel, 0 differ, 1 not drawn\n"


def test_a_table_that_changed_draws_another_figure(tmp_path):
    shutil.copytree(REFERENCE / "policy_strength", tmp_path / "policy_strength")
    table = tmp_path / "policy_strength" / "dose_response.csv"
    rows = read(table)
    rows.loc[0, ["difference", "relative"]] *= 1.5
    rows.to_csv(table, index=False)
    (how,) = redraw(["policy_strength"], tmp_path, tmp_path).values()
    assert re.match(r"[\d.]+ % of the pixels differ \(Matplotlib [\d.]+, now Matplotlib [\d.]+\)", how)
    assert redraw(["policy_strength"], tmp_path, tmp_path) == {"policy_strength/figures/dose_response.png": ""}


def png(pixels, software="Matplotlib version3.11.2, https://matplotlib.org/"):
    file, about = BytesIO(), PngImagePlugin.PngInfo()
    about.add_text("Software", software)
    Image.fromarray(pixels).save(file, format="png", pnginfo=about)
    return file.getvalue()


def test_one_pixel_is_seen_unless_another_version_drew():
    pixels = np.full((50, 40, 3), 255, dtype=np.uint8)
    spoilt = pixels.copy()
    spoilt[3, 4] = 250
    assert unlike(png(pixels), png(pixels)) == ""
    assert unlike(png(pixels), png(spoilt)) == "0.05 % of the pixels differ (Matplotlib 3.11.2, now Matplotlib 3.11.2)"
    assert unlike(png(pixels), png(spoilt, "Matplotlib version3.9.0, x")) == ""
    spoilt[:5] = 0
    assert unlike(png(pixels), png(spoilt, "Matplotlib version3.9.0, x")).startswith("10 % of the pixels differ")
    assert unlike(png(pixels), png(pixels[1:])) == "size {(50, 40)}, now {(49, 40)}"


def test_moving_pictures_are_compared_frame_by_frame():
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("white", "red", "blue")]

    def gif(pictures):
        file = BytesIO()
        pictures[0].save(file, format="gif", save_all=True, append_images=pictures[1:], duration=100)
        return file.getvalue()

    assert unlike(gif(frames), gif(frames)) == ""
    assert "frames" in unlike(gif(frames), gif(frames[:2]))
    assert unlike(gif(frames), gif([*frames[:2], Image.new("RGB", (20, 10), "green")])).startswith("100 %")


def test_the_command_lists_and_checks(capsys):
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(path in listed for path in FIGURES)
    assert "abm watch results/policy_comparison --policy supply_squeeze" in listed
    assert main(["--check", "--only", "benchmarks_growth"]) == 0
    assert capsys.readouterr().out == "1 figures drawn, 1 the same to the pixel, 0 differ\n"


def test_every_shipped_experiment_is_in_the_gallery_with_command_and_figure():
    shipped = {path.stem for path in (ROOT / "scenarios" / "experiments").glob("*.toml")}
    assert {exhibit.name for exhibit in EXHIBITS} == shipped - {"policy_comparison"}
    commands = {job.written for job in JOBS.values()}
    for exhibit in EXHIBITS:
        assert exhibit.written in commands
        assert FIGURES[exhibit.path][0] == exhibit.name
        assert f"![{exhibit.alt}](results/reference/{exhibit.path})" in README
    assert "abm compare scenarios/experiments/policy_comparison.toml" in README
    assert "results/reference/policy_comparison/figures/forest.png" in README


def test_each_conclusion_has_a_number_with_its_interval():
    for exhibit in EXHIBITS:
        answer = exhibit.answer(REFERENCE)
        assert re.search(r"\d (?:% )?\([\d.]+ to [\d.]+\)", answer), exhibit.name
        assert "{" not in answer


def test_pictures_of_readme_are_committed_and_described():
    shown = re.findall(r"!\[([^\]]*)\]\(results/reference/([^)]+)\)", README)
    assert {path for _, path in shown} <= set(FIGURES)
    assert all(len(alt) > 20 for alt, _ in shown)
    assert "supply_squeeze.gif" in {path for _, path in shown}


def test_the_moving_picture_is_small_and_lasts_about_ten_seconds():
    path = REFERENCE / "supply_squeeze.gif"
    assert path.stat().st_size < 800 * 1024
    with Image.open(path) as picture:
        lasted = []
        for k in range(picture.n_frames):
            picture.seek(k)
            lasted.append(picture.info["duration"])
    assert 8_000 <= sum(lasted) <= 12_000
    assert lasted[-1] >= 3_000


@pytest.mark.parametrize(
    ("file", "column", "value", "message"),
    [
        ("policy_strength/dose_response.csv", "relative_low", "-1.0", "README says that"),
        ("package_shares/bundle.csv", "sum_alone", "-1e6", "alone the levers hardly do anything"),
        ("combined_discovery/boxes.csv", "restricted", "True", "wants a row of boxes.csv"),
        ("cheapest_mix/equal_cost.csv", "harm_high_simultaneous", "1.0", "each rival that costs as much as a mix is beaten"),
        ("paired_variance/comparison.csv", "variance_ratio_low", "0.5", "shared luck always saves runs"),
        ("supply_levers_factorial/interactions.csv", "relative_high", "1e3", "is below 0"),
        ("screening_morris/ranking.csv", "best", "combined", "the lure squeeze is best by harm"),
        ("screening_morris/sensitivity.csv", "mu_star_beyond_low", "-1.0", "these numbers matter beyond luck"),
    ],
)
def test_a_sentence_that_its_table_does_not_bear_out_is_refused(file, column, value, message, tmp_path):
    folder = Path(file).parent.name
    shutil.copytree(REFERENCE / folder, tmp_path / folder)
    rows = pd.read_csv(tmp_path / file, dtype=str, keep_default_na=False)
    rows[column] = value
    rows.to_csv(tmp_path / file, index=False)
    with pytest.raises(ValueError, match=message):
        gallery(tmp_path, [exhibit for exhibit in EXHIBITS if exhibit.name == folder])


@pytest.mark.parametrize(
    ("what", "peer", "column", "value", "message"),
    [
        ("user-days/s, 1,200,000,000 users, stretches of 20 days", "regime", "verdict", "reached", "only one of the two ratios is missed"),
        (
            "user-days/s, 1,200,000,000 users, stretches of 20 days",
            "regime",
            "peer_events_per_s",
            "3",
            "nothing happens in the small regime",
        ),
        ("world/registry.py, 12,000,000 users, under the profiler", "", "ours", "0.11", "beside draws no file has a tenth"),
        ("luck.py, 12,000,000 users, under the profiler", "", "ours", "0.6", "draws and look-ups are less than two thirds"),
        ("burn-in, now and before", "", "ratio_low", "1.5", "burn-in takes much less than it did"),
        ("figures, now and before", "", "what", "figures", "wants a row of benchmarks.csv"),
    ],
)
def test_a_sentence_on_speed_that_its_table_does_not_bear_out_is_refused(what, peer, column, value, message, tmp_path):
    rows = pd.read_csv(REFERENCE / "benchmarks.csv", dtype=str, keep_default_na=False)
    found = (rows["what"] == what) & rows["peer"].str.contains(peer)
    assert found.any()
    rows.loc[found, column] = value
    rows.to_csv(tmp_path / "benchmarks.csv", index=False)
    with pytest.raises(ValueError, match=message):
        speed(tmp_path)


def test_rows_that_changed_places_are_refused(tmp_path):
    shutil.copytree(REFERENCE / "supply_levers_factorial", tmp_path / "supply_levers_factorial")
    path = tmp_path / "supply_levers_factorial" / "shapley.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows["label"] = rows["label"].replace({"registration audit": "account audit", "account audit": "registration audit"})
    rows.to_csv(path, index=False)
    with pytest.raises(ValueError, match="the audit of sign-ups drives dealers to real people most"):
        answers.levers(tmp_path)


@pytest.mark.parametrize(
    ("scenario", "outcome", "column", "value", "message"),
    [
        ("supply_squeeze", "detected_registered", "mean", 150.0, "most sanctions on accounts go"),
        ("combined", "supply_account_days", "relative_high", -0.32, "both squeezes together cut more than the sum"),
    ],
)
def test_a_comparison_that_does_not_bear_out_a_sentence_is_refused(scenario, outcome, column, value, message, tmp_path):
    (tmp_path / "policy_comparison").mkdir()
    rows = pd.read_csv(REFERENCE / "policy_comparison" / "comparison.csv")
    rows.loc[(rows["scenario"] == scenario) & (rows["outcome"] == outcome), column] = value
    rows.to_csv(tmp_path / "policy_comparison" / "comparison.csv", index=False)
    with pytest.raises(ValueError, match=message):
        answers.squeeze(tmp_path), headlines(tmp_path)


def test_numbers_whose_order_chance_leaves_open_are_all_named(tmp_path):
    """What the audit does hangs on three numbers about as much; were they known well, the largest would be named alone."""
    (exhibit,) = (exhibit for exhibit in EXHIBITS if exhibit.name == "screening_morris")
    audit = exhibit.answer(REFERENCE).partition("what the sensitive audit does, on ")[2].partition(". The order")[0]
    assert audit.count(" % (") == 3
    assert audit.endswith(", in what order chance leaves open")
    shutil.copytree(REFERENCE / "screening_morris", tmp_path / "screening_morris")
    table = tmp_path / "screening_morris" / "sensitivity.csv"
    rows = read(table)
    rows["mu_star_low"] = rows["mu_star_high"] = rows["mu_star"]
    rows.to_csv(table, index=False)
    audit = exhibit.answer(tmp_path).partition("what the sensitive audit does, on ")[2].partition(". The order")[0]
    assert audit == "how much more a rented account is worth than a fresh one: 30 % (30 to 30)"


@pytest.mark.parametrize(("value", "said"), [(0.0349, "3.5"), (-0.4068, "41"), (0.9996, "100"), (0.02, "2"), (-0.0026, ".3"), (0.0, "0")])
def test_shares_are_written_as_people_do(value, said):
    assert per_cent(value) == said


def test_a_share_has_its_ends_in_order_and_its_side():
    assert share((-0.4068, -0.4146, -0.3990), -1) == "41 % (40 to 41)"
    with pytest.raises(ValueError, match="is above 0, which the tables do not bear out"):
        share((0.1, -0.1, 0.3), 1)


def test_what_is_not_there_yet_is_said(tmp_path):
    assert "Not yet computed: `dose_response.csv` does not exist" in gallery(tmp_path, EXHIBITS[:1])


@pytest.mark.nightly
def test_pictures_of_the_squeeze_are_what_its_runs_draw():
    """The committed comparison has eight policies; the two scenarios that are pictured have the same runs alone."""
    settings = {"run.replications": 8, "run.seed": 1}
    baseline, squeeze = (load_scenario(ROOT / "scenarios" / f"{name}.toml", settings) for name in ("baseline", "supply_squeeze"))
    done = compare(baseline, [squeeze], workers=2)
    days = film_kept(done, "supply_squeeze").reset_index(drop=True)
    pd.testing.assert_frame_equal(days, read(REFERENCE / "supply_squeeze_days.parquet"), rtol=1e-9, check_dtype=False)
    committed = read(REFERENCE / "policy_comparison" / "comparison.csv")
    own = done.table.set_index("outcome")
    for row in committed[committed["scenario"] == "supply_squeeze"].to_dict("records"):
        assert own.loc[row["outcome"], "mean"] == pytest.approx(row["mean"], rel=1e-9, nan_ok=True)
    assert unlike((REFERENCE / "supply_squeeze.gif").read_bytes(), done.plot.film("supply_squeeze")) == ""


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if job.runs])
def test_tables_and_figures_are_what_their_command_makes(name, tmp_path):
    reference = tmp_path / "reference"
    run(name, tmp_path / "results", reference)
    for file in JOBS[name].keeps:
        if file.endswith(".csv"):
            made, committed = (read(folder / name / file) for folder in (reference, REFERENCE))
            pd.testing.assert_frame_equal(made, committed, rtol=1e-6)
    differ = {path: unlike((REFERENCE / path).read_bytes(), draw()) for path, draw in GROUPS[name](reference).items()}
    assert not {path: how for path, how in differ.items() if how}
