"""`make bench`: figures as ratios in one run, written to out/bench.json. No test asserts a time."""
