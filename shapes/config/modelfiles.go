package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// ModelFiles are what a folder may hold to describe its model, the most telling first: tensors are
// read with the config.json beside them.
func ModelFiles() []string {
	return []string{
		"model.safetensors.index.json", "model.safetensors", "config.json", "params.json",
		"operative_config.gin", "model_config.yaml", "config.yaml", "config.toml",
		"pytorch_model.bin.index.json", "adapter_config.json", "model_index.json",
	}
}

// CalledModel says whether a file is called as models are: as one of [ModelFiles], gin or tensors.
func CalledModel(name string) bool {
	ending := strings.ToLower(filepath.Ext(name))
	return ending == ".gin" || ending == ".safetensors" ||
		slices.Contains(ModelFiles(), filepath.Base(name))
}
