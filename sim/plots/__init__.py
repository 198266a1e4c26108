"""Figures of finished runs: tables in, a matplotlib figure out; nothing is read or written."""

from sim.plots.forest import forest
from sim.plots.growth import growth
from sim.plots.live import live_difference, live_levels
from sim.plots.over_time import OVER_TIME, SUPPLY, difference_over_time, supply_by_channel
from sim.plots.people import HURT, who_is_hurt
from sim.plots.robust import robust
from sim.plots.style import CHANNEL_COLOURS, POLICY_STYLES, SEGMENT_COLOURS, Study
from sim.plots.sweeps import dose_response, interaction_map
from sim.plots.tradeoff import harm_against_cost
from sim.plots.varied import Varied

__all__ = [
    "CHANNEL_COLOURS",
    "HURT",
    "OVER_TIME",
    "POLICY_STYLES",
    "SEGMENT_COLOURS",
    "SUPPLY",
    "Study",
    "Varied",
    "difference_over_time",
    "dose_response",
    "forest",
    "growth",
    "harm_against_cost",
    "interaction_map",
    "live_difference",
    "live_levels",
    "robust",
    "supply_by_channel",
    "who_is_hurt",
]
