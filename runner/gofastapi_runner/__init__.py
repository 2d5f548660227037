"""What runs inside an app's process. Imports nothing from gofastapi_ext: an image holds the runner alone.

The platform starts one `zygote` per interpreter; each app instance is a fork of it that runs
`instance.run`. `protocol` says what the three tell each other.
"""
