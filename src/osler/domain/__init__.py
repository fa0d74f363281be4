"""The words of the project as frozen values; pure."""
