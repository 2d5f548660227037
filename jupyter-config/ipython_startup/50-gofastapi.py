# Makes %%deploy known in every kernel of this environment. A start-up file that fails stops the
# ones after it, so nothing may leave this one.
try:
    import gofastapi_ext as _gofastapi

    _gofastapi.load_ipython_extension(get_ipython())  # noqa: F821 - IPython defines it
    del _gofastapi
except Exception as _error:
    import sys as _sys

    print(f"GoFastAPI: %%deploy is not available: {_error}", file=_sys.stderr)  # noqa: T201
    del _error, _sys
