// Check an extracted bundle's checkpoint and inclusion proofs with golang.org/x/mod/sumdb, the code
// that the formats come from. Usage: check FOLDER LOG-VKEY. Prints the number of proofs accepted.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func hash(text string) (h tlog.Hash) {
	raw, err := base64.StdEncoding.DecodeString(text)
	must(err)
	copy(h[:], raw)
	return h
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	must(err)
	proofs, err := filepath.Glob(filepath.Join(folder, "proofs", "*.tlog-proof"))
	must(err)
	accepted := 0
	for _, path := range proofs {
		data, err := os.ReadFile(path)
		must(err)
		head, signed, found := strings.Cut(string(data), "\n\n")
		if !found {
			log.Fatalf("%s: no checkpoint", path)
		}
		opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
		must(err)
		body := strings.Split(opened.Text, "\n")
		size, err := strconv.ParseInt(body[1], 10, 64)
		must(err)
		lines := strings.Split(head, "\n")
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		must(err)
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			proof = append(proof, hash(line))
		}
		name := strings.TrimSuffix(filepath.Base(path), ".tlog-proof") + ".cose"
		statement, err := os.ReadFile(filepath.Join(folder, "statements", name))
		must(err)
		entry := sha256.Sum256(statement)
		must(tlog.CheckRecord(proof, size, hash(body[2]), index, tlog.RecordHash(entry[:])))
		accepted++
	}
	fmt.Println(accepted)
}
