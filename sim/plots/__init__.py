"""Figures of finished runs: tables in, a matplotlib figure out; nothing is read or written."""

from sim.plots.flow import FLOW, day_flow
from sim.plots.forest import forest
from sim.plots.growth import growth
from sim.plots.live import live_difference, live_levels
from sim.plots.luck import FEWEST_PAIRS, shared_luck
from sim.plots.moving import ANSWER, FILM, Film, film
from sim.plots.over_time import OVER_TIME, SUPPLY, difference_over_time, supply_by_channel
from sim.plots.people import HURT, who_is_hurt
from sim.plots.robust import robust
from sim.plots.style import CHANNEL_COLOURS, POLICY_STYLES, SEGMENT_COLOURS, Study
from sim.plots.sweeps import dose_response, interaction_map
from sim.plots.tradeoff import harm_against_cost
from sim.plots.varied import Varied

__all__ = [
    "ANSWER",
    "CHANNEL_COLOURS",
    "FEWEST_PAIRS",
    "FILM",
    "FLOW",
    "HURT",
    "OVER_TIME",
    "POLICY_STYLES",
    "SEGMENT_COLOURS",
    "SUPPLY",
    "Film",
    "Study",
    "Varied",
    "day_flow",
    "difference_over_time",
    "dose_response",
    "film",
    "forest",
    "growth",
    "harm_against_cost",
    "interaction_map",
    "live_difference",
    "live_levels",
    "robust",
    "shared_luck",
    "supply_by_channel",
    "who_is_hurt",
]
