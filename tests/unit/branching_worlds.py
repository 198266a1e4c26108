"""Stand-ins for the market that branch, in a module that worker processes can import; runs have the same days either way."""

from __future__ import annotations

import os
import signal

import numpy as np

from sim.burn_in import BurnIn, Simulation
from sim.luck import Luck, words
from sim.outcomes import OUTCOMES, window_means

SECONDS_OF_BURN_IN, SECONDS_OF_BRANCH, SECONDS_OF_WHOLE = 6.0, 2.0, 8.0


class StandIn(Simulation):
    """Days made of luck and of what a scenario sets; says by the seconds of a run how it was made."""

    def __call__(self, scenario, seed):
        return self.made(scenario, seed, SECONDS_OF_WHOLE)

    def burn_in(self, scenario, seed):
        return BurnIn(str(seed).encode(), SECONDS_OF_BURN_IN)

    def branch(self, scenario, seed, burn_in):
        assert int(burn_in.saved) == seed
        return self.made(scenario, int(burn_in.saved), SECONDS_OF_BRANCH + burn_in.seconds)

    def made(self, scenario, seed, seconds):
        level = sum(policy.strength for policy in scenario.policies.values())
        noise = Luck(seed).uniforms("stand-in", 0, words(np.arange(scenario.run.days)))
        daily = dict.fromkeys(OUTCOMES, 100.0 + 10.0 * noise + level)
        return daily, window_means(daily, *scenario.run.window), seconds


class BurnInFails(StandIn):
    """The burn-in of seed 12 raises, whole runs do not."""

    def burn_in(self, scenario, seed):
        if seed == 12:
            raise MemoryError("no room for the state")
        return super().burn_in(scenario, seed)


class DaysFail(BurnInFails):
    """Whatever is made of seed 12 raises."""

    def __call__(self, scenario, seed):
        if seed == 12:
            raise ZeroDivisionError(f"no luck with {scenario.name}")
        return super().__call__(scenario, seed)


class BranchFails(StandIn):
    """One scenario raises once its policy acts."""

    def made(self, scenario, seed, seconds):
        if scenario.name == "ramped":
            raise ZeroDivisionError("no luck on the ramp")
        return super().made(scenario, seed, seconds)


class BurnInDies(StandIn):
    """The burn-in of seed 12 kills its process."""

    def burn_in(self, scenario, seed):
        if seed == 12:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().burn_in(scenario, seed)
