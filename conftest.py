"""What the tests of every member share."""

pytest_plugins = ["standalone.testing"]
