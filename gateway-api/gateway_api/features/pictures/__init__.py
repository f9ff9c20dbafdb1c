"""What is seen of a track: its cover in sizes, and its waveform as data and as a picture."""
