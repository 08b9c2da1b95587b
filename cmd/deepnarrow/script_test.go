package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"deepnarrow": main})
}

// TestScripts runs every script in testdata/script: a whole command line and what a user sees of
// it. `-update` is not used; the expected text is written by hand or checked against a published
// figure named beside it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
