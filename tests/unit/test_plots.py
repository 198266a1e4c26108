"""Figures: what is drawn, that nothing is cut or overlaps, one style for each channel and policy."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from sim import analysis, luck, plots
from sim.levers import CHANNELS, SEGMENTS
from sim.plots import style
from sim.plots.gallery import rendered
from sim.plots.text import wrapped
from sim.scenario import load_scenario

DAYS, START = 60, 20
TITLES = {
    "baseline": "Standing regime",
    "supply_squeeze": "Tighter registration and unsealing",
    "account_audit": "Sharper audit of live accounts",
    "friend_confirmation": "Voice confirmation before paying a friend",
    "mine": "Another policy",
}
EFFECTS = {
    "supply_squeeze": {"stock_rented": 1.6, "supply_account_days": 0.8, "enforcement_cost_yuan": 1.2},
    "account_audit": {"innocents_sanctioned": 11.0, "enforcement_cost_yuan": 30.0, "expected_harm_yuan": 0.8},
    "friend_confirmation": {"expected_harm_yuan": 0.95},
    "mine": {"expected_harm_yuan": 0.96, "enforcement_cost_yuan": 1.02},
}
BOTH = plots.Varied.lever("registration_audit"), plots.Varied.lever("ad_takedown")
OUTCOMES = sorted({*analysis.HEADLINE, *plots.HURT, *plots.SUPPLY, *plots.OVER_TIME})


def tables(effects, n=5):
    """Runs and daily rows of noisy outcomes, multiplied from the policy day on."""
    runs, daily = [], []
    for scenario in ("baseline", *effects):
        for k in range(n):
            outcomes = {}
            for outcome in OUTCOMES:
                noise = luck.normals(k, outcome, DAYS) + (
                    luck.normals(k, outcome + scenario, DAYS) if scenario != "friend_confirmation" else 0
                )
                factor = np.where(np.arange(DAYS) < START, 1.0, effects.get(scenario, {}).get(outcome, 1.0))
                outcomes[outcome] = 100.0 * factor * (1 + 0.01 * noise)
            ids = {"run_id": f"{scenario}{k}", "scenario": scenario, "replication": k, "seed": 1 + k}
            daily.append(pd.DataFrame({**ids, "day": np.arange(DAYS), **outcomes}))
            runs.append({**ids, "seconds": 1.0, "status": "done", **{name: values[30:].mean() for name, values in outcomes.items()}})
    return pd.DataFrame(runs), pd.concat(daily, ignore_index=True)


def study_of(n=5):
    return plots.Study("baseline", TITLES, 12_000_000, range(1, n + 1), (30, DAYS), dict.fromkeys(EFFECTS, START))


def draw(name, runs, daily, study, **options):
    comparison = analysis.comparison(runs, "baseline", analysis.HEADLINE)
    levels = {scenario: 0.25 * k for k, scenario in enumerate(EFFECTS)}
    grid = {scenario: (k % 2, k // 2) for k, scenario in enumerate(EFFECTS)}
    figures = {
        "forest": lambda: plots.forest(comparison, study, **options),
        "supply_by_channel": lambda: plots.supply_by_channel(
            analysis.mean_daily(daily, plots.SUPPLY),
            study,
            analysis.displacement(runs, "baseline", {"supply_squeeze": ["registered", "unsealed"]}),
            **options,
        ),
        "difference_over_time": lambda: plots.difference_over_time(
            analysis.daily_differences(daily, "baseline", plots.OVER_TIME), study, **options
        ),
        "who_is_hurt": lambda: plots.who_is_hurt(analysis.comparison(runs, "baseline", plots.HURT), study, **options),
        "dose_response": lambda: plots.dose_response(
            analysis.dose_response(runs, "baseline", levels, 0.3), study, plots.Varied.lever("registration_audit"), **options
        ),
        "interaction_map": lambda: plots.interaction_map(
            analysis.interaction(runs, "baseline", grid), study, "stock_rented", *BOTH, (0.0, 1.0), **options
        ),
        "harm_against_cost": lambda: plots.harm_against_cost(comparison, study, **options),
    }
    return figures[name]()


NAMES = (
    "forest", "supply_by_channel", "difference_over_time", "who_is_hurt", "dose_response", "interaction_map", "harm_against_cost",
)  # fmt: skip
PANELS = {"forest": 7, "supply_by_channel": 4, "difference_over_time": 16, "who_is_hurt": 5, "dose_response": 7}


@pytest.fixture(scope="module")
def data():
    return tables(EFFECTS)


@pytest.fixture(scope="module")
def figures(data):
    return {name: draw(name, *data, study_of()) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_captions_say_replications_seeds_users_and_days(figures, name):
    caption = figures[name].get_supxlabel().replace("\n", " ")
    assert "n = 5 replications a scenario on common seeds 1-5; 12,000,000 users." in caption
    assert ("days 30-59" in caption) == (name != "difference_over_time")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off(figures, name):
    figure = figures[name]
    figure.draw_without_rendering()
    page = figure.bbox.padded(1.0)
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible() and text not in _ticks_and_hidden(figure):
            box = text.get_window_extent()
            assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
            assert page.y0 <= box.y0 <= box.y1 <= page.y1, text


def _ticks_and_hidden(figure):
    """Tick labels, which matplotlib keeps for ticks outside the view as well, and texts of empty panels."""
    texts = set()
    for panel in figure.axes:
        for ax in (panel, *panel.child_axes):
            texts |= {
                label
                for axis in (ax.xaxis, ax.yaxis)
                for tick in (*axis.majorTicks, *axis.minorTicks)
                for label in (tick.label1, tick.label2)
            }
            texts |= {ax.xaxis.label, ax.yaxis.label, ax.title} if not ax.axison else set()
    return texts


@pytest.mark.parametrize("name", NAMES)
def test_every_scale_has_a_unit(figures, name):
    figure = figures[name]
    assert isinstance(figure, Figure)
    labels = " ".join(label for ax in figure.axes for label in (ax.get_xlabel(), ax.get_ylabel()))
    units = {
        "supply_by_channel": ("effective account-days/day", "days since"),
        "who_is_hurt": ("owners/day", "users/day", "helpers/day", "people/day"),
        "harm_against_cost": ("yuan/day",),
        "interaction_map": ("% of baseline", "(0 to 1)"),
    }
    for unit in units.get(name, ("%",)):
        assert unit in labels


@pytest.mark.parametrize("name", [*PANELS])
def test_draws_on_the_axes_given(data, name):
    figure = Figure(figsize=(16, 12))
    axes = list(figure.subplots(4, 4).flat)[: PANELS[name]]
    assert draw(name, *data, study_of(), axes=axes) is figure
    assert all(ax.has_data() for ax in axes)
    assert figure.get_suptitle() == ""
    with pytest.raises(ValueError, match="axes are needed"):
        draw(name, *data, study_of(), axes=axes[1:])


@pytest.mark.parametrize("name", ["interaction_map", "harm_against_cost"])
def test_draws_on_the_one_axes_given(data, name):
    figure = Figure()
    ax = figure.subplots()
    assert draw(name, *data, study_of(), ax=ax) is ax


@pytest.mark.parametrize("name", NAMES)
def test_one_replication_can_be_drawn(name):
    figure = draw(name, *tables(EFFECTS, n=1), study_of(1))
    figure.draw_without_rendering()
    assert "1 replication a scenario, seed 1" in figure.get_supxlabel().replace("\n", " ")


def test_labels_of_the_trade_off_do_not_overlap(figures):
    figure = figures["harm_against_cost"]
    figure.draw_without_rendering()
    ax = figure.axes[0]
    boxes = [text.get_window_extent() for text in ax.texts if isinstance(text, Annotation) and text.get_text()]
    assert len(boxes) == 1 + len(EFFECTS)
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_costs_far_apart_are_drawn_on_a_logarithmic_axis(figures):
    assert figures["harm_against_cost"].axes[0].get_xscale() == "log"


def test_forest_shows_per_cent_and_amounts(figures):
    panel = figures["forest"].axes[0]
    assert panel.get_title(loc="left").strip() == "Rented accounts in use"
    assert [text.get_text()[:3] for text in panel.texts[:1]] == ["+60"]
    dots = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "D"]
    assert dots == [pytest.approx(60.0, abs=2.0)]


def test_forest_has_the_intervals_of_the_sentences(data):
    """Those of the difference over the baseline's mean leave out how little the baseline is known."""
    table = analysis.comparison(data[0], "baseline", ["stock_rented"])
    row = table[table["scenario"] == "supply_squeeze"].iloc[0]
    place = table["scenario"].tolist().index("supply_squeeze")

    def lines_of(table):
        panel = plots.forest(table, study_of(), ["stock_rented"]).axes[0]
        wide, narrow, dot = (line for line in panel.lines if set(line.get_ydata()) == {place})
        return wide.get_xdata(), narrow.get_xdata(), dot

    wide, narrow, dot = lines_of(table)
    assert narrow == pytest.approx([100.0 * row["relative_low"], 100.0 * row["relative_high"]])
    times = (row["simultaneous_high"] - row["simultaneous_low"]) / (row["difference_high"] - row["difference_low"])
    assert np.diff(wide) == pytest.approx(times * np.diff(narrow))
    assert dot.get_markerfacecolor() != "white"
    table.loc[row.name, ["relative_low", "relative_high"]] = np.nan
    wide, narrow, dot = lines_of(table)
    assert np.isnan([*wide, *narrow]).all()
    assert dot.get_markerfacecolor() == "white"


