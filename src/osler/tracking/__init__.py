"""What another FastAPI or Starlette application imports."""
