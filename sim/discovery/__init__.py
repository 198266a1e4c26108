"""Scenario discovery: in which uncertain worlds a policy fails.

Verdicts on worlds are made of an experiment's runs (`verdicts`), boxes of worlds that fail are found in them (`boxes`), and tables, figures
and sentences say what they are. Nothing is imported here.
"""
