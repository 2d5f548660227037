"""In the user's kernel: `%%deploy` and friends."""
