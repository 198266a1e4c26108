"""Watching a market: the flow of a mean day, the moving picture, what shared luck saves, and the command that draws the first two."""

from io import BytesIO
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from PIL import Image
from report_worlds import filled, plan_of

from sim import plots
from sim.cli import main
from sim.comparison import Comparison, Kept, Robust
from sim.conduct import carry_out
from sim.levers import CHANNELS, USES
from sim.plan import single
from sim.plots import moving
from sim.plots.gallery import rendered
from sim.plots.moving import STOCKS
from sim.plots.style import MINUS
from sim.robustness import plan as over_members
from sim.robustness import shipped
from sim.scenario import load_scenario
from sim.store import Memory, Store

STUDY = plots.Study("baseline", {"baseline": "Standing regime", "squeeze": "A squeeze $x$"}, 1_000_000, [1, 2], (30, 60), {"squeeze": 20})
SUPPLIED = {"registered": 900.0, "unsealed": 1800.0, "rented": 870.0, "bought": 820.0, "stolen": 140.0}
MOVED = {
    "registered": (168.0, 920.0, 165.0),
    "unsealed": (110.0, 840.0, 108.0),
    "rented": (18.0, 125.0, 10.0),
    "bought": (21.0, 236.0, 20.0),
    "stolen": (7.0, 20.0, 2.0),
}
"""Accounts that come and leave a day, stock, and those of them that are sanctioned."""


def day(times=1.0):
    """Means of a day that add up, the channels' sizes times something."""
    supply = {f"supply_{name}": value * times for name, value in SUPPLIED.items()}
    total = sum(supply.values())
    uses = {f"supply_{use}": total * share for use, share in zip(USES, (0.4, 0.3, 0.2, 0.1), strict=True)}
    flows = {}
    for name, (inflow, stock, caught) in MOVED.items():
        values = {"inflow": inflow, "exits": inflow, "stock": stock, "detected": caught}
        flows |= {f"{part}_{name}": value * times for part, value in values.items()}
    found = {"swept": 32.0 * times, "challenged": 0.0, "purged": 0.0}
    return {**supply, **uses, **flows, **found, "supply_account_days": total, "utilisation_share": 0.985}


def summary(**days):
    rows = [(name, outcome, value, 2) for name, values in days.items() for outcome, value in values.items()]
    return pd.DataFrame(rows, columns=["scenario", "outcome", "mean", "replications"])


@pytest.fixture(scope="module")
def flow():
    return plots.day_flow(summary(baseline=day(), squeeze=day(0.5)), STUDY, ["baseline", "squeeze"])


def texts(ax):
    return [text.get_text() for text in ax.texts]


def bars(ax):
    """Where bars stand and how high they are."""
    return [(round(bar.get_x(), 3), bar.get_height()) for bar in ax.patches if isinstance(bar, Rectangle)]


def test_the_flow_of_supply_adds_up(flow):
    for ax, times in zip(flow.axes[:2], (1.0, 0.5), strict=True):
        heights = bars(ax)
        for place in {x for x, _ in heights}:
            assert sum(height for x, height in heights if x == place) == pytest.approx(times * sum(SUPPLIED.values()))
        assert len([patch for patch in ax.patches if isinstance(patch, PathPatch)]) == len(CHANNELS) + len(USES)


def test_accounts_that_leave_are_sanctioned_or_not(flow):
    ax = flow.axes[2]
    last = max(x for x, _ in bars(ax))
    ends = [height for x, height in bars(ax) if x == last]
    caught, gone = sum(part[2] for part in MOVED.values()), sum(part[0] for part in MOVED.values())
    assert ends == [pytest.approx(caught), pytest.approx(gone - caught)]
    assert f"sanctioned {caught:g}\nof these 32 in sweeps" in texts(ax)
    assert "stock 125" in texts(ax)


def test_the_flow_says_changes_beside_the_first_scenario_only(flow):
    first, second = texts(flow.axes[0]), texts(flow.axes[1])
    assert "rented 870" in first
    assert f"rented 435 ({MINUS}50 %)" in second
    assert f"porn and gambling 680 ({MINUS}50 %)" in second
    assert any("effective account-days/day, 98.5 % of it sold" in text for text in first)
    assert flow.axes[1].get_title(loc="left").strip() == "A squeeze $x$"
    caption = flow.get_supxlabel().replace("\n", " ")
    assert "n = 2 replications a scenario on common seeds 1-2; 1,000,000 users. Means of days 30-59." in caption


