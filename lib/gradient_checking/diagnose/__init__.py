"""Why a gradient is wrong: the causes, and the evidence for each."""
