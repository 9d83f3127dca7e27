// Verifies the signatures of audit lines in CEF, in the usual style of Go: the peer of `auditlog verify`.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
)

func main() {
	key, err := readKey(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	verified := 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		signed, encoded, found := bytes.Cut(lines.Bytes(), []byte(" sig="))
		if !found {
			continue
		}
		signature, err := base64.RawURLEncoding.DecodeString(string(encoded))
		if err == nil && ed25519.Verify(key, signed, signature) {
			verified++
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(verified)
}

func readKey(file string) (ed25519.PublicKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var jwks struct{ Keys []struct{ X string } }
	if err := json.Unmarshal(data, &jwks); err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.DecodeString(jwks.Keys[0].X)
}