@pytest.mark.parametrize("times", [0.5, 0.02, 1.4])
def test_labels_of_the_flow_are_whole_and_apart(times):
    figure = plots.day_flow(summary(baseline=day(), squeeze=day(times)), STUDY, ["baseline", "squeeze"])
    figure.draw_without_rendering()
    page = figure.bbox.padded(1.0)
    boxes = [text.get_window_extent() for ax in figure.axes for text in ax.texts if text.get_text()]
    for box in boxes:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_the_flow_of_one_scenario_and_on_axes_given():
    table = summary(baseline=day())
    assert len(plots.day_flow(table, STUDY, ["baseline"]).axes) == 2
    figure = Figure()
    axes = list(figure.subplots(2, 1))
    assert plots.day_flow(table, STUDY, ["baseline"], axes) is figure
    assert figure.get_suptitle() == ""
    with pytest.raises(ValueError, match="2 axes are needed, 1 were given"):
        plots.day_flow(table, STUDY, ["baseline"], axes[:1])
    with pytest.raises(KeyError, match="baseline has no supply_rented"):
        plots.day_flow(table[table["outcome"] != "supply_rented"], STUDY, ["baseline"])


def test_a_day_without_accounts_can_be_drawn():
    rendered(plots.day_flow(summary(baseline=dict.fromkeys(plots.FLOW, 0.0)), STUDY, ["baseline"]), "png")


@pytest.fixture(scope="module")
def done():
    memory, plan = Memory(), plan_of("supply_squeeze", "friend_confirmation")
    return Comparison(plan, Kept(filled(plan, memory), memory), [])


def shown(done, policy="supply_squeeze"):
    days = done.days_of(plots.FILM)
    means = days.groupby(["scenario", "day"], as_index=False, sort=False)[list(plots.FILM)].mean().assign(replications=6)
    return plots.film(means, done.table, done.plot.study, policy, steps=6)


def test_days_pass_and_the_last_frame_has_the_answer(done):
    film = shown(done)
    assert (film.days[0], film.days[-1], len(film.days)) == (-10, 19, 6)
    stocks, answer = film.figure.axes[0], film.figure.axes[0].child_axes[0]
    film.at(0)
    assert stocks.get_title(loc="left") == "10 days before the policy started"
    assert not answer.get_visible()
    film.at(5)
    assert stocks.get_title(loc="left") == "19 days after the policy started"
    assert answer.get_visible()
    row = done.table[(done.table["scenario"] == "supply_squeeze") & (done.table["outcome"] == "stock_rented")].iloc[0]
    said = texts(answer)
    change = said[said.index("rented accounts in use") + 1]
    assert change.startswith(f"+{100 * row['relative']:.0f} %")
    assert change.endswith("]")


def test_what_has_not_happened_yet_is_not_drawn(done):
    film = shown(done)
    pictures = list(film.frames())
    x, y = (int(at) for at in film.figure.axes[0].transData.transform([(15.0, 5.0)])[0])
    colour = np.array([int(plots.CHANNEL_COLOURS["registered"][k : k + 2], 16) for k in (1, 3, 5)])
    near = [bool((np.abs(picture[picture.shape[0] - 1 - y, x].astype(int) - colour) < 60).all()) for picture in pictures]
    assert near == [day_ >= 15 for day_ in film.days]


def test_a_gif_moves_ends_with_a_pause_and_is_the_same_each_time(done):
    data = done.plot.film("supply_squeeze", steps=6)
    assert data == done.plot.film("supply_squeeze", steps=6)
    with Image.open(BytesIO(data)) as picture:
        times = []
        for k in range(picture.n_frames):
            picture.seek(k)
            times.append(picture.info["duration"])
        assert len(times) == 6
        assert times[-1] > 20 * times[0]
        assert picture.info["loop"] == 0
        assert b"Matplotlib" in picture.info["comment"]
        assert picture.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize("policy", ["supply_squeeze", "friend_confirmation"])
def test_the_answer_hides_no_day_of_its_width(done, policy):
    film = shown(done, policy)
    film.at(-1).draw_without_rendering()
    stocks = film.figure.axes[0]
    box = stocks.child_axes[0].get_window_extent()
    day, lowest = stocks.transData.inverted().transform((box.x0, box.y0))
    own = done.days_of(plots.FILM).query("scenario == @policy").groupby("day")[list(STOCKS)].mean().sum(axis=1)
    days = own.index - done.plot.study.start(policy)
    assert own.rolling(7, min_periods=1).mean()[days >= day].max() < lowest


def test_a_film_of_what_is_no_policy_is_refused_by_name(done):
    for ask in (done.plot.film, done.plot.day_flow):
        with pytest.raises(ValueError, match='no policy "squeeze" here; it must be one of supply_squeeze, friend_confirmation'):
            ask("squeeze")
    with pytest.raises(TypeError, match="of a sweep of two keys"):
        done.plot.interaction_map("stock_rented")
    with pytest.raises(TypeError, match="of a sweep of one key"):
        done.plot.dose_response()


def test_runs_over_parameters_are_watched_with_the_ledgers_own_values():
    memory, plan = Memory(), over_members(plan_of("supply_squeeze", replications=3), shipped(3), None)
    robust = Robust(plan, Kept(filled(plan, memory), memory), [])
    assert set(robust.table["scenario"]) == {"supply_squeeze"}
    assert robust.plot.film("supply_squeeze", steps=4).startswith(b"GIF8")
    with pytest.raises(ValueError, match="it must be one of supply_squeeze"):
        robust.plot.film(next(iter(plan.members)))


