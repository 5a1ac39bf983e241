// Command verifier checks an exported log of Postern with Go's own packages for
// transparency logs, golang.org/x/mod/sumdb/note and golang.org/x/mod/sumdb/tlog.
// It shares no code with Postern, and it builds every hash from the entries:
// no tile is believed.
//
// Usage: verifier DIRECTORY; the directory holds log.vkey, checkpoint, tile/,
// proofs/*.tlog-proof and consistency/* (bodies of tlog-witness requests).
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = m[index]
	}
	return found, nil
}

type checkpoint struct {
	size int64
	root tlog.Hash
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: verifier DIRECTORY")
	}
	dir := os.Args[1]
	head := open(dir, read(dir, "checkpoint"))
	entries := allEntries(dir, head.size)
	stored := rebuild(entries)

	root, err := tlog.TreeHash(head.size, stored)
	check(err)
	if root != head.root {
		log.Fatalf("the entries lead to %v, the signed root is %v", root, head.root)
	}
	tiles := checkTiles(dir, head.size, stored)
	proofs := checkProofs(dir, entries)
	consistent := checkConsistency(dir, stored)
	fmt.Printf("accepted: %d entries, %d tiles, %d inclusion proofs, %d consistency proofs\n",
		head.size, tiles, proofs, consistent)
}

// open verifies the log's signature and every cosignature of a known witness.
func open(dir string, written []byte) checkpoint {
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(dir, "log.vkey"))))
	check(err)
	known := []note.Verifier{verifier}
	witnesses := strings.Fields(string(read(dir, "witness.vkeys")))
	for _, vkey := range witnesses {
		known = append(known, newWitness(vkey))
	}
	opened, err := note.Open(written, note.VerifierList(known...))
	check(err)
	if len(opened.Sigs) != len(known) {
		log.Fatalf("%d of %d known keys signed", len(opened.Sigs), len(known))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return checkpoint{size, root}
}

func allEntries(dir string, size int64) [][]byte {
	var entries [][]byte
	for at := int64(0); at < size; at += width {
		bundle := read(dir, path("entries", at/width, size-at))
		for len(bundle) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			if end > len(bundle) {
				log.Fatal("an entry is cut short")
			}
			entries = append(entries, bundle[2:end])
			bundle = bundle[end:]
		}
	}
	if int64(len(entries)) != size {
		log.Fatalf("%d entries for a size of %d", len(entries), size)
	}
	return entries
}

func rebuild(entries [][]byte) memory {
	var stored memory
	for index, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(index), entry, stored)
		check(err)
		stored = append(stored, hashes...)
	}
	return stored
}

func checkTiles(dir string, size int64, stored memory) int {
	count := 0
	for level := 0; size > 0; level, size = level+1, size/width {
		for at := int64(0); at < size; at += width {
			var row bytes.Buffer
			for index := at; index < min(size, at+width); index++ {
				hash := stored[tlog.StoredHashIndex(8*level, index)]
				row.Write(hash[:])
			}
			name := path(strconv.Itoa(level), at/width, size-at)
			if !bytes.Equal(row.Bytes(), read(dir, name)) {
				log.Fatalf("%s is not what the entries make it", name)
			}
			count++
		}
	}
	return count
}

func checkProofs(dir string, entries [][]byte) int {
	names, err := filepath.Glob(filepath.Join(dir, "proofs", "*.tlog-proof"))
	check(err)
	for _, name := range names {
		lines, hashes, head := split(dir, name)
		if len(lines) != 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
			log.Fatalf("%s: not a proof file", name)
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		check(err)
		leaf := tlog.RecordHash(entries[index])
		if err := tlog.CheckRecord(tlog.RecordProof(hashes), head.size, head.root, index, leaf); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
	return len(names)
}

func checkConsistency(dir string, stored memory) int {
	names, err := filepath.Glob(filepath.Join(dir, "consistency", "*"))
	check(err)
	for _, name := range names {
		lines, hashes, head := split(dir, name)
		old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
		check(err)
		oldRoot, err := tlog.TreeHash(old, stored)
		check(err)
		if err := tlog.CheckTree(tlog.TreeProof(hashes), head.size, head.root, old, oldRoot); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
	return len(names)
}

// split reads the words at the head of a file, its hashes and its checkpoint.
func split(dir, name string) (lines []string, hashes []tlog.Hash, head checkpoint) {
	written, err := os.ReadFile(name)
	check(err)
	above, note, _ := strings.Cut(string(written), "\n\n")
	for _, line := range strings.Split(above, "\n") {
		if hash, err := tlog.ParseHash(line); err == nil {
			hashes = append(hashes, hash)
		} else {
			lines = append(lines, line)
		}
	}
	return lines, hashes, open(dir, []byte(note))
}

// witness verifies cosignatures (C2SP tlog-cosignature, 0x04), which x/mod does not know.
type witness struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
}

func newWitness(vkey string) witness {
	parts := strings.SplitN(vkey, "+", 3)
	id, err := strconv.ParseUint(parts[1], 16, 32)
	check(err)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	if key[0] != 4 || len(key) != 33 {
		log.Fatalf("%s is no key of a witness", parts[0])
	}
	return witness{parts[0], uint32(id), key[1:]}
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	header := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(signature))
	return ed25519.Verify(w.public, append([]byte(header), text...), signature[8:])
}

func path(level string, index, left int64) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	if left < width {
		name += fmt.Sprintf(".p/%d", left)
	}
	return filepath.Join("tile", level, name)
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func read(dir, name string) []byte {
	content, err := os.ReadFile(filepath.Join(dir, name))
	check(err)
	return content
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
