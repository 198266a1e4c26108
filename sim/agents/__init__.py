"""Who decides: Mesa agents that read and return actions."""
