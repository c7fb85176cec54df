"""Learning: what a run is asked to do (`run`), its order (`batches`), its state (`state`) and the loop (`loop`)."""
