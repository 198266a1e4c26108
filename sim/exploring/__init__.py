"""Experiments with a design: the scenario at many points of its factors, and which factor moves an outcome how much.

The file says what is varied (`file`, `factors`), the design where (`points`), the executor makes the runs (`carrying`), and tables,
indices and sentences are made of them. Nothing is imported here, so that `abm check` reads a file at once.
"""
