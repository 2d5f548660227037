"""`python -m benchmarks`: the figures of GoFastAPI beside those of `uvicorn[standard]`, in one run."""