def test_displacement_is_printed_in_its_panel(figures):
    texts = [text.get_text() for ax in figures["supply_by_channel"].axes for text in ax.texts]
    assert "displaced" in texts[0]
    assert all("displaced" not in text for text in texts[1:])


def test_a_single_scenario_is_drawn_without_a_ghost_of_itself(data):
    _, daily = data
    alone = analysis.mean_daily(daily, plots.SUPPLY, ["baseline"])
    figure = plots.supply_by_channel(alone, study_of())
    assert figure.axes[0].get_title(loc="left") == "Standing regime"


def test_the_range_where_renting_rises_is_named(data):
    runs, _ = data
    dose = analysis.dose_response(runs, "baseline", {"mine": 0.0, "supply_squeeze": 0.6}, 0.3)
    figure = plots.dose_response(dose, study_of(), plots.Varied.lever("registration_audit"))
    labels = [text.get_text() for ax in figure.axes if ax.get_legend() for text in ax.get_legend().get_texts()]
    assert "renting above the baseline: 0.3 to 0.6" in labels


AWKWARD = {
    **TITLES,
    "baseline": r"Cap $\frac{1$ at 5%",
    "supply_squeeze": "清理网络账号",
    "mine": "A very long title $x_1$ " * 8,
    "account_audit": "Audit \N{ROCKET}",
}


