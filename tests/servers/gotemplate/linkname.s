// Lets functions.go declare functions without bodies.
