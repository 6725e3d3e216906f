// Verifies a log with golang.org/x/mod/sumdb alone: signature, inclusion and consistency.
//
// go run verify.go VKEY FOLDER OLD-CHECKPOINT INDEX
//
// FOLDER is a copy of the log as it is served. Prints "verified", or says what is wrong.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return 8 }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles finds tiles by the paths of c2sp.org/tlog-tiles, which leave the height out.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func entry(f folder, index, size int64) ([]byte, error) {
	tile := tlog.Tile{H: 8, L: 0, N: index / 256, W: 256}
	if rest := size - tile.N*256; rest < 256 {
		tile.W = int(rest)
	}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	bundle, err := os.ReadFile(filepath.Join(string(f), path))
	if err != nil {
		return nil, err
	}
	for at := int64(0); len(bundle) >= 2; at++ {
		length := int(binary.BigEndian.Uint16(bundle))
		if at == index%256 {
			return bundle[2 : 2+length], nil
		}
		bundle = bundle[2+length:]
	}
	return nil, errors.New("the bundle has no such entry")
}

func tree(path string, verifiers note.Verifiers) (tlog.Tree, error) {
	var found tlog.Tree
	data, err := os.ReadFile(path)
	if err != nil {
		return found, err
	}
	signed, err := note.Open(data, verifiers)
	if err != nil {
		return found, err
	}
	lines := strings.Split(signed.Text, "\n")
	if found.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return found, err
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	copy(found.Hash[:], hash)
	return found, err
}

func verify(vkey, directory, old, number string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	verifiers := note.VerifierList(verifier)
	before, err := tree(old, verifiers)
	if err != nil {
		return fmt.Errorf("old checkpoint: %w", err)
	}
	now, err := tree(filepath.Join(directory, "checkpoint"), verifiers)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(now, folder(directory))
	consistency, err := tlog.ProveTree(now.N, before.N, hashes)
	if err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	if err := tlog.CheckTree(consistency, now.N, now.Hash, before.N, before.Hash); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	data, err := entry(folder(directory), index, now.N)
	if err != nil {
		return err
	}
	inclusion, err := tlog.ProveRecord(now.N, index, hashes)
	if err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	return tlog.CheckRecord(inclusion, now.N, now.Hash, index, tlog.RecordHash(data))
}

func main() {
	if err := verify(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("verified")
}
