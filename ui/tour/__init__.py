"""The guided tour of `make run`: the real window on a real store, driven by real key events.

On a machine with a screen `python -m ui.tour --if-no-screen` only opens the counter on a copy of the demo store
with a head office beside it (living.py). Without one it starts a virtual screen with a window manager, types
through the day, leaves pictures in out/, and prints what was done and how long each step took.
"""
