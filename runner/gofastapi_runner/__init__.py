"""What runs inside an app's process: nothing here imports gofastapi_ext."""
