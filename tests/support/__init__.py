"""What several kinds of tests share: a real platform service, and ways to ask it."""
