"""The mean-field limit: accounts and recruiters in expectation, worlds in which it should be exact, and gaps to runs."""
