"""The till's side of the exchange with head office: when to ask, how to sign, how long to wait.

HTTP lives here and nowhere else.
"""
