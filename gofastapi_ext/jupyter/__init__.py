"""In the Jupyter server: a gate in front, and relays to the platform service and to apps. Nothing else."""
