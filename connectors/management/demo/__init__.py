"""The demo: three simulated shops with their returns platforms, a played day of returns, and its proof."""
