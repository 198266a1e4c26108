"""The rules of MODEL.md a second time, as plain Mesa: one object per user, dealer, account and recruiter, sequential random numbers.

Written from MODEL.md before the engine was read, to check the engine in `sim`: slow and obvious, with nothing shared but the scenario and
the ledger of values. READINGS.md beside it says how the text was read, and what was settled after the first comparison.
"""

from twin.model import Twin

__all__ = ["Twin"]