def test_unchanged_outcomes_are_said_to_be(done):
    answer = shown(done, "friend_confirmation").figure.axes[0].child_axes[0]
    assert "unchanged" in texts(answer)


def test_texts_of_the_film_are_whole(done):
    film = shown(done)
    film.at(-1).draw_without_rendering()
    page = film.figure.bbox.padded(1.0)
    stocks, *prices = film.figure.axes
    panels = (stocks, *stocks.child_axes, *prices)
    for text in (*film.figure.texts, *(text for ax in panels for text in (*ax.texts, ax.xaxis.label, ax.yaxis.label, ax._left_title))):
        if text.get_text():
            box = text.get_window_extent()
            assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
            assert page.y0 <= box.y0 <= box.y1 <= page.y1, text


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    target = tmp_path_factory.mktemp("watched") / "policies"
    plan = plan_of("supply_squeeze", "friend_confirmation", replications=2)
    with Store(target) as store:
        filled(plan, store)
    carry_out(plan, target)
    return target


def tell(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


def test_the_command_draws_flow_and_film(directory, tmp_path, capsys):
    code, said = tell(capsys, "watch", directory, "--policy", "supply_squeeze", "--out", tmp_path / "pictures")
    assert code == 0
    names = {"supply_squeeze_flow.png", "supply_squeeze_flow.svg", "supply_squeeze.gif"}
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == names
    assert "supply_squeeze.gif are in" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--policy: is needed, as there are several; it must be one of supply_squeeze, friend_confirmation"),
        (["--policy", "supply_sqeeze"], 'did you mean "supply_squeeze"?'),
        (["--policy", "supply_squeeze", "--format", "git"], 'did you mean "gif"?'),
    ],
)
def test_the_command_says_what_it_needs(directory, capsys, arguments, message):
    code, said = tell(capsys, "watch", directory, *arguments)
    assert (code, said.count("\n")) == (2, 1)
    assert message in said
    assert not (directory / "watch").exists()


def test_an_mp4_needs_an_encoder(directory, capsys, monkeypatch):
    monkeypatch.setattr(moving, "can_encode", lambda: False)
    code, said = tell(capsys, "watch", directory, "--policy", "supply_squeeze", "--format", "mp4")
    assert code == 2
    assert "needs ffmpeg, which is not on the path" in said


def test_an_mp4_is_what_the_encoder_was_given(done, tmp_path, monkeypatch):
    encoder = tmp_path / "ffmpeg"
    encoder.write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
    encoder.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert moving.can_encode()
    data = done.plot.film("supply_squeeze", "mp4", steps=3)
    film = shown(done)
    frame = next(film.frames()).shape
    pixels = 4 * (frame[0] // 2 * 2) * (frame[1] // 2 * 2)  # an encoder takes even sizes
    assert len(data) == (2 + 40) * pixels


def test_runs_of_one_scenario_have_a_flow_and_no_film(tmp_path, capsys):
    short = {"run.days": 30, "run.burn_in_days": 10, "run.settle_days": 2, "run.replications": 2}
    plan = single(load_scenario("scenarios/baseline.toml", short))
    with Store(tmp_path / "r") as store:
        filled(plan, store)
    carry_out(plan, tmp_path / "r")
    code, said = tell(capsys, "watch", tmp_path / "r")
    assert code == 0
    assert {path.name for path in (tmp_path / "r" / "watch").iterdir()} == {"baseline_flow.png", "baseline_flow.svg"}
    assert "there is no moving picture, as there is no policy beside it" in said
    assert tell(capsys, "watch", tmp_path / "r", "--policy", "x")[0] == 2


def test_what_shared_luck_saves():
    rows = [("stock_rented", "squeeze", 8.0, 5.0, 12.0, 60), ("stock_rented", "other", np.nan, np.nan, np.nan, 60)]
    columns = ["outcome", "scenario", "variance_ratio", "variance_ratio_low", "variance_ratio_high", "replications"]
    figure = plots.shared_luck(pd.DataFrame(rows, columns=columns), STUDY, ["stock_rented"])
    (ax,) = figure.axes
    assert ax.get_xscale() == "log"
    assert texts(ax) == ["8", "-"]
    assert "times as many independent runs" in ax.get_xlabel()
    assert "n = 60 replications" in figure.get_supxlabel().replace("\n", " ")
    rendered(figure, "png")


@pytest.mark.parametrize(("replications", "drawn"), [(3, False), (plots.FEWEST_PAIRS, True)])
def test_shared_luck_is_among_the_figures_of_many_pairs(replications, drawn):
    memory, plan = Memory(), plan_of("supply_squeeze", replications=replications)
    done = Comparison(plan, Kept(filled(plan, memory), memory), [])
    assert ("shared_luck" in done.plot.all()) == drawn
