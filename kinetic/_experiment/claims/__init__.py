"""What a recipe claims before it is run, a kind of claim a module, and what the run says of it."""
