"""The platform service: the only holder of privileged credentials. User code never runs in it."""
