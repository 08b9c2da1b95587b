package config

import (
	"bytes"
	"encoding/binary"
	"path"
	"regexp"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// Format is a kind of configuration file.
type Format uint8

const (
	HuggingFace Format = iota // config.json
	Gin                       // T5X or Mesh TensorFlow
	YAML                      // this project's own
	Safetensors               // a header, or the index of several
	Trainer                   // TOML, or a list of arguments
)

// isSafetensors reports whether a file starts like one: a length of eight bytes, of which the upper
// ones are zero, and a JSON object.
func isSafetensors(name string, start []byte) bool {
	if strings.EqualFold(path.Ext(name), ".safetensors") {
		return true
	}
	return len(start) >= 9 && start[8] == '{' && binary.LittleEndian.Uint64(start) < 1<<48
}

// ginLine matches an assignment or import as gin writes them.
var ginLine = regexp.MustCompile(`(?m)^[ \t]*[A-Za-z_][\w./]*[ \t]*=|^(?:import|from|include)[ \t]`)

// detect tells the text formats apart. JSON starts with a bracket; gin assigns with "=" where YAML
// uses ":".
func detect(name string, content []byte) Format {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml":
		return YAML
	case ".gin":
		return Gin
	case ".json":
		return HuggingFace
	case ".toml", ".sh", ".args":
		return Trainer
	}
	first := bytes.TrimSpace(content)
	switch {
	case len(first) > 0 && (first[0] == '{' || first[0] == '['):
		return HuggingFace
	case syntax.ArgumentLine.Match(content):
		return Trainer
	case ginLine.Match(content):
		return Gin
	}
	return YAML
}
