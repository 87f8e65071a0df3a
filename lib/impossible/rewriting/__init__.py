"""What people use: a student writes candidates, the pipeline's critics choose among them."""
