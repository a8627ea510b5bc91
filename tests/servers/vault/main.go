// A Vault server for Ampule's tests: the published module, started as its own command would start it.
// Never shipped, copied into an image or vendored.
package main

import (
	"os"

	vault "github.com/hashicorp/vault/command"
)

func main() {
	os.Exit(vault.Run(os.Args[1:]))
}
