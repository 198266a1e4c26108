"""Figures: what is drawn, that nothing is cut or overlaps, one style for each channel and policy."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from sim import analysis, luck, plots
from sim.levers import CHANNELS, SEGMENTS

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
            analysis.dose_response(runs, "baseline", levels, 0.3), study, "registration_audit", **options
        ),
        "interaction_map": lambda: plots.interaction_map(
            analysis.interaction(runs, "baseline", grid), study, "stock_rented", "registration_audit", "ad_takedown", (0.0, 1.0), **options
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
    assert draw(name, *data, study_of(), ax=figure.subplots()) is figure


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
    figure = plots.dose_response(dose, study_of(), "registration_audit")
    labels = [text.get_text() for ax in figure.axes if ax.get_legend() for text in ax.get_legend().get_texts()]
    assert "renting above the baseline: 0.3 to 0.6" in labels


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
