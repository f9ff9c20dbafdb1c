"""Work that older setups push onto Redis lists."""
