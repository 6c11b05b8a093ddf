"""What every web page of ours is made of: the built scripts and styles, the shell around them, and what browsers must forbid."""
