"""An app as a project of its own: what an export writes, and the way back.

`manifest` says what was exported, `generated` writes the files that let it run without us, `restored` makes a
bundle of a project's files again, and `archive` reads them from a zip that anybody may have made.
"""
