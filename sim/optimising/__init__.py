"""Optimisation: the cheapest mixes of levers that keep guardrails, against dealers who adapt, in many worlds that the evidence allows.

The file says what is mixed and what is wanted (`file`), the executor runs each mix in the same worlds with the same luck (`bench`), Optuna
proposes the next mixes (`search`), and what is efficient, who wins and what is regretted is arithmetic on the runs (`front`, `judged`).
Nothing is imported here, so that `abm check` reads a file at once.
"""
