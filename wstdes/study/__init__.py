"""Studies: running scenarios, opening runs, metrics, accounts."""
