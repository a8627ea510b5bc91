module ampule/tests/vectors/certificates

go 1.24
