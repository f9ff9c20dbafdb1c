"""The bridge: raw pushes on Redis lists become jobs at the gateway, and older readers see how they fare."""
