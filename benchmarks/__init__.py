"""What is claimed of Happening's speed, measured: each figure as a ratio to a yardstick of the same run."""
