"""The command `abm`, also as `python -m sim`; nothing is imported here that a worker process does not need."""

import sys


def main() -> int:
    """Run the command; return the exit code."""
    try:
        from sim.cli import main as run_command

        return run_command()
    except KeyboardInterrupt:  # while things are imported: there is nothing to put away yet
        return 130


if __name__ == "__main__":
    sys.exit(main())
