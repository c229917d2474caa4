"""Figures: what `wufeng bench …` measures, each beside a reference of the same run."""
