"""The shape of a template."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from gofastapi_ext.core.bundle import Bundle, BundleFile


class Template(BaseModel):
    """A whole app, ready to deploy as it is."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Also the name that is suggested for an app made of it."""
    title: str
    description: str
    """One sentence."""
    uses: list[str] = Field(default_factory=list)
    """What it shows the use of, in a word or two each."""
    opens: str = ""
    """The path to open first, without a slash at its beginning."""
    bundle: Bundle


def bundle_of(texts: dict[str, str]) -> Bundle:
    """These files, by their paths."""
    return Bundle(files={path: BundleFile(text=text) for path, text in texts.items()})
