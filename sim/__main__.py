"""`python -m sim` is the command `abm`; nothing is imported here that a worker process does not need."""

import sys


def main() -> int:
    """Run the command; return the exit code."""
    from sim.cli import main as run_command

    return run_command()


if __name__ == "__main__":
    sys.exit(main())
