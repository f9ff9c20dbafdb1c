"""Stand-ins for what lies outside of this machine, shipped so that others can test against them."""
