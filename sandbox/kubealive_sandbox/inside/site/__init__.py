"""A folder for PYTHONPATH: it holds `sitecustomize`, and nothing imports it by this name."""
