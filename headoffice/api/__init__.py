"""The open back-office API: what other systems of a chain (web shops, mini-programs) ask and write."""
