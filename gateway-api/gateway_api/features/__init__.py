"""One package for each thing a person can do, with the same file names in each."""
