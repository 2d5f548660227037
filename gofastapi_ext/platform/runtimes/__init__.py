"""What starts instances of apps, behind one contract."""
