"""The runner on a Dask cluster: who of its workers does what, and what runs on them."""
