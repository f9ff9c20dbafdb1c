"""Jobs while everything around them is killed with -9, and what is left of them afterwards."""
