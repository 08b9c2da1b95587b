package config

import (
	"bytes"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// foreign names the formats that hold models and that this reader does not read, by their first
// bytes.
var foreign = []struct{ start, is, allowed string }{
	{"GGUF", "is a GGUF file", "the config.json of the model it was converted from"},
	{
		"PK\x03\x04", "is a zip archive, as PyTorch's checkpoints and Keras's are",
		"model.safetensors, or the config.json beside it",
	},
	{
		"\x80\x02", "is a Python pickle, as PyTorch's old checkpoints are",
		"model.safetensors, or the config.json beside it",
	},
	{"\x80\x04", "is a Python pickle", "model.safetensors, or the config.json beside it"},
	{"\x80\x05", "is a Python pickle", "model.safetensors, or the config.json beside it"},
	{"\x89HDF", "is an HDF5 file, as Keras's weights are", "the config.json beside it"},
	{"\x93NUMPY", "is a NumPy array", "the config.json of its model"},
	{"\x08\x07\x12", "is an ONNX file", "the config.json of the model it was exported from"},
	{
		"version https://git-lfs.github.com", "is a pointer of git-lfs, not the file itself",
		"the file, after git lfs pull",
	},
	{"<!DOCTYPE html", "is a web page", "the file that the page shows"},
}

// foreignFormat returns the error of a file of another format, or nil.
func foreignFormat(name string, start []byte) error {
	for _, f := range foreign {
		if bytes.HasPrefix(start, []byte(f.start)) {
			return syntax.FileError(name, f.is, "", f.allowed)
		}
	}
	return nil
}

// pythonJSON replaces the infinities that Python writes outside of strings by null, at the same
// length so that places stay.
func pythonJSON(raw []byte) []byte {
	if !bytes.Contains(raw, []byte("Infinity")) {
		return raw
	}
	out := bytes.Clone(raw)
	quoted := false
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == '\\' && quoted:
			i++
		case out[i] == '"':
			quoted = !quoted
		case !quoted:
			for _, word := range []string{"-Infinity", "Infinity"} {
				if bytes.HasPrefix(out[i:], []byte(word)) {
					copy(out[i:], "null     "[:len(word)])
				}
			}
		}
	}
	return out
}
