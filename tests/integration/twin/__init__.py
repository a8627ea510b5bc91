"""Twin runs: the original and ours beside each other with the same file."""
