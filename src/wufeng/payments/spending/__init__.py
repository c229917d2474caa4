"""What people pay and bring in, summed over a window of time: what credit is decided from."""