@pytest.mark.parametrize("given", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_titles_are_drawn_literally_and_with_letters_that_the_fonts_have(data, name, given):
    study = plots.Study("baseline", AWKWARD, 1_000, [1, 2], (30, DAYS), dict.fromkeys(EFFECTS, START))
    options = {}
    if given:
        axes = list(Figure(figsize=(16, 12)).subplots(4, 4).flat)
        options = {"axes": axes[: PANELS[name]]} if name in PANELS else {"ax": axes[0]}
    drawn = draw(name, *data, study, **options)
    figure = drawn.figure if given and isinstance(drawn, Axes) else drawn  # figures of one panel return the axes that they were given
    rendered(figure, "png")  # any warning is an error
    assert not any(text.get_parse_math() for text in figure.findobj(Text) if "$" in text.get_text() and text.get_visible())


def test_a_title_falls_back_to_the_name_when_letters_are_missing(monkeypatch):
    monkeypatch.setattr("sim.plots.text.families", lambda: ["DejaVu Sans"])
    study = plots.Study("baseline", AWKWARD, 1_000, [1], (0, 1))
    assert study.title("baseline") == r"Cap $\frac{1$ at 5%"
    assert study.title("supply_squeeze") == "supply squeeze"
    assert study.title("account_audit") == "Audit"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_legend_of_few_panels_does_not_cover_the_title(data, count):
    _, daily = data
    means = analysis.mean_daily(daily, plots.SUPPLY, ["baseline", *list(EFFECTS)[:count]])
    figure = plots.supply_by_channel(means, study_of())
    figure.draw_without_rendering()
    (legend,) = figure.legends
    title = next(text for text in figure.texts if text.get_text().startswith("Supply"))
    line = title.get_window_extent()
    box = legend.get_window_extent()
    below = line.y1 - 0.21 * figure.dpi  # lower edge of the title's one line; the rest of its box is kept for the legend
    assert box.x0 > line.x1 or box.y1 < below
    assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1
    assert box.y0 > max(ax.title.get_window_extent().y1 for ax in figure.axes)


def test_one_scenario_is_not_spoken_of_as_compared(data):
    _, daily = data
    figure = plots.supply_by_channel(analysis.mean_daily(daily, plots.SUPPLY, ["baseline"]), study_of())
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(CHANNELS)
    assert "isplace" not in figure.get_supxlabel()
    assert "baseline" not in figure.get_supxlabel()
    assert figure.axes[0].get_xlabel() == "days since the burn-in ended"


def test_a_market_without_supply_can_be_drawn():
    runs, daily = tables({"supply_squeeze": {}}, n=2)
    for table in (runs, daily):
        table[OUTCOMES] = 0.0
    for name in ("forest", "supply_by_channel", "difference_over_time", "who_is_hurt", "harm_against_cost"):
        rendered(draw(name, runs, daily, study_of(2)), "png")


def test_numbers_of_a_panel_are_all_in_one_unit(data):
    table = analysis.comparison(data[0], "baseline", plots.HURT)
    table.loc[(table["outcome"] == "victims") & (table["scenario"] == "mine"), ["relative_low", "relative_high"]] = np.nan
    figure = plots.who_is_hurt(table, study_of())
    for ax in figure.axes:
        numbers = [text.get_text() for text in ax.texts if text.get_text() != "unchanged" and "baseline" not in text.get_text()]
        assert ({"%" in number for number in numbers}) <= {"% of the baseline" in ax.get_xlabel()}
    assert figure.axes[-1].get_xlabel() == "people/day\nnumbers: change, people/day"


@pytest.mark.parametrize(
    ("key", "name", "label"),
    [
        ("parameters.renting.quit_per_day", "quit per day", "renting: quit per day (1/day)"),
        ("policies.audit.strength", "registration audit", "strength of registration audit (0 to 1)"),
        ("policies.ad_takedown.strength", "ad takedown", "strength of ad takedown (0 to 1)"),
        ("policies.audit.ramp_days", "ramp days of registration audit", "ramp days of registration audit (days)"),
        ("levers.ad_takedown", "ad takedown", "strength of ad takedown (0 to 1)"),
        ("population.users", "users", "users"),
    ],
)
def test_an_axis_says_what_is_varied(key, name, label):
    scenario = load_scenario("scenarios/baseline.toml", {"policies.audit.lever": "registration_audit", "policies.audit.strength": 0.5})
    varied = plots.Varied.of(key, [scenario])
    assert (varied.name, varied.label) == (name, label)
    assert ("standing" in varied.standing) == ("strength" in label)


@pytest.mark.parametrize("standing", [(0.3, 0.0), (5.0, -1.0), (0.0, 1.0)])
def test_the_mark_of_the_baseline_covers_no_number(data, standing):
    grid = {scenario: (k % 2, k // 2) for k, scenario in enumerate(EFFECTS)}
    table = analysis.interaction(data[0], "baseline", grid)
    figure = plots.interaction_map(table, study_of(), "stock_rented", *BOTH, standing)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    for line in ax.lines:
        spot = line.get_window_extent().padded(4.0)
        assert ax.bbox.overlaps(spot)
        assert not any(spot.overlaps(text.get_window_extent()) for text in ax.texts)
    assert f"{standing[0]:g} and {standing[1]:g}" in figure.get_supxlabel().replace("\n", " ")


def test_long_titles_are_cut_with_or_without_blanks():
    assert wrapped("one two three four", 8, 2) == "one two\nthree\N{HORIZONTAL ELLIPSIS}"
    assert wrapped("清理网络账号与实名登记", 12, 1) == "清理网络账\N{HORIZONTAL ELLIPSIS}"
    assert wrapped("one two", 8, 1) == "one two"


def test_ticks_close_together_are_told_apart():
    assert style.Compact().format_ticks([362.5, 365.0, 367.5]) == ["362.5", "365", "367.5"]
    assert style.Compact().format_ticks([333.0, 333.2]) == ["333", "333.2"]
    assert style.Compact().format_ticks([0.0, 50_000.0]) == ["0", "50k"]
    assert style.compact(0.00045) == "0.00045"


def test_channels_segments_and_policies_have_styles_of_their_own():
    assert tuple(plots.CHANNEL_COLOURS) == CHANNELS
    assert set(plots.SEGMENT_COLOURS) == set(SEGMENTS)
    assert len(set(plots.CHANNEL_COLOURS.values())) == len(CHANNELS)
    assert len(set(plots.POLICY_STYLES.values())) == len(plots.POLICY_STYLES)
    own = study_of().styles([f"mine{k}" for k in range(30)])
    assert len(set(list(own.values())[:20])) == 20
    assert not set(own.values()) & set(plots.POLICY_STYLES.values())


def test_figures_keep_no_state_in_pyplot():
    code = "import sys, sim.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
