"""Networks and the hidden Markov aligner; torch starts here."""
