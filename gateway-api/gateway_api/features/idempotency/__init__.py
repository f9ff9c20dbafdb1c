"""A creating request that is sent twice with one key is done once."""
