"""The rules of a membership: pure, integer, standard library only, shared by till and head office.

Nothing here reads a clock, draws a random number, opens a file or knows a language.
"""
