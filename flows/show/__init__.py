"""What people read in the terminal, and the pictures of nomograms."""
