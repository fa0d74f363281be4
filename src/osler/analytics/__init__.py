"""One folder for each analytic."""
