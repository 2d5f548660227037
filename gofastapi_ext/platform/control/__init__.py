"""Use cases and loops. Decides what happens and when; asks store, runtime and databases to do it."""
