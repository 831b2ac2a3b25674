"""What the site adds to Jupyter Book."""
